"""Ending an epoch: who does it, when, and under which governance version the next one is opened."""

from tests.laws.world import START_MS
from tests.support.scene import CONTINUOUS, LEASE_MS, Scene, local_scene, scene
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.duty import ExecutorOffer, due
from wattswarm.kernel.duty.kinds import EndEpoch
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import RULES_VERSION, Role
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.lock import LockKind, epoch_key, opened_at
from wattswarm.kernel.payloads import ControlWord
from wattswarm.kernel.records import Label

X = ExecutorOffer(name="x")


def end(
    stage: Scene, by: int, at_ms: int | None = None, *, is_ordered: bool = False
) -> Signings | Rejection:
    """Have a member end the newest epoch, by default just after it expired."""
    at_ms = stage.state.ends_at + 1 if at_ms is None else at_ms
    return decide.end_epoch(
        stage.state, stage.cast[by], stage.governance, at_ms, is_ordered=is_ordered
    )


def code(answer: Signings | Rejection) -> str:
    """Return why an epoch is not ended."""
    assert isinstance(answer, Rejection)
    return answer.code


def append(stage: Scene, answer: Signings | Rejection, by: int) -> None:
    """Have the events in the log."""
    assert not isinstance(answer, Rejection), answer
    for each in answer:
        stage.said.append(each.draft.sign(stage.network.network_id, stage.cast[by]))


def in_turn(stage: Scene) -> list[int]:
    """Return the members in the order of their turns."""
    key = epoch_key(stage.task.event_id, *stage.state.here)
    turns = drafters(key, stage.state.governing.finalizers)
    return [[key.node_id for key in stage.cast].index(node) for node in turns]


def test_an_epoch_ends_when_it_has_expired_and_the_next_is_as_long() -> None:
    stage = local_scene(**CONTINUOUS)
    assert code(end(stage, 0, stage.state.ends_at)) == "too_early"
    append(stage, end(stage, 0), 0)
    assert stage.state.label == Label(2, stage.pin)
    assert stage.state.ends_at > START_MS + 2 * (stage.state.terms.expires_at - START_MS)


def test_one_drafts_and_the_others_join() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    first, second, third = in_turn(stage)
    assert code(end(stage, second)) == "not_the_drafter"
    append(stage, end(stage, first), first)
    assert stage.state.here.epoch == 1
    assert code(end(stage, first)) == "already_signed"
    answer = end(stage, third)
    append(stage, answer, third)
    assert stage.state.here.epoch == 2


def test_the_lock_is_on_the_pin_that_follows() -> None:
    stage = local_scene(**CONTINUOUS)
    answer = end(stage, 0)
    assert not isinstance(answer, Rejection)
    (lock,) = answer[0].locks
    key = epoch_key(stage.task.event_id, 1, stage.pin)
    assert (lock.kind, lock.key, lock.value) == (LockKind.EPOCH_END, key, stage.pin)


def test_the_next_epoch_runs_under_the_newest_version_in_effect() -> None:
    stage = local_scene(**CONTINUOUS)
    at_ms = stage.state.ends_at + 1
    newest = stage.govern(params={"x": 1}, effective_at=at_ms)
    stage.govern(params={"x": 2}, effective_at=at_ms + 1)
    append(stage, end(stage, 0, at_ms), 0)
    assert stage.state.here == Label(2, newest.id)


def test_who_joins_signs_what_was_begun_though_there_is_a_newer_version() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    first, second, _ = in_turn(stage)
    append(stage, end(stage, first), first)
    stage.govern(signers=[0, 1], params={"x": 1})
    append(stage, end(stage, second), second)
    assert stage.state.here == Label(2, stage.pin)


def test_an_operator_ends_an_epoch_before_its_time_and_out_of_turn() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    _, second, third = in_turn(stage)
    append(stage, end(stage, second, START_MS + 5, is_ordered=True), second)
    append(stage, end(stage, third, START_MS + 6, is_ordered=True), third)
    assert stage.state.here.epoch == 2


def test_what_has_no_next_epoch_is_refused() -> None:
    assert code(end(local_scene(), 0)) == "one_epoch"
    stage = scene(3, threshold=2, **CONTINUOUS)
    stage.control(ControlWord.STOPPED)
    assert code(end(stage, 0)) == "task_not_open"


