"""Epochs: how one ends and the next is opened, and that nothing is cleared by that."""

from itertools import permutations

import pytest

from tests.laws.world import START_MS, keys
from tests.support.scene import CONTINUOUS, Scene, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.epoch import epoch_end_hash, epoch_end_message
from wattswarm.kernel.governance import Role
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.limits import EPOCH_MAX
from wattswarm.kernel.payloads import ControlWord, Work
from wattswarm.kernel.records import Control, Label
from wattswarm.kernel.rows import rows
from wattswarm.kernel.task import TaskMachine, derive, extend
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting
from wattswarm.kernel.views import state_word

HOUR_MS = 3_600_000


def continuous(members: int = 3, **terms: object) -> Scene:
    """Return a task of many epochs, which two of three finalizers end."""
    return scene(members, threshold=2, **{**CONTINUOUS, **terms})


def with_outsider() -> Scene:
    """Return such a task, with a fourth who is no finalizer."""
    stage = continuous()
    stage.cast = (*stage.cast, *keys(1, 99))
    return stage


def quorum(stage: Scene, next_pin: Digest) -> Waiting:
    """Return the verdict on an end that too few have signed."""
    name = epoch_end_hash(stage.network.network_id, stage.task.event_id, stage.label, next_pin)
    return Waiting((Need(On.QUORUM, name),))


def enter(stage: Scene, epoch: int = 2, pin: Digest | None = None) -> None:
    """Speak of another epoch from now on."""
    stage.entered = Label(epoch, stage.pin if pin is None else pin)


def candidate(stage: Scene, by: int = 0) -> EventId:
    """Propose something in the epoch that is spoken of."""
    return stage.propose(stage.claim(Work.PROPOSE, by), by)


# --- opening --------------------------------------------------------------------------------------


def test_an_epoch_is_opened_by_a_quorum_over_all_carriers() -> None:
    stage = continuous()
    first = stage.end_epoch(signers=[0])
    assert stage.verdict(first) == quorum(stage, stage.pin)
    assert stage.state.label == Label(1, stage.pin)
    second = stage.end_epoch(signers=[1], by=2)
    assert (stage.verdict(first), stage.verdict(second)) == (Effective(), Effective())
    assert stage.state.label == Label(2, stage.pin)


def test_a_task_of_one_epoch_has_no_other() -> None:
    stage = scene(3, threshold=2)
    assert stage.verdict(stage.end_epoch(signers=[0, 1])) == Ignored("wrong_epoch")
    enter(stage)
    assert stage.verdict(stage.claim(Work.PROPOSE)) == Ignored("wrong_epoch")


def test_only_finalizers_of_the_pin_count_each_once() -> None:
    stage = with_outsider()
    alone = stage.end_epoch(signers=[0, 3])
    again = stage.end_epoch(signers=[0], by=1)
    assert stage.verdict(alone) == stage.verdict(again) == quorum(stage, stage.pin)
    assert stage.verdict(stage.end_epoch(signers=[3])) == Ignored("no_valid_signature")


def test_a_carrier_of_no_valid_signature_is_ignored() -> None:
    stage = continuous()
    stage.entered = Label(1, stage.pin)
    other = stage.end_epoch(Digest(b"v" * 32), signers=[])
    assert stage.verdict(other) == Ignored("no_valid_signature")


def test_the_next_epoch_waits_for_a_pin_that_is_no_valid_version_yet() -> None:
    stage = continuous()
    unknown = Digest(b"v" * 32)
    end = stage.end_epoch(unknown, signers=[0, 1])
    assert stage.verdict(end) == Waiting((Need(On.VERSION, unknown),))
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add([stage.task])
    version = stage.govern(signers=[0, 1], params={"x": 1})
    late = stage.end_epoch(version.id, signers=[0, 1])
    machine.add(stage.said)
    assert machine.state.verdict(late) is None
    assert machine.state.label == Label(2, version.id)


def test_all_carriers_of_an_end_wait_for_what_is_to_follow() -> None:
    stage = continuous()
    unknown = Digest(b"v" * 32)
    ends = [stage.end_epoch(unknown, signers=[by], by=by) for by in (0, 1)]
    for name in ends:
        assert stage.verdict(name) == Waiting((Need(On.VERSION, unknown),))


def test_an_epoch_that_is_not_open_is_waited_for() -> None:
    stage = continuous()
    enter(stage)
    claim = stage.claim(Work.PROPOSE)
    assert stage.verdict(claim) == Waiting((Need(On.EPOCH, b"", 2),))
    seal = stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0, 1])
    assert stage.verdict(seal) == Waiting((Need(On.EPOCH, stage.pin, 2),))
    stage.entered = None
    stage.end_epoch(signers=[0, 1], at_ms=START_MS + 1)
    assert stage.verdict(claim) == stage.verdict(seal) == Effective()


