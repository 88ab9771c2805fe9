"""What votes on final answers come to: formulas, and who is paid for what."""

import random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scene import CONTINUOUS, Scene, scene
from wattswarm.kernel.contract import Settlement
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.records import Label
from wattswarm.kernel.reputation import (
    AGREEMENT_UNITS,
    CONTRIBUTION_UNITS_MAX,
    SHOWN_UNITS_MAX,
    UNITS,
    Contribution,
    bonus_units,
    clamped,
    contributions,
    penalty_units,
)
from wattswarm.kernel.task import derive

USUAL = Settlement(
    window_ms=1_000, implicit_weight_bp=1_000, w=10, k=50, p=3, authority=NodeId(bytes(32))
)
BIG = st.integers(0, 2**53 - 1)


@attrs.frozen
class Play:
    """A task of three members that is final, and the names in it."""

    stage: Scene
    candidate: EventId
    votes: tuple[EventId, ...]
    decision: EventId

    def paid(self) -> dict[int, Contribution]:
        """Return the contributions by member."""
        by = {key.node_id: index for index, key in enumerate(self.stage.cast)}
        return {by[each.node]: each for each in contributions(self.stage.state)}


def vote(stage: Scene, candidate: EventId, by: int, ballot: Ballot = Ballot.APPROVE) -> EventId:
    """Have a member vote, on a finding of its own."""
    status = Status.PASSED if ballot is Ballot.APPROVE else Status.FAILED
    claim = stage.claim(Work.VERIFY, by, executor=f"v{len(stage.said)}")
    return stage.vote(stage.find(claim, candidate, by, status=status), by, ballot)


def play(*ballots: Ballot, signers: int = 3, threshold: int = 2) -> Play:
    """Have members vote, one decision list all of it, and finalizers sign."""
    stage = scene(threshold=threshold)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    votes = [vote(stage, candidate, by, ballot) for by, ballot in enumerate(ballots)]
    decision = stage.decide(candidate, votes)
    stage.seal(candidate, decision, range(signers))
    return Play(stage, candidate, tuple(votes), decision)


# --- formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agreeing", "weight_bp", "units"),
    [(0, 1_000, 0), (1, 1_000, 196), (100, 1_000, 6_666), (1, 10_000, 1_960), (50, 1_000, 5_000)],
)
def test_the_bonus_is_half_of_what_it_can_be_at_k_verifiers(
    agreeing: int, weight_bp: int, units: int
) -> None:
    settlement = attrs.evolve(USUAL, implicit_weight_bp=weight_bp)
    assert bonus_units(settlement, agreeing) == units


def test_the_penalty_is_a_multiple_of_a_point() -> None:
    assert penalty_units(USUAL) == 3 * UNITS


@given(BIG, BIG, BIG, st.integers(1, 2**53 - 1), st.integers(0, 10_000))
def test_no_contract_sells_reputation(n: int, w: int, p: int, k: int, weight_bp: int) -> None:
    greedy = attrs.evolve(USUAL, w=w, p=p, k=k, implicit_weight_bp=weight_bp)
    assert 0 <= bonus_units(greedy, n) <= CONTRIBUTION_UNITS_MAX
    assert 0 <= penalty_units(greedy) <= CONTRIBUTION_UNITS_MAX
    assert bonus_units(greedy, n) <= bonus_units(greedy, n + 1)


def test_sums_are_clamped_only_when_they_are_shown() -> None:
    assert clamped(SHOWN_UNITS_MAX + 1) == SHOWN_UNITS_MAX
    assert clamped(-SHOWN_UNITS_MAX - 1) == -SHOWN_UNITS_MAX
    assert clamped(-5) == -5


# --- who is paid ----------------------------------------------------------------------------------


def test_who_agreed_with_the_outcome_is_rewarded_and_who_dissented_is_not() -> None:
    paid = play(Ballot.APPROVE, Ballot.APPROVE, Ballot.REJECT).paid()
    bonus = bonus_units(USUAL, 2)
    assert [(paid[by].stability, paid[by].quality) for by in range(3)] == [
        (bonus, AGREEMENT_UNITS),
        (bonus, AGREEMENT_UNITS),
        (0, -AGREEMENT_UNITS),
    ]


def test_a_contribution_is_due_when_the_window_after_the_expiry_is_over() -> None:
    made = play(Ballot.APPROVE)
    terms = made.stage.state.terms
    (entry,) = made.paid().values()
    assert entry.due_at == terms.expires_at + terms.settlement.window_ms
    assert (entry.provider, entry.model) == ("a provider", "a model")


def test_bad_feedback_turns_it_round() -> None:
    made = play(Ballot.APPROVE, Ballot.APPROVE, Ballot.REJECT)
    made.stage.complain(made.candidate)
    paid = made.paid()
    assert all(each.is_bad for each in paid.values())
    assert [(paid[by].stability, paid[by].quality) for by in range(3)] == [
        (-3 * UNITS, -3 * UNITS),
        (-3 * UNITS, -3 * UNITS),
        (0, AGREEMENT_UNITS),
    ]


def test_feedback_after_the_window_stands_in_the_log_and_turns_nothing() -> None:
    made = play(Ballot.APPROVE)
    before = made.paid()
    made.stage.complain(made.candidate, at_ms=before[0].due_at + 1)
    assert made.paid() == before
    made.stage.complain(made.candidate, at_ms=before[0].due_at)
    assert made.paid()[0].is_bad


def test_feedback_on_another_candidate_turns_nothing() -> None:
    made = play(Ballot.APPROVE)
    other = made.stage.propose(made.stage.claim(Work.PROPOSE, executor="other"))
    made.stage.complain(other)
    assert not made.paid()[0].is_bad


