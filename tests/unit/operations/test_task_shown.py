"""A task as people read it, at each stage of its way."""

from tests.support.scene import LEASE_MS, Scene, local_scene, ref, scene
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.payloads import Status, Work
from wattswarm.kernel.task import TaskMachine
from wattswarm.operations.decision_view import decision_view
from wattswarm.operations.next_steps import next_steps
from wattswarm.operations.task_view import Moment, reason_word, task_view


def moment(stage: Scene, later_ms: int = 0) -> Moment:
    return Moment(now_ms=stage.now_ms + later_ms, projected_seq=1, is_here=lambda _: False)


def steps(stage: Scene, later_ms: int = 0) -> str:
    return " / ".join(next_steps(stage.state, stage.now_ms + later_ms))


def test_a_new_task_waits_for_an_executor() -> None:
    stage = local_scene()
    assert "has to claim one of" in steps(stage)
    view = task_view(stage.state, moment(stage))
    assert {place.state for place in view.places} == {"free"}


def test_a_task_whose_creation_is_missing_waits_for_that() -> None:
    stage = local_scene()
    machine = TaskMachine(stage.task.event_id, stage.governance)
    stage.claim(Work.PROPOSE)
    machine.add(stage.said)
    assert next_steps(machine.state, stage.now_ms) == (
        "the event that creates the task has to arrive",
    )
    view = task_view(machine.state, moment(stage))
    assert (view.task.state, view.contract, view.pin) == ("pending", {}, "")


def test_a_claimed_place_is_shown_with_its_lease_until_that_ends() -> None:
    stage = local_scene()
    stage.claim(Work.PROPOSE, executor="one")
    assert "executor one of node" in steps(stage)
    before = task_view(stage.state, moment(stage)).places[0]
    after = task_view(stage.state, moment(stage, 2 * LEASE_MS)).places[0]
    assert (before.state, before.executor) == ("working", "one")
    assert after.state == "lapsed"


def test_a_candidate_needs_approvals_until_it_has_them() -> None:
    stage = scene(quorum_threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    assert "needs 2 more approvals" in steps(stage)
    for member in (0, 1):
        verify = stage.claim(Work.VERIFY, by=member)
        stage.vote(stage.find(verify, candidate, by=member), by=member)
    assert "has to decide for candidate" in steps(stage)


def test_sealed_votes_have_to_be_revealed() -> None:
    stage = scene(commit_reveal=True)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.commit(stage.find(stage.claim(Work.VERIFY), candidate), candidate)
    assert "1 sealed vote has to be revealed" in steps(stage)
    (vote,) = task_view(stage.state, moment(stage)).votes
    assert (vote.state, vote.vote, vote.counts) == ("committed", None, False)


def decided(stage: Scene) -> tuple[bytes, bytes]:
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    verify = stage.claim(Work.VERIFY)
    vote = stage.vote(stage.find(verify, candidate))
    return candidate, stage.decide(candidate, [vote])


def test_a_decision_has_to_be_signed_and_then_nothing_has_to() -> None:
    stage = scene(threshold=2)
    candidate, decision = decided(stage)
    assert "2 finalizers have to sign candidate" in steps(stage)
    stage.seal(candidate, decision, [0])
    assert "1 finalizer has to sign candidate" in steps(stage)
    shown = decision_view(stage.state, moment(stage), lambda _: b'{"answer": "42"}')
    assert not isinstance(shown, Rejection)
    assert (shown.finality and shown.finality.is_final) is False
    stage.seal(candidate, decision, [1], by=1)
    assert steps(stage) == ""
    view = task_view(stage.state, moment(stage))
    assert (view.task.state, view.task.decision) == ("final", candidate.hex())
    assert len(view.finality[0].signers) == 2


def test_an_expired_task_needs_nothing() -> None:
    stage = local_scene()
    late_ms = stage.state.terms.expires_at - stage.now_ms + 1
    assert steps(stage, late_ms) == ""
    assert task_view(stage.state, moment(stage, late_ms)).task.state == "expired"


def test_nothing_is_shown_as_decided_before_a_decision() -> None:
    stage = local_scene()
    shown = decision_view(stage.state, moment(stage), lambda _: None)
    assert isinstance(shown, Rejection)
    assert (shown.code, shown.details["state"]) == ("not_decided", "open")


def test_an_output_is_shown_where_it_is_json_and_here() -> None:
    stage = local_scene()
    decided(stage)
    text = decision_view(stage.state, moment(stage), lambda _: b"{}")
    assert not isinstance(text, Rejection)
    assert text.output_json is None, "the reference says text/plain"
    assert text.output.digest == ref().digest


def test_failed_findings_are_told_with_their_reasons() -> None:
    stage = local_scene()
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.find(stage.claim(Work.VERIFY), candidate, status=Status.FAILED, score_bp=0)
    (result,) = task_view(stage.state, moment(stage)).results
    assert (result.status, result.reasons) == ("failed", ("schema_invalid",))
    assert reason_word(31_337) == "31337"
