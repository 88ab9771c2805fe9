"""The creator's word on claims, candidates and payment: what is signed, and what is refused."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.support.scene import Scene, scene
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import RECEIPT_BYTES_MAX
from wattswarm.kernel.market import awaits_approval, completion_of, is_declined
from wattswarm.kernel.payloads import ControlWord, Work

Say = Callable[..., Signings | Rejection]
NOWHERE = EventId(bytes(32))


@pytest.fixture
def stage() -> Scene:
    return scene(allocator="creator")


def word(
    stage: Scene, say: Say, name: EventId, by: int = 0, **more: object
) -> Signings | Rejection:
    """Have a member say something, and append it if it may."""
    who = stage.cast[by]
    answer = say(stage.state, who.node_id, name, stage.now_ms, **more)
    if not isinstance(answer, Rejection):
        stage.said += [each.draft.sign(stage.network.network_id, who) for each in answer]
    return answer


def code(answer: object) -> str:
    """Return the code of a refusal."""
    assert isinstance(answer, Rejection), answer
    return answer.code


def candidate(stage: Scene) -> EventId:
    """Have the second member propose under a claim that the creator approved of."""
    claim = stage.claim(Work.PROPOSE, 1)
    word(stage, decide.decide_claim, claim, is_approved=True)
    stage.now_ms += 1
    return stage.propose(claim, 1)


# --- claims ---------------------------------------------------------------------------------------


def test_an_approval_is_said_once_and_not_taken_back(stage: Scene) -> None:
    claim = stage.claim(Work.PROPOSE, 1)
    assert awaits_approval(stage.state, claim)
    assert word(stage, decide.decide_claim, claim, is_approved=True) != ()
    assert not awaits_approval(stage.state, claim)
    assert word(stage, decide.decide_claim, claim, is_approved=True) == ()
    no = word(stage, decide.decide_claim, claim, is_approved=False)
    assert code(no) == "already_approved"


def test_a_claim_that_was_declined_may_still_be_approved_of(stage: Scene) -> None:
    claim = stage.claim(Work.PROPOSE, 1)
    assert word(stage, decide.decide_claim, claim, is_approved=False, reason="not you") != ()
    assert is_declined(stage.state, claim)
    assert word(stage, decide.decide_claim, claim, is_approved=False) == ()
    assert word(stage, decide.decide_claim, claim, is_approved=True) != ()
    assert not is_declined(stage.state, claim)


def test_claims_of_a_task_that_rests_are_not_decided_on(stage: Scene) -> None:
    claim = stage.claim(Work.PROPOSE, 1)
    stage.control(ControlWord.SUSPENDED)
    assert code(word(stage, decide.decide_claim, claim, is_approved=True)) == "task_not_open"


# --- candidates -----------------------------------------------------------------------------------


def test_an_answer_that_was_taken_stays_taken(stage: Scene) -> None:
    made = candidate(stage)
    assert word(stage, decide.decide_completion, made, is_approved=True) != ()
    assert word(stage, decide.decide_completion, made, is_approved=True) == ()
    no = word(stage, decide.decide_completion, made, is_approved=False)
    assert code(no) == "already_approved"


def test_after_a_no_another_try_may_be_asked_for_and_after_that_a_yes_said(stage: Scene) -> None:
    made = candidate(stage)
    assert word(stage, decide.decide_completion, made, is_approved=False) != ()
    assert word(stage, decide.decide_completion, made, is_approved=False) == ()
    retry = {"is_approved": False, "is_retry_requested": True}
    assert word(stage, decide.decide_completion, made, **retry, reason="shorter") != ()
    said = completion_of(stage.state, made)
    assert said is not None
    assert (said.is_retry_requested, said.reason) == (True, "shorter")
    assert word(stage, decide.decide_completion, made, **retry) == ()
    assert word(stage, decide.decide_completion, made, is_approved=False) == ()
    assert word(stage, decide.decide_completion, made, is_approved=True) != ()
    said = completion_of(stage.state, made)
    assert said is not None
    assert said.is_approved


def test_who_takes_an_answer_asks_for_no_other(stage: Scene) -> None:
    made = candidate(stage)
    both = word(stage, decide.decide_completion, made, is_approved=True, is_retry_requested=True)
    assert code(both) == "inconsistent"


# --- payment --------------------------------------------------------------------------------------


def test_a_claim_is_paid_once(stage: Scene) -> None:
    claim = stage.claim(Work.PROPOSE, 1)
    assert word(stage, decide.settle, claim, receipt={"paid": 3, "by": "hand"}) != ()
    (paid,) = stage.state.settlements.values()
    assert paid.receipt == '{"by":"hand","paid":3}'
    assert word(stage, decide.settle, claim, receipt={"by": "hand", "paid": 3}) == ()
    assert code(word(stage, decide.settle, claim, receipt={"paid": 4})) == "already_settled"
    assert code(word(stage, decide.settle, claim)) == "already_settled"


def test_a_receipt_is_optional(stage: Scene) -> None:
    claim = stage.claim(Work.PROPOSE, 1)
    assert word(stage, decide.settle, claim) != ()
    assert word(stage, decide.settle, claim) == ()


@pytest.mark.parametrize(
    ("receipt", "expected"),
    [
        ("x" * RECEIPT_BYTES_MAX, "too_large"),
        (float("nan"), "bad_json"),
        ({"a": b"bytes"}, "bad_json"),
    ],
)
def test_a_receipt_that_cannot_be_signed_is_refused(
    stage: Scene, receipt: object, expected: str
) -> None:
    claim = stage.claim(Work.PROPOSE, 1)
    answer = word(stage, decide.settle, claim, receipt=receipt)
    assert code(answer) == expected
    assert isinstance(answer, Rejection)
    assert str(answer.details["path"]).startswith("$.receipt")


# --- who, and when --------------------------------------------------------------------------------

SAYINGS: tuple[tuple[Say, dict[str, object]], ...] = (
    (decide.decide_claim, {"is_approved": True}),
    (decide.decide_completion, {"is_approved": True}),
    (decide.settle, {}),
)


@pytest.mark.parametrize(("say", "more"), SAYINGS)
def test_only_the_creator_says_it_about_what_is_there(
    stage: Scene, say: Say, more: dict[str, object]
) -> None:
    made = candidate(stage)
    assert code(word(stage, partial(say, **more), made, 1)) == "not_creator"
    missing = code(word(stage, partial(say, **more), NOWHERE))
    assert missing == ("unknown_candidate" if say is decide.decide_completion else "unknown_claim")


@pytest.mark.parametrize(("say", "more"), SAYINGS)
def test_nothing_is_said_about_a_task_that_expired(
    stage: Scene, say: Say, more: dict[str, object]
) -> None:
    made = candidate(stage)
    stage.now_ms = stage.state.terms.expires_at + 1
    assert code(word(stage, partial(say, **more), made)) == "task_not_open"


def test_an_answer_is_taken_and_paid_for_when_it_is_final(stage: Scene) -> None:
    made = candidate(stage)
    stage.seal(made, made, [0, 1])
    claim = stage.state.candidates[made].claim
    assert word(stage, decide.decide_completion, made, is_approved=True) != ()
    assert word(stage, decide.settle, claim, receipt={"paid": 1}) != ()
    assert stage.state.verdicts == {}


def test_a_reason_that_does_not_fit_is_refused(stage: Scene) -> None:
    made = candidate(stage)
    long = word(stage, decide.decide_completion, made, is_approved=False, reason="x" * 5_000)
    assert code(long) == "would_be_ignored"
