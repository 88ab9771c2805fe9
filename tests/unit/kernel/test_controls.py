"""Control words: whose word counts, which of them stands, and that they void nothing."""

import random

import pytest

from tests.laws.world import START_MS, keys
from tests.support.scene import CONTINUOUS, Scene, scene
from wattswarm.kernel.control import control_hash
from wattswarm.kernel.governance import Role
from wattswarm.kernel.payloads import ControlWord, Work
from wattswarm.kernel.records import Control
from wattswarm.kernel.rows import rows
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.task import TaskMachine, derive
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting, explain
from wattswarm.kernel.views import state_word

RESUMED, SUSPENDED = ControlWord.RESUMED, ControlWord.SUSPENDED
STOPPED, KILLED = ControlWord.STOPPED, ControlWord.KILLED


def word(stage: Scene) -> str:
    """Return the word for the task while it has not expired."""
    return state_word(stage.state, START_MS)


def quorum(stage: Scene, said: Control) -> Waiting:
    """Return the verdict on a content that too few have signed."""
    name = control_hash(stage.network.network_id, stage.task.event_id, said)
    return Waiting((Need(On.QUORUM, name),))


# --- whose word counts ----------------------------------------------------------------------------


@pytest.mark.parametrize("said", [STOPPED, SUSPENDED])
def test_the_creator_needs_no_signature(said: ControlWord) -> None:
    stage = scene(3, threshold=2)
    assert stage.verdict(stage.control(said)) == Effective()
    assert word(stage) == said.value
    stage.control(RESUMED, 2)
    assert word(stage) == "open"


def test_nobody_else_has_a_word_without_signatures() -> None:
    stage = scene(3, threshold=2)
    assert stage.verdict(stage.control(STOPPED, by=1)) == Ignored("not_creator")
    assert stage.verdict(stage.control(KILLED)) == Ignored("no_valid_signature")
    assert word(stage) == "open"


@pytest.mark.parametrize("said", list(ControlWord))
def test_finalizers_add_up_over_all_carriers_of_one_content(said: ControlWord) -> None:
    stage = scene(3, threshold=2)
    first = stage.control(said, 7, [1], by=1, reason="why")
    copy = stage.control(said, 7, [1], by=2, reason="why")
    waiting = quorum(stage, Control(said, 7, "why"))
    assert (stage.verdict(first), stage.verdict(copy)) == (waiting, waiting)
    assert "more finalizers to sign the same" in explain(waiting, stage.said[0])
    assert word(stage) == "open"
    second = stage.control(said, 7, [2], by=2, reason="why")
    assert {stage.verdict(name) for name in (first, copy, second)} == {Effective()}
    assert word(stage) == ("open" if said is RESUMED else said.value)


def test_signatures_over_another_number_or_reason_do_not_add_up() -> None:
    stage = scene(3, threshold=2)
    stage.control(KILLED, 1, [0], by=1)
    stage.control(KILLED, 2, [1], by=1)
    stage.control(KILLED, 1, [2], by=1, reason="another")
    assert word(stage) == "open"
    moved = stage.control(KILLED, 9, [0, 1], by=1, signed=Control(KILLED, 1, ""))
    assert stage.verdict(moved) == Ignored("no_valid_signature")
    of_a_stop = stage.control(KILLED, 1, [0, 1], by=1, signed=Control(STOPPED, 1, ""))
    assert stage.verdict(of_a_stop) == Ignored("no_valid_signature")
    assert word(stage) == "open"


def test_strangers_signatures_count_for_nothing() -> None:
    stage = scene(3, threshold=2)
    stage.cast = [*stage.cast, KeyPair.from_seed(bytes(32))]
    assert stage.verdict(stage.control(KILLED, 1, [3], by=1)) == Ignored("no_valid_signature")
    carried = stage.control(KILLED, 1, [0, 1], by=3)
    assert stage.verdict(carried) == Effective()


def test_the_creators_own_signature_counts_beside_its_word() -> None:
    stage = scene(3, threshold=2)
    stage.control(STOPPED, 1, [0])
    other = stage.control(STOPPED, 1, [1], by=1)
    assert stage.verdict(other) == Effective()
    assert stage.state.is_backed(Control(STOPPED, 1, ""))


def test_a_word_is_gathered_whatever_its_date_and_epoch() -> None:
    stage = scene(3, threshold=2)
    stage.control(SUSPENDED, at_ms=0)
    late = stage.control(KILLED, 1, [0, 1], at_ms=stage.state.terms.expires_at + 10**6)
    assert stage.verdict(late) == Effective()
    fields = dict(stage.said[-1].payload)
    assert stage.verdict(stage.utter("TASK_KILLED", fields, epoch=9)) == Effective()
    elsewhere = stage.utter("TASK_KILLED", fields, scope="group:elsewhere")
    assert stage.verdict(elsewhere) == Ignored("wrong_scope")