def test_two_ends_of_one_epoch_are_two_labels() -> None:
    stage = continuous()
    other = stage.govern(signers=[0, 1], params={"x": 1})
    stage.end_epoch(signers=[0, 1])
    stage.end_epoch(other.id, signers=[1, 2])
    assert stage.state.label == Label(2, min(stage.pin, other.id))
    for pin in (stage.pin, other.id):
        enter(stage, 2, pin)
        assert stage.verdict(candidate(stage)) == Effective()
        assert stage.verdict(stage.seal(EventId(pin), EventId(pin), [0, 2])) == Effective()
    assert {outcome.candidate for outcome in stage.state.outcomes} == {
        stage.network.genesis.id,
        other.id,
    }


# --- what belongs where ---------------------------------------------------------------------------


def test_an_event_belongs_to_the_epoch_of_what_it_names() -> None:
    stage = continuous()
    claim = stage.claim(Work.PROPOSE)
    stage.end_epoch(signers=[0, 1])
    enter(stage)
    assert stage.verdict(stage.propose(claim)) == Ignored("wrong_epoch", claim)
    stage.entered = None
    assert stage.verdict(stage.propose(claim)) == Effective()


def test_an_older_epoch_may_become_final_later() -> None:
    stage = continuous()
    stage.end_epoch(signers=[0, 1])
    stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0, 1])
    assert stage.state.outcome(Label(1, stage.pin)) is not None
    assert state_word(stage.state, START_MS + 2) == "open"


def test_roles_of_an_epoch_are_those_of_its_pin() -> None:
    stage = continuous()
    founder = stage.cast[0].node_id
    alone = stage.govern(signers=[0, 1], members={founder: frozenset(Role)}, threshold=1)
    stage.end_epoch(alone.id, signers=[0, 1])
    enter(stage, 2, alone.id)
    assert stage.verdict(stage.claim(Work.PROPOSE, 1)) == Ignored("missing_role")
    assert stage.verdict(stage.claim(Work.PROPOSE, 0)) == Effective()
    stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0])
    assert stage.state.outcome(stage.label) is not None


def test_attempts_begin_anew_in_each_epoch() -> None:
    stage = continuous()
    stage.retry(1)
    assert stage.state.attempt == 2
    stage.end_epoch(signers=[0, 1])
    assert stage.state.attempt == 1
    enter(stage)
    assert stage.verdict(stage.claim(Work.PROPOSE, attempt=2)) == Waiting(
        (Need(On.ATTEMPT, stage.pin, 2, 2),)
    )


def test_an_earlier_snapshot_goes_on_whatever_its_machine_found_out_since() -> None:
    stage = continuous()
    opening = stage.end_epoch(signers=[0, 1])
    enter(stage)
    stage.end_epoch(signers=[0])
    begun = stage.said[-1]
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add([stage.task, begun])
    before = machine.state
    assert before.verdict(begun.event_id) == Waiting((Need(On.EPOCH, stage.pin, 2),))
    machine.add(stage.said)
    later = extend(before, [event for event in stage.said if event.event_id == opening])
    assert later.ending == machine.state.ending
    assert group_digest(rows(later)) == group_digest(rows(machine.state))


# --- how long it lasts ----------------------------------------------------------------------------


def test_an_epoch_lasts_as_long_as_the_first_from_when_enough_finalizers_carried_its_opening() -> (
    None
):
    stage = continuous()
    at_ms = START_MS + 10 * HOUR_MS
    stage.end_epoch(signers=[0, 1], at_ms=at_ms + 5)
    assert stage.state.ends_at == stage.state.terms.expires_at
    stage.end_epoch(signers=[0, 1], by=1, at_ms=at_ms)
    assert stage.state.ends_at == at_ms + stage.state.terms.expires_at - START_MS
    enter(stage)
    over = stage.state.ends_at + 1
    claim = stage.claim(Work.PROPOSE, at_ms=over)
    assert stage.verdict(claim) == Ignored("after_expiry")
    stage.entered = None
    stage.end_epoch(signers=[0, 1], by=1, at_ms=at_ms + 1)
    assert stage.verdict(claim) == Effective()


def test_one_finalizer_makes_no_epoch_last_longer() -> None:
    stage = scene(4, threshold=3, **CONTINUOUS)
    for by in (0, 1, 2):
        stage.end_epoch(signers=[0, 1, 2], by=by, at_ms=START_MS + HOUR_MS)
    before = stage.state.ends_at
    for day in range(1, 4):
        stage.end_epoch(signers=[0, 1, 2], by=3, at_ms=START_MS + day * 24 * HOUR_MS)
    assert stage.state.ends_at == before