def test_a_verifier_is_paid_once_however_often_it_voted() -> None:
    stage = scene(threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    votes = [vote(stage, candidate, 1), vote(stage, candidate, 1), vote(stage, candidate, 2)]
    decisions = [stage.decide(candidate, votes, by=by) for by in (0, 1)]
    for decision in decisions:
        stage.seal(candidate, decision, [0, 1, 2])
    found = contributions(stage.state)
    assert sorted(each.node for each in found) == sorted(stage.cast[by].node_id for by in (1, 2))
    assert {each.stability for each in found} == {bonus_units(USUAL, 2)}


def test_who_voted_both_ways_stands_behind_the_outcome() -> None:
    stage = scene(threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    votes = [vote(stage, candidate, 1, Ballot.REJECT), vote(stage, candidate, 1)]
    stage.seal(candidate, stage.decide(candidate, votes), [0, 1])
    (entry,) = contributions(stage.state)
    assert entry.agrees


def test_votes_that_no_signed_decision_lists_are_not_paid() -> None:
    made = play(Ballot.APPROVE)
    vote(made.stage, made.candidate, 2)
    assert list(made.paid()) == [0]


def test_too_few_signatures_for_a_list_pay_nobody() -> None:
    made = play(Ballot.APPROVE, signers=1)
    assert made.paid() == {}


def test_a_vote_counts_signers_over_all_decisions_that_list_it() -> None:
    stage = scene(threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE))
    both, only = vote(stage, candidate, 1), vote(stage, candidate, 2)
    stage.seal(candidate, stage.decide(candidate, [both, only], by=0), [0])
    stage.seal(candidate, stage.decide(candidate, [both], by=1), [1])
    assert [each.vote for each in contributions(stage.state)] == [both]


def test_a_disputed_epoch_pays_nobody() -> None:
    made = play(Ballot.APPROVE)
    stage = made.stage
    other = stage.propose(stage.claim(Work.PROPOSE, executor="other"))
    decision = stage.decide(other, [vote(stage, other, 1)], by=1)
    stage.seal(other, decision, [0, 1, 2])
    assert made.paid() == {}


def test_a_decision_for_another_candidate_pays_nobody() -> None:
    made = play(Ballot.APPROVE, signers=0)
    stage = made.stage
    other = stage.propose(stage.claim(Work.PROPOSE, executor="other"))
    stage.seal(other, made.decision, [0, 1, 2])
    assert made.paid() == {}


@given(st.randoms(use_true_random=False))
def test_no_order_of_events_shows_in_the_sums(rng: random.Random) -> None:
    made = play(Ballot.APPROVE, Ballot.REJECT)
    made.stage.complain(made.candidate)
    expected = contributions(made.stage.state)
    events = [made.stage.task, *made.stage.said]
    rng.shuffle(events)
    state = derive(made.stage.task.event_id, events, made.stage.governance)
    assert contributions(state) == expected


@given(st.lists(st.integers(0, 2), unique=True), st.lists(st.integers(0, 2), unique=True))
def test_more_signatures_pay_no_fewer(some: list[int], others: list[int]) -> None:
    fewer, more = (
        play(Ballot.APPROVE, Ballot.REJECT, signers=0),
        play(Ballot.APPROVE, Ballot.REJECT, signers=0),
    )
    fewer.stage.seal(fewer.candidate, fewer.decision, some)
    more.stage.seal(more.candidate, more.decision, some)
    more.stage.seal(more.candidate, more.decision, others)
    assert set(fewer.paid()) <= set(more.paid())


# --- several epochs, and what statements leave of them --------------------------------------------


def final_epoch(stage: Scene, by: int) -> EventId:
    """Have a candidate of the epoch that is spoken of made final with one vote; return it."""
    candidate = stage.propose(stage.claim(Work.PROPOSE, executor=f"p{len(stage.said)}"))
    decision = stage.decide(candidate, [vote(stage, candidate, by)])
    stage.seal(candidate, decision, [0, 1, 2])
    return candidate


def two_epochs() -> tuple[Scene, EventId, EventId]:
    """Return a continuous task with two final epochs, and their candidates."""
    stage = scene(threshold=2, **CONTINUOUS)
    first = final_epoch(stage, 1)
    stage.end_epoch(signers=[0, 1])
    stage.entered = Label(2, stage.pin)
    return stage, first, final_epoch(stage, 1)


def test_a_verifier_is_paid_once_for_each_epoch() -> None:
    stage, first, second = two_epochs()
    found = sorted(contributions(stage.state), key=lambda each: each.epoch)
    assert [(each.epoch, each.candidate) for each in found] == [(1, first), (2, second)]
    assert len({each.node for each in found}) == 1
    window_ms = stage.state.terms.settlement.window_ms
    assert [each.due_at for each in found] == [
        stage.state.expires_at(epoch) + window_ms for epoch in (1, 2)
    ]


def test_feedback_on_one_epoch_leaves_the_others() -> None:
    stage, first, _ = two_epochs()
    stage.entered = Label(1, stage.pin)
    stage.complain(first)
    found = sorted(contributions(stage.state), key=lambda each: each.epoch)
    assert [each.is_bad for each in found] == [True, False]


def test_of_two_ends_of_one_epoch_one_is_paid() -> None:
    stage = scene(threshold=2, **CONTINUOUS)
    other = stage.govern([0, 1], effective_at=stage.now_ms)
    for pin in (stage.pin, other.id):
        stage.end_epoch(pin, signers=[0, 1])
    pins = sorted((stage.pin, other.id))
    for pin in pins:
        stage.entered = Label(2, pin)
        final_epoch(stage, 1)
    assert len(stage.state.outcomes) == 2
    assert [each.label for each in contributions(stage.state)] == [Label(2, pins[0])]
