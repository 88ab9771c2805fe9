"""Epochs as people read them, with a quorum of several finalizers."""

from tests.laws.world import START_MS
from tests.support.scene import CONTINUOUS, Scene, local_scene, scene
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import ControlWord
from wattswarm.kernel.records import Label
from wattswarm.operations.epoch_view import SHOWN_MAX, epoch_story, epoch_views
from wattswarm.operations.next_steps import next_steps


def steps(stage: Scene, now_ms: int) -> str:
    return " / ".join(next_steps(stage.state, now_ms))


def test_signatures_for_the_end_of_an_epoch_are_counted_and_asked_for() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    assert "is over" not in steps(stage, START_MS + 1)
    assert "2 finalizers have to sign that epoch 1 is over" in steps(stage, stage.state.ends_at + 1)
    stage.end_epoch(signers=[1], at_ms=START_MS + 5)
    assert "1 finalizer has to sign that epoch 1 is over: `task end-epoch`" in steps(
        stage, START_MS + 6
    )
    (view,) = epoch_views(stage.state)
    (ending,) = view.endings
    assert (ending.missing, ending.signers) == (1, (stage.cast[1].node_id.hex(),))
    assert any("1 of 2 needed finalizers signed that" in line for line in epoch_story(stage.state))
    stage.end_epoch(signers=[2], at_ms=START_MS + 7)
    assert [each.is_newest for each in epoch_views(stage.state)] == [False, True]


def test_a_final_epoch_is_followed_by_another() -> None:
    stage = local_scene(**CONTINUOUS)
    stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0])
    assert "epoch 2 opens when finalizers end epoch 1, from" in steps(stage, START_MS + 9)
    assert "1 finalizer has to sign" in steps(stage, stage.state.ends_at + 1)
    (view,) = epoch_views(stage.state)
    assert view.candidate_id == "63" * 32


def test_a_stopped_task_needs_no_end_of_its_epoch() -> None:
    stage = local_scene(**CONTINUOUS)
    stage.control(ControlWord.STOPPED)
    assert "end-epoch" not in steps(stage, stage.state.ends_at + 1)


def test_a_stopped_task_is_resumed_first_though_its_epoch_is_final() -> None:
    stage = local_scene(**CONTINUOUS)
    stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0])
    stage.control(ControlWord.STOPPED)
    for at_ms in (START_MS, stage.state.ends_at + 1):
        assert steps(stage, at_ms) == "it is stopped: `task resume` has it worked on again"
    stage.control(ControlWord.KILLED, 2, [0])
    assert steps(stage, START_MS) == ""


def test_only_the_newest_epochs_are_shown() -> None:
    stage = local_scene(**CONTINUOUS)
    for number in range(1, SHOWN_MAX + 3):
        stage.entered = Label(number, stage.network.genesis.id)
        stage.end_epoch(at_ms=START_MS + number)
    views = epoch_views(stage.state)
    assert [each.epoch for each in views] == list(range(4, SHOWN_MAX + 4))


def test_a_task_of_one_epoch_tells_of_none() -> None:
    stage = local_scene()
    assert epoch_views(stage.state) == ()
    assert list(epoch_story(stage.state)) == []