def test_no_epoch_is_opened_before_its_task_is_created() -> None:
    stage = continuous()
    for by in (0, 1):
        stage.end_epoch(signers=[0, 1], by=by, at_ms=1)
    assert stage.state.opened_at(Label(2, stage.pin)) == stage.state.created_at


def test_nobody_else_makes_an_epoch_last_longer() -> None:
    stage = with_outsider()
    for by in (0, 1):
        stage.end_epoch(signers=[0, 1], by=by, at_ms=START_MS + HOUR_MS)
    before = stage.state.ends_at
    copied = stage.end_epoch(signers=[0, 1], by=3, at_ms=START_MS + 9 * HOUR_MS)
    assert stage.verdict(copied) == Effective()
    assert stage.state.ends_at == before


# --- control words --------------------------------------------------------------------------------


def test_finalizers_of_a_later_pin_back_control_words_whenever_those_came() -> None:
    stage = continuous()
    heir = stage.cast[2].node_id
    handed = stage.govern(signers=[0, 1], members={heir: frozenset(Role)}, threshold=1)
    kill = stage.control(ControlWord.KILLED, signers=[2])
    assert stage.verdict(kill) != Effective()
    stage.end_epoch(handed.id, signers=[0, 1])
    assert stage.verdict(kill) == Effective()
    assert stage.state.is_backed(Control(ControlWord.KILLED, 1, ""))


def test_any_order_comes_to_the_same() -> None:
    stage = continuous()
    other = stage.govern(signers=[0, 1], params={"x": 1})
    stage.end_epoch(other.id, signers=[0])
    stage.end_epoch(other.id, signers=[1], by=1)
    enter(stage, 2, other.id)
    candidate(stage)
    stage.control(ControlWord.STOPPED, signers=[0, 2])
    expected = group_digest(rows(stage.state))
    for order in permutations([stage.task, *stage.said]):
        state = derive(stage.task.event_id, order, stage.governance)
        assert group_digest(rows(state)) == expected


def test_an_end_is_named_by_a_hash_of_what_is_signed() -> None:
    stage = continuous()
    about = (stage.network.network_id, stage.task.event_id, stage.label, stage.pin)
    assert epoch_end_hash(*about) == digest(Context.EPOCH_END, epoch_end_message(*about))


def test_a_finalizers_signature_over_something_else_ends_nothing() -> None:
    stage = continuous()
    stage.end_epoch(signers=[0, 1])
    sigs = tuple((node, signature) for node, signature in stage.said[-1].payload["sigs"])
    other = stage.govern(signers=[0, 1], params={"x": 1})
    moved = payloads.EpochEnded(pin=stage.pin, next_pin=other.id, reason="over", sigs=sigs)
    assert stage.verdict(stage.say(moved)) == Ignored("no_valid_signature")
    assert stage.state.label == Label(2, stage.pin)


@pytest.mark.parametrize("epoch", [0, EPOCH_MAX])
def test_epochs_that_are_none_do_not_end(epoch: int) -> None:
    stage = continuous()
    stage.end_epoch(signers=[0, 1])
    fields = {**stage.said[-1].payload}
    assert stage.verdict(stage.utter("EPOCH_ENDED", fields, epoch=epoch)) == Ignored("wrong_epoch")


def test_the_first_epoch_has_one_pin() -> None:
    stage = continuous()
    stage.end_epoch(signers=[0, 1])
    fields = {**stage.said[-1].payload, "pin": bytes(32)}
    assert stage.verdict(stage.utter("EPOCH_ENDED", fields)) == Ignored("wrong_pin")


def test_a_finalizer_that_carries_an_end_twice_did_so_on_the_later_date() -> None:
    stage = continuous()
    for by, at_ms in ((0, START_MS + 90), (0, START_MS + 50), (1, START_MS + 70)):
        stage.end_epoch(signers=[0, 1], by=by, at_ms=at_ms)
    label = Label(1, stage.pin)
    dates = [stage.state.carried[label, stage.pin, key.node_id] for key in stage.cast[:2]]
    assert dates == [START_MS + 90, START_MS + 70]
    assert stage.state.openings[Label(2, stage.pin)] == START_MS + 70


def test_an_epoch_that_two_pins_led_to_was_opened_at_the_later_date() -> None:
    stage = continuous()
    one, two, last = (stage.govern(signers=[0, 1], params={"x": number}) for number in range(3))
    for pin in (one, two):
        stage.end_epoch(pin.id, signers=[0, 1])
    for pin, at_ms in ((one, START_MS + 900), (two, START_MS + 500)):
        enter(stage, 2, pin.id)
        for by in (0, 1):
            stage.end_epoch(last.id, signers=[0, 1], by=by, at_ms=at_ms)
    assert stage.state.openings[Label(3, last.id)] == START_MS + 900
    assert stage.state.opened[3] == START_MS + 900