def test_before_the_pin_is_known_words_wait_and_are_counted_then() -> None:
    stage = scene(3, threshold=2)
    names = [stage.control(STOPPED, 1, [0]), stage.control(STOPPED, 1, [1], by=1)]
    known = type(stage.governance)(stage.network.network_id)
    machine = TaskMachine(stage.task.event_id, known)
    machine.add([*stage.said, stage.task])
    assert {machine.state.verdict(name) for name in names} == {
        Waiting((Need(On.VERSION, stage.pin),))
    }
    machine.governance_changed(known.add(stage.network.carrier).versions)
    assert rows(machine.state) == rows(stage.state)
    assert machine.state.is_backed(Control(STOPPED, 1, ""))


# --- which one stands -----------------------------------------------------------------------------


def test_a_kill_is_final() -> None:
    stage = scene(3, threshold=2)
    stage.control(KILLED, 1, [0, 1])
    stage.control(RESUMED, 2, [0, 1])
    stage.control(RESUMED, 3)
    assert word(stage) == "killed"
    assert state_word(stage.state, stage.state.terms.expires_at + 1) == "killed"


def test_backed_words_stand_before_the_creators_whatever_the_number() -> None:
    stage = scene(3, threshold=2)
    stage.control(RESUMED, 900)
    stage.control(SUSPENDED, 1, [0, 1], by=1)
    assert word(stage) == "suspended"
    stage.control(RESUMED, 2, [1, 2], by=1)
    assert word(stage) == "open"


def test_the_highest_number_stands_and_then_the_stricter_word() -> None:
    stage = scene(3)
    stage.control(SUSPENDED, 2)
    stage.control(STOPPED, 1)
    assert word(stage) == "suspended"
    stage.control(RESUMED, 2)
    assert word(stage) == "suspended"
    stage.control(STOPPED, 2)
    assert word(stage) == "stopped"


def test_the_words_for_a_task_come_in_their_order() -> None:
    stage = scene(3, threshold=2)
    after = stage.state.terms.expires_at + 1
    stage.control(SUSPENDED, 1)
    assert (word(stage), state_word(stage.state, after)) == ("suspended", "expired")
    stage.control(STOPPED, 2)
    assert (word(stage), state_word(stage.state, after)) == ("stopped", "stopped")
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    stage.seal(candidate, candidate, [0, 1])
    stage.control(KILLED, 3, [0, 1])
    assert word(stage) == "final"


# --- what they do not do --------------------------------------------------------------------------


def test_no_verdict_of_another_kind_changes() -> None:
    stage = scene(3, threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY), candidate))
    decision = stage.decide(candidate, [vote])
    stage.control(KILLED, 1, [0, 1])
    late = stage.claim(Work.PROPOSE, 1)
    state = stage.state
    assert {candidate, vote, decision, late} <= state.effective.keys()
    stage.seal(candidate, decision, [0, 1])
    assert word(stage) == "final", "what is signed is counted"


def test_any_order_and_any_part_first_gives_the_same() -> None:
    stage = scene(4, threshold=3)
    for number, said in enumerate(ControlWord):
        for signer in range(number + 1):
            stage.control(said, number, [signer], by=3)
    stage.control(STOPPED, 5)
    expected = rows(stage.state)
    rng = random.Random(1)
    for _ in range(20):
        events = [stage.task, *stage.said]
        rng.shuffle(events)
        part = derive(stage.task.event_id, events[:7], stage.governance)
        machine = TaskMachine.resume(part, stage.governance)
        machine.add(events)
        assert rows(machine.state) == expected
        assert part.effective.keys() <= machine.state.effective.keys()


def test_what_finalizers_of_a_later_pin_signed_counts_once_it_is_a_pin_of_the_task() -> None:
    stage = scene(3, threshold=2, **CONTINUOUS)
    heirs = keys(3, 9)
    pin = stage.govern(
        signers=[0, 1], members={key.node_id: frozenset(Role) for key in heirs[:2]}, threshold=2
    )
    stage.cast = [*stage.cast, *heirs]
    said = stage.control(KILLED, 1, [3, 4], by=1)
    assert stage.verdict(said) == Ignored("no_valid_signature")
    stage.control(SUSPENDED, 1, [3], by=1, signed=Control(STOPPED, 1, ""))
    stage.control(STOPPED, 9, [5], by=1)
    for by in (0, 1):
        stage.end_epoch(pin.id, signers=[0, 1], by=by)
    state = stage.state
    assert state.verdict(said) is None
    assert word(stage) == "killed"
    assert state.backers == {Control(KILLED, 1, ""): 2}, "a signature over another word is none"
