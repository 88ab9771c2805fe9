"""The creator's word on work that was handed in, on payment, and the notice of expiry."""

from tests.support.scene import scene
from wattswarm.kernel import payloads
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Settlement
from wattswarm.kernel.task import derive
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting
from wattswarm.kernel.views import state_word


def test_only_the_creator_decides_on_a_completion_and_decides_nothing_else_by_it() -> None:
    stage = scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE, 1), 1)
    no = payloads.TaskCompletionDecided(
        candidate=candidate, approved=False, retry_requested=True, reason="too short"
    )
    assert stage.verdict(stage.say(no, by=1)) == Ignored("not_creator")
    name = stage.say(no)
    said = stage.state.completions[name]
    assert (said.candidate, said.is_approved, said.is_retry_requested) == (candidate, False, True)
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY), candidate))
    assert stage.verdict(stage.decide(candidate, [vote])) == Effective()


def test_a_settlement_names_a_claim_of_the_task() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, 1)
    candidate = stage.propose(claim, 1)
    wrong = stage.say(payloads.TaskSettled(claim=candidate))
    assert stage.verdict(wrong) == Ignored("wrong_kind", candidate)
    early = stage.say(payloads.TaskSettled(claim=claim), at_ms=stage.task.created_at + 1)
    assert stage.verdict(early) == Ignored("date_order", claim)
    assert stage.verdict(stage.say(payloads.TaskSettled(claim=claim), by=1)) == Ignored(
        "not_creator"
    )
    paid = stage.say(payloads.TaskSettled(claim=claim, receipt='{"paid": 3}'))
    assert stage.state.settlements == {
        paid: Settlement(event_id=paid, created_at=stage.now_ms, claim=claim, receipt='{"paid": 3}')
    }


def test_a_notice_of_expiry_is_true_by_its_date_and_changes_nothing() -> None:
    stage = scene()
    expiry = stage.state.terms.expires_at
    early = stage.say(payloads.TaskExpired(), by=1, at_ms=expiry)
    assert stage.verdict(early) == Ignored("not_expired")
    stage.now_ms = stage.task.created_at
    told = stage.say(payloads.TaskExpired(), by=1, at_ms=expiry + 1)
    assert stage.verdict(told) == Effective()
    assert state_word(stage.state, expiry) == "open"
    other = stage.utter("TASK_EXPIRED", {}, at_ms=expiry + 2, epoch=2)
    assert stage.verdict(other) == Ignored("wrong_epoch")


def test_a_notice_waits_for_its_task() -> None:
    stage = scene()
    told = stage.say(payloads.TaskExpired(), at_ms=stage.state.terms.expires_at + 1)
    assert stage.verdict(told) == Effective()
    alone = derive(stage.task.event_id, stage.said, stage.governance)
    assert alone.verdict(told) == Waiting((Need(On.EVENT, stage.task.event_id),))