def test_a_task_that_is_halted_has_no_next_epoch_though_this_one_is_final() -> None:
    for word in (ControlWord.STOPPED, ControlWord.SUSPENDED, ControlWord.KILLED):
        stage = local_scene(**CONTINUOUS)
        stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0])
        stage.control(word, signers=[0])
        assert code(end(stage, 0)) == "task_not_open", word
        found = due(stage.state, stage.cast[0], [X], stage.state.ends_at + 1)
        assert found.duties == ()


def test_a_task_that_goes_on_has_a_next_epoch_again() -> None:
    stage = local_scene(**CONTINUOUS)
    stage.control(ControlWord.SUSPENDED)
    assert code(end(stage, 0)) == "task_not_open"
    stage.control(ControlWord.RESUMED, 2)
    assert not isinstance(end(stage, 0), Rejection)


def test_only_a_finalizer_of_the_pin_ends_an_epoch() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    heir = stage.cast[2].node_id
    alone = stage.govern(signers=[0, 1], members={heir: frozenset(Role)}, threshold=1)
    for by in (0, 1):
        stage.end_epoch(alone.id, signers=[0, 1], by=by, at_ms=START_MS + 5)
    assert code(end(stage, 0)) == "missing_role"
    assert not isinstance(end(stage, 2), Rejection)


def test_nothing_is_signed_for_an_epoch_under_rules_that_are_not_known_here() -> None:
    stage = local_scene(**CONTINUOUS)
    newer = stage.govern(rules_version=RULES_VERSION + 1)
    stage.end_epoch(newer.id, at_ms=START_MS + 5)
    assert stage.state.here == Label(2, newer.id)
    assert code(end(stage, 0)) == "unsupported_rules"


def test_nobody_joins_an_end_that_another_than_the_first_began_under_a_stale_pin() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    first, second, third = in_turn(stage)
    stage.end_epoch(signers=[third], by=third)
    head = stage.govern(signers=[0, 1], params={"x": 1}, effective_at=START_MS)
    assert code(end(stage, second)) == "not_the_drafter"
    append(stage, end(stage, first), first)
    append(stage, end(stage, second), second)
    assert stage.state.label == Label(2, head.id)


def test_nobody_ends_an_epoch_whose_opening_was_only_copied() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    stage.end_epoch(signers=[0, 1], by=0, at_ms=START_MS + 5)
    first = in_turn(stage)[0]
    assert code(end(stage, first)) == "too_early"
    stage.end_epoch(signers=[0, 1], by=1, at_ms=START_MS + 6)
    assert not isinstance(end(stage, first), Rejection)


# --- as a duty ------------------------------------------------------------------------------------


def test_a_finalizer_is_woken_when_the_epoch_expires_and_ends_it() -> None:
    stage = local_scene(**CONTINUOUS)
    stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0])
    me = stage.cast[0]
    roster = due(stage.state, me, [X], stage.now_ms, governance=stage.governance)
    assert (roster.duties, roster.wake_at_ms) == ((), stage.state.ends_at + 1)
    over = due(stage.state, me, [X], stage.state.ends_at + 1, governance=stage.governance)
    (duty,) = over.duties
    assert isinstance(duty, EndEpoch)
    assert duty.signings[0].draft.payload["reason"] == "finalized"
    append(stage, duty.signings, 0)
    again = due(stage.state, me, [X], stage.now_ms + LEASE_MS, governance=stage.governance)
    assert [each.key[0] for each in again.duties] == ["claim"]


def test_an_epoch_under_a_stale_pin_is_ended_though_nobody_works_on_it() -> None:
    stage = local_scene(**CONTINUOUS)
    newest = stage.govern(params={"x": 1}, effective_at=0)
    me = stage.cast[0]
    at_ms = START_MS + 60_000
    assert due(stage.state, me, [X], at_ms, governance=stage.governance).duties == ()
    (duty,) = due(stage.state, me, [X], stage.state.ends_at + 1, governance=stage.governance).duties
    append(stage, duty.signings, 0)
    assert stage.state.here.pin == Digest(newest.id)


def test_a_signature_tells_when_the_epoch_was_opened_that_it_is_for() -> None:
    stage = local_scene(**CONTINUOUS)
    first = end(stage, 0)
    assert not isinstance(first, Rejection)
    assert opened_at(first) == stage.state.created_at
    append(stage, first, 0)
    second = end(stage, 0)
    assert not isinstance(second, Rejection)
    assert opened_at(second) == stage.state.opened_at(Label(2, stage.pin)) > stage.state.created_at
    assert opened_at((*second, *first)) == stage.state.created_at
    assert opened_at(()) is None
