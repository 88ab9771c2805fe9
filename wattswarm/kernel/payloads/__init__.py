"""What each kind of event says: one frozen class per kind, read strictly.

An unknown field makes a known kind unreadable: a new field is a new kind.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from wattswarm.kernel import contract
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.payloads import (
    attempt,
    candidate,
    claim,
    control,
    decision,
    epoch,
    feedback,
    form,
    market,
    notice,
    result,
    reuse,
    task,
    vote,
)
from wattswarm.kernel.payloads.attempt import TaskError, TaskRetryScheduled
from wattswarm.kernel.payloads.candidate import CandidateProposed, EvidenceAdded, EvidenceAvailable
from wattswarm.kernel.payloads.claim import (
    TaskClaimDecided,
    TaskClaimed,
    TaskClaimReleased,
    TaskClaimRenewed,
    Work,
)
from wattswarm.kernel.payloads.control import (
    ControlWord,
    TaskKilled,
    TaskResumed,
    TaskStopped,
    TaskSuspended,
)
from wattswarm.kernel.payloads.decision import DecisionCommitted, DecisionFinalized
from wattswarm.kernel.payloads.epoch import EpochEnded
from wattswarm.kernel.payloads.feedback import TaskFeedbackReported
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.payloads.market import TaskCompletionDecided, TaskSettled
from wattswarm.kernel.payloads.notice import TaskExpired
from wattswarm.kernel.payloads.result import Status, VerifierResultSubmitted
from wattswarm.kernel.payloads.reuse import ReuseRejectRecorded
from wattswarm.kernel.payloads.task import TaskCreated
from wattswarm.kernel.payloads.vote import Ballot, PlainVote, VoteCommit, VoteReveal

__all__ = [
    "KINDS",
    "Ballot",
    "CandidateProposed",
    "ControlWord",
    "DecisionCommitted",
    "DecisionFinalized",
    "EpochEnded",
    "EvidenceAdded",
    "EvidenceAvailable",
    "Payload",
    "PlainVote",
    "ReuseRejectRecorded",
    "Status",
    "TaskClaimDecided",
    "TaskClaimReleased",
    "TaskClaimRenewed",
    "TaskClaimed",
    "TaskCompletionDecided",
    "TaskCreated",
    "TaskError",
    "TaskExpired",
    "TaskFeedbackReported",
    "TaskKilled",
    "TaskResumed",
    "TaskRetryScheduled",
    "TaskSettled",
    "TaskStopped",
    "TaskSuspended",
    "VerifierResultSubmitted",
    "VoteCommit",
    "VoteReveal",
    "Work",
    "read",
    "write",
]

Payload: TypeAlias = (
    TaskCreated
    | TaskClaimed
    | TaskClaimRenewed
    | TaskClaimReleased
    | TaskClaimDecided
    | CandidateProposed
    | EvidenceAdded
    | EvidenceAvailable
    | VerifierResultSubmitted
    | VoteCommit
    | VoteReveal
    | PlainVote
    | DecisionCommitted
    | DecisionFinalized
    | TaskError
    | TaskRetryScheduled
    | EpochEnded
    | TaskStopped
    | TaskSuspended
    | TaskResumed
    | TaskKilled
    | TaskExpired
    | TaskCompletionDecided
    | TaskSettled
    | TaskFeedbackReported
    | ReuseRejectRecorded
)

FORMS: Final[Mapping[str, Form[Payload]]] = {
    each.kind: each
    for each in (
        *task.FORMS,
        *claim.FORMS,
        *candidate.FORMS,
        *result.FORMS,
        *vote.FORMS,
        *decision.FORMS,
        *attempt.FORMS,
        *epoch.FORMS,
        *control.FORMS,
        *market.FORMS,
        *feedback.FORMS,
        *reuse.FORMS,
        *notice.FORMS,
    )
}

KINDS: Final = frozenset(FORMS)
"""The kinds of a task's events that have a meaning."""


def read(kind: str, payload: Mapping[str, Value]) -> Payload:
    """Return what an event of a known kind says.

    Raises:
        Malformed: `unknown_field` or `bad_field`, with the path.
    """
    if kind == PlainVote.kind and "result" in payload:
        return vote.PLAIN.read(payload)
    return FORMS[kind].read(payload)


def write(payload: Payload) -> Mapping[str, Value]:
    """Return the map that stands for a payload in an event."""
    if isinstance(payload, TaskCreated):
        return {"pin": payload.pin, "contract": contract.to_payload(payload.contract)}
    return form.write(payload)
