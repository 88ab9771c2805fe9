"""What statements leave of a task, as people read it."""

from tests.laws.world import START_MS
from tests.support.scene import Scene, scene
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.payloads import Work
from wattswarm.operations.voided import voided_story, voided_views


def say(stage: Scene, answer: Signings | Rejection, by: int) -> None:
    assert not isinstance(answer, Rejection), answer
    for each in answer:
        key = stage.cast[by]
        stage.governance.add(each.draft.unsigned(stage.network.network_id, key.node_id))


def test_a_revoked_event_is_told_with_all_that_depends_on_it() -> None:
    stage = scene(3, threshold=2)
    claim = stage.claim(Work.PROPOSE)
    candidate = stage.propose(claim)
    stage.find(stage.claim(Work.VERIFY, by=1), candidate, by=1)
    assert voided_views(stage.state, stage.governance) == ()
    for by in (0, 1):
        answer = decide.revoke(stage.governance, stage.cast[by], claim, START_MS, reason="forged")
        say(stage, answer, by)
    (view,) = voided_views(stage.state, stage.governance)
    assert (view.word, view.target, view.event_kind) == ("revoked", claim.hex(), "TASK_CLAIMED")
    assert (view.reason, view.events, view.dependents) == ("forged", 1, 2)
    (told,) = voided_story(stage.state, stage.governance)
    assert "was revoked by finalizers: forged. It has no effect, and 2 that depend on it." in told


def test_a_penalty_is_told_once_for_all_that_its_node_said() -> None:
    stage = scene(3, threshold=2)
    for number in (1, 2):
        stage.claim(Work.PROPOSE, by=2, executor=f"x{number}")
    node = stage.cast[2].node_id
    for by in (0, 1):
        say(
            stage,
            decide.penalize(stage.governance, stage.cast[by], node, START_MS, keep=frozenset()),
            by,
        )
    (view,) = voided_views(stage.state, stage.governance)
    assert (view.word, view.target, view.events) == ("penalized", node.hex(), 2)
    (told,) = voided_story(stage.state, stage.governance)
    assert "was penalized by finalizers. 2 events of its own have no effect." in told
