"""Finality is counted over signatures, and reads nothing else."""

from tests.laws.world import START_MS
from tests.support.scene import Scene, scene
from tests.support.second_signature import signed_again
from wattswarm.kernel import payloads
from wattswarm.kernel.event import Draft
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Carrier
from wattswarm.kernel.signature import is_valid
from wattswarm.kernel.task import TaskMachine
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting
from wattswarm.kernel.views import finality_equivocators, state_word

ONE, TWO = EventId(b"1" * 32), EventId(b"2" * 32)
DECISION, OTHER_DECISION = EventId(b"d" * 32), EventId(b"e" * 32)


def final(stage: Scene) -> EventId | None:
    """Return the candidate that the task is final with."""
    outcome = stage.state.outcome(stage.label)
    return None if outcome is None else outcome.candidate


def test_enough_distinct_finalizers_make_final_wherever_their_signatures_stand() -> None:
    stage = scene(4, threshold=3)
    stage.seal(ONE, DECISION, [0], by=3)
    stage.seal(ONE, DECISION, [0], by=0)
    stage.seal(ONE, DECISION, [1], by=3)
    assert final(stage) is None
    stage.seal(ONE, OTHER_DECISION, [2], by=3)
    assert final(stage) == ONE
    assert state_word(stage.state, 0) == "final"


def test_carriers_count_whatever_their_author_and_date() -> None:
    stage = scene(3, threshold=2)
    stage.seal(ONE, DECISION, [0], at_ms=0)
    expiry = stage.state.terms.expires_at
    stranger = type(stage.cast[0]).from_seed(bytes(32))
    stage.cast = [*stage.cast, stranger]
    stage.seal(ONE, DECISION, [1], by=3, at_ms=expiry + 10**9)
    assert final(stage) == ONE
    assert state_word(stage.state, expiry + 1) == "final"


def test_a_carrier_in_another_scope_or_epoch_or_under_another_pin_does_not_count() -> None:
    stage = scene(3, threshold=2)
    stage.seal(ONE, DECISION, [0])
    elsewhere = stage.seal(ONE, DECISION, [1], scope="group:elsewhere")
    assert stage.verdict(elsewhere) == Ignored("wrong_scope")
    fields = {**stage.said[-1].payload}
    next_epoch = stage.utter("DECISION_FINALIZED", fields, epoch=2)
    assert stage.verdict(next_epoch) == Waiting((Need(On.EPOCH, stage.pin, 2),))
    other_pin = stage.utter("DECISION_FINALIZED", {**fields, "pin": bytes(32)})
    assert stage.verdict(other_pin) == Ignored("wrong_pin")
    assert final(stage) is None


def test_signatures_of_others_and_wrong_ones_do_not_count() -> None:
    stage = scene(3, threshold=2)
    stranger = type(stage.cast[0]).from_seed(bytes(32))
    stage.cast = [*stage.cast, stranger]
    assert stage.verdict(stage.seal(ONE, DECISION, [3])) == Ignored("no_valid_signature")
    stage.seal(ONE, DECISION, [0, 1])
    signed_for_one = stage.said[-1].payload["sigs"]
    moved = payloads.DecisionFinalized(
        pin=stage.pin,
        candidate=TWO,
        decision=DECISION,
        sigs=tuple((node, signature) for node, signature in signed_for_one),
    )
    assert stage.verdict(stage.say(moved)) == Ignored("no_valid_signature")
    assert final(stage) == ONE


def test_one_valid_signature_makes_a_carrier_effective() -> None:
    stage = scene(3, threshold=2)
    stage.cast = [*stage.cast, type(stage.cast[0]).from_seed(bytes(32))]
    name = stage.seal(ONE, DECISION, [2, 3])
    assert stage.verdict(name) == Effective()
    assert stage.state.carriers[name].signers == (stage.cast[2].node_id,)


def test_signers_that_do_not_ascend_are_a_bad_field() -> None:
    stage = scene(3, threshold=2)
    stage.seal(ONE, DECISION, [0, 1])
    fields = {**stage.said[-1].payload}
    fields["sigs"] = list(reversed(fields["sigs"]))
    assert stage.verdict(stage.utter("DECISION_FINALIZED", fields)) == Ignored("bad_field")


