"""Every kind of event has its place in the published table, and none is missing from it."""

import pytest

from tests.kinds import COMMON, DOCUMENT, Kind, document, kinds
from wattswarm.kernel.board import kinds as board
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.governance import KINDS as GOVERNANCE
from wattswarm.kernel.ids import KIND
from wattswarm.kernel.task import RULES

TABLE = {kind.name: kind for kind in kinds()}

DOMAIN = {
    "TASK_CREATED": "",
    "TASK_CLAIMED": "",
    "TASK_CLAIM_RENEWED": "",
    "TASK_CLAIM_RELEASED": "",
    "TASK_CLAIM_DECIDED": "",
    "TASK_COMPLETED": "CANDIDATE_PROPOSED",
    "TASK_COMPLETION_DECIDED": "",
    "TASK_SETTLED": "",
    "CANDIDATE_PROPOSED": "",
    "EVIDENCE_ADDED": "",
    "EVIDENCE_AVAILABLE": "",
    "VERIFIER_RESULT_SUBMITTED": "",
    "VOTE_COMMIT": "",
    "VOTE_REVEAL": "",
    "DECISION_COMMITTED": "",
    "DECISION_FINALIZED": "",
    "TASK_ERROR": "",
    "TASK_RETRY_SCHEDULED": "",
    "TASK_EXPIRED": "",
    "EPOCH_ENDED": "",
    "TASK_STOPPED": "",
    "TASK_SUSPENDED": "",
    "TASK_KILLED": "",
    "CHECKPOINT_CREATED": "",
    "FEED_SUBSCRIPTION_UPDATED": "",
    "TASK_ANNOUNCED": "",
    "EXECUTION_INTENT_DECLARED": "",
    "EXECUTION_SET_CONFIRMED": "",
    "TOPIC_MESSAGE_POSTED": "",
    "AGENT_PAYMENT_POSTED": "left out: payments",
    "MEMBERSHIP_UPDATED": "GOVERNANCE_UPDATED",
    "POLICY_TUNED": "GOVERNANCE_UPDATED",
    "NETWORK_PARAMS_UPDATED": "GOVERNANCE_UPDATED",
    "ADVISORY_CREATED": "later: advisories",
    "ADVISORY_APPROVED": "later: advisories",
    "ADVISORY_APPLIED": "later: advisories",
    "TASK_FEEDBACK_REPORTED": "",
    "REUSE_REJECT_RECORDED": "",
    "EVENT_REVOKED": "",
    "SUMMARY_REVOKED": "later: summaries as gossip",
    "NODE_PENALIZED": "",
}
"""Every kind that the domain knows: here under its name (""), as another kind, or not here yet."""

NEW = {"TASK_RESUMED", "GOVERNANCE_UPDATED", "NODE_ADMITTED"}
"""Kinds that only this program has."""


def test_every_kind_of_the_domain_is_here_replaced_or_left_for_later() -> None:
    here = {name for name, fate in DOMAIN.items() if not fate}
    assert TABLE.keys() == here | NEW
    for fate in DOMAIN.values():
        assert fate in {"", *TABLE} or fate.partition(":")[0] in {"later", "left out"}


def test_the_table_has_every_kind_that_has_a_rule() -> None:
    assert TABLE.keys() == RULES.keys() | GOVERNANCE | board.KINDS.keys()


@pytest.mark.parametrize("kind", TABLE.values(), ids=lambda kind: kind.name)
def test_every_row_is_whole(kind: Kind) -> None:
    assert KIND.match(kind.name)
    assert kind.codes <= CODES.keys()
    assert {*COMMON} <= CODES.keys()
    assert kind.who
    assert kind.says.endswith(".")
    assert kind.effect.endswith(".")
    assert kind.fields or kind.name == "TASK_EXPIRED"
    assert kind.tests


def test_the_document_is_made_from_the_code() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run python -m tests.kinds --write"
