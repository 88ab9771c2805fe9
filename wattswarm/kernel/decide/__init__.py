"""Decide: state, a command and the time become drafts of events, or a refusal that says why.

Each function returns the events to sign, in order, with the locks that must hold for them, or a
`Rejection`. What it returns would take effect in the state it was given: local mistakes are refused
before anything is signed. Nothing here signs events; only the signature that finality carries in
its payload is made here, with the node's key.
"""

from wattswarm.kernel.decide.amendment import Amendment
from wattswarm.kernel.decide.concerns import concerns, tolerated
from wattswarm.kernel.decide.control import control
from wattswarm.kernel.decide.creation import create_task
from wattswarm.kernel.decide.deciding import decision
from wattswarm.kernel.decide.epoch import end_epoch
from wattswarm.kernel.decide.feedback import feedback
from wattswarm.kernel.decide.finality import finality, may_sign
from wattswarm.kernel.decide.gate import Signings, follow
from wattswarm.kernel.decide.governance import Motion, admit, amend, co_sign
from wattswarm.kernel.decide.market import decide_claim, decide_completion, settle
from wattswarm.kernel.decide.place import claim, release, renew
from wattswarm.kernel.decide.retry import retry
from wattswarm.kernel.decide.reuse import reject_reuse
from wattswarm.kernel.decide.statement import penalize, revoke
from wattswarm.kernel.decide.voting import reveal, vote
from wattswarm.kernel.decide.work import (
    add_evidence,
    confirm,
    propose,
    report_error,
    submit_result,
)

__all__ = [
    "Amendment",
    "Motion",
    "Signings",
    "add_evidence",
    "admit",
    "amend",
    "claim",
    "co_sign",
    "concerns",
    "confirm",
    "control",
    "create_task",
    "decide_claim",
    "decide_completion",
    "decision",
    "end_epoch",
    "feedback",
    "finality",
    "follow",
    "may_sign",
    "penalize",
    "propose",
    "reject_reuse",
    "release",
    "renew",
    "report_error",
    "retry",
    "reveal",
    "revoke",
    "settle",
    "submit_result",
    "tolerated",
    "vote",
]