def test_beyond_the_tolerated_equivocators_it_is_the_smaller_candidate_and_disputed() -> None:
    stage = scene(3, threshold=2)
    stage.seal(TWO, DECISION, [0, 1])
    assert final(stage) == TWO
    stage.seal(ONE, DECISION, [1, 2])
    outcome = stage.state.outcome(stage.label)
    assert outcome is not None
    assert (outcome.candidate, outcome.is_disputed) == (ONE, True)
    equivocators = finality_equivocators(stage.state)
    assert list(equivocators) == [(stage.label, stage.cast[1].node_id)]


def test_a_task_that_was_not_created_still_supplies_its_pin() -> None:
    stage = scene(3, threshold=2)
    outsider = type(stage.cast[0]).from_seed(bytes(32))
    draft = Draft(
        kind="TASK_CREATED",
        scope=stage.task.scope,
        lane_class=stage.task.lane_class,
        task_id=None,
        epoch=1,
        created_at=START_MS,
        payload=stage.task.payload,
    )
    stage.task = draft.unsigned(stage.network.network_id, outsider.node_id)
    assert stage.verdict(stage.task.event_id) == Ignored("missing_role")
    assert state_word(stage.state, START_MS) == "void"
    stage.seal(ONE, DECISION, [0, 1])
    assert final(stage) == ONE


def test_before_the_pin_is_known_signatures_wait_and_are_counted_then() -> None:
    stage = scene(3, threshold=2)
    name = stage.seal(ONE, DECISION, [0, 1])
    known = type(stage.governance)(stage.network.network_id)
    machine = TaskMachine(stage.task.event_id, known)
    machine.add([*stage.said, stage.task])
    assert machine.state.verdict(name) == Waiting((Need(On.VERSION, stage.pin),))
    machine.governance_changed(known.add(stage.network.carrier).versions)
    assert machine.state.outcomes[0].candidate == ONE


def test_the_decision_shown_is_the_one_that_finality_went_by() -> None:
    stage = scene(3, threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY), candidate))
    first, second = stage.decide(candidate, [vote]), stage.decide(candidate, [vote], by=1)
    assert stage.state.decision is not None
    assert stage.state.decision.event_id == first
    stage.seal(candidate, second, [0, 1])
    assert stage.state.decision.event_id == second


def test_the_decision_that_finality_went_by_is_told_by_signatures_for_the_outcome_alone() -> None:
    stage = scene(3, threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    vote = stage.vote(stage.find(stage.claim(Work.VERIFY), candidate))
    first, second = stage.decide(candidate, [vote]), stage.decide(candidate, [vote], by=1)
    for by in (0, 1):
        stage.seal(EventId(b"\xff" * 32), first, [by])
    stage.seal(candidate, second, [1, 2])
    assert final(stage) == candidate
    assert stage.state.decision is not None
    assert stage.state.decision.event_id == second


def test_a_carrier_is_written_with_what_it_carries_and_whose_signatures_are_valid() -> None:
    stage = scene(3, threshold=2)
    name = stage.seal(ONE, DECISION, [0, 1], by=2)
    assert stage.state.carriers[name] == Carrier(
        event_id=name,
        author=stage.cast[2].node_id,
        created_at=stage.now_ms,
        label=stage.label,
        candidate=ONE,
        decision=DECISION,
        signers=tuple(sorted(key.node_id for key in stage.cast[:2])),
    )


def test_of_two_valid_signatures_of_one_finalizer_the_smaller_is_kept_in_any_order() -> None:
    stage = scene(3, threshold=2)
    signed = finality_message(
        stage.network.network_id, stage.task.event_id, stage.label, ONE, DECISION
    )
    key = stage.cast[0]
    pair = sorted((key.sign(signed), signed_again(key, signed)))
    assert pair[0] != pair[1]
    assert all(is_valid(key.node_id, signed, signature) for signature in pair)
    for order in (pair, pair[::-1]):
        stage.said.clear()
        for signature in order:
            sigs = ((key.node_id, signature),)
            stage.say(
                payloads.DecisionFinalized(
                    pin=stage.pin, candidate=ONE, decision=DECISION, sigs=sigs
                )
            )
        assert list(stage.state.seals.values()) == pair[:1]
        assert stage.state.sealed == {(stage.label, ONE): 1}
