"""Reputation: what each verifier's vote on a final answer comes to, by task and epoch.

A contribution is a view of one task's events: for each verifier and epoch at most one, for a vote
that stands in decisions which enough finalizers signed for. It is judged by whether it agreed with
the outcome, and turned round when the settlement authority found the outcome bad within its window.
It is `due` when that window is over; until then it is only pending. What is disputed, or rests on
something that is no longer effective, contributes nothing.

A node's reputation is the exact sum of what is due: integers, so that no order of adding shows.
Nothing here changes a verdict. What a node says about its own failures is left out: it would be
paid for keeping silent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.contract import Settlement
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import BASIS_POINTS
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import Label, Outcome, Seal, Vote
from wattswarm.kernel.state import TaskState

UNITS: Final = 10_000
"""One point of reputation."""

AGREEMENT_UNITS: Final = 1_000
"""What agreeing with an outcome gives, and disagreeing takes, in quality."""

CONTRIBUTION_UNITS_MAX: Final = 100 * UNITS
"""What one vote may give or take, whatever its contract says: reputation is not for sale."""

SHOWN_UNITS_MAX: Final = 1_000_000 * UNITS
"""Sums are shown, and compared, within this; they are kept exactly."""


def bonus_units(settlement: Settlement, agreeing: int) -> int:
    """Return what an outcome that nobody complained about gives each verifier behind it.

    `weight · W · n / (n + K)`, each factor rounded down in units: it grows with the number n of
    verifiers who agreed, ever more slowly; half of `weight · W` is reached at K of them.

    Args:
        agreeing: Distinct verifiers whose paid votes agree with the outcome.
    """
    assert agreeing >= 0, agreeing
    weight = settlement.implicit_weight_bp * UNITS // BASIS_POINTS
    share = agreeing * UNITS // (agreeing + settlement.k)
    return min(weight * settlement.w * share // UNITS, CONTRIBUTION_UNITS_MAX)


def penalty_units(settlement: Settlement) -> int:
    """Return what an outcome that was found bad costs each verifier behind it."""
    return min(settlement.p * UNITS, CONTRIBUTION_UNITS_MAX)


def clamped(units: int) -> int:
    """Return a sum as it is shown."""
    return max(-SHOWN_UNITS_MAX, min(units, SHOWN_UNITS_MAX))


@attrs.frozen(kw_only=True)
class Contribution:
    """What one verifier's vote in one epoch of a task comes to; `stability`, `quality` in units.

    `is_bad`: the authority found the outcome bad. `provider` and `model` are those of the result
    that the vote rests on.
    """

    epoch: int
    node: NodeId
    label: Label
    candidate: EventId
    vote: EventId
    provider: str
    model: str
    agrees: bool
    is_bad: bool
    due_at: int
    stability: int
    quality: int


def contributions(state: TaskState) -> tuple[Contribution, ...]:
    """Return what the votes on a task's final outcomes come to, one per (epoch, verifier)."""
    made: dict[tuple[int, NodeId], Contribution] = {}
    for outcome in state.outcomes:  # by label: of two ends of one epoch the first is paid
        if not outcome.is_disputed:
            for each in _of_outcome(state, outcome):
                made.setdefault((each.epoch, each.node), each)
    return tuple(made.values())


def due_at(state: TaskState, label: Label) -> int:
    """Return when the settlement window of an epoch is over, in ms."""
    return state.expires_at(label.epoch) + state.terms.settlement.window_ms


def is_bad(state: TaskState, outcome: Outcome) -> bool:
    """Tell whether the authority found an outcome bad, by feedback dated within the window.

    The date is that of the authority's own event, which it alone could move.
    """
    first_ms = state.view(("complaints",), lambda: _complaints(state)).get(outcome.candidate)
    return first_ms is not None and first_ms <= due_at(state, outcome.label)


def _complaints(state: TaskState) -> Mapping[EventId, int]:
    """Return the earliest date of feedback on each candidate."""
    first: dict[EventId, int] = {}
    for said in state.feedback.values():
        date_ms = first.get(said.candidate, said.created_at)
        first[said.candidate] = min(date_ms, said.created_at)
    return first


def _of_outcome(state: TaskState, outcome: Outcome) -> Iterator[Contribution]:
    paid = _paid_votes(state, outcome)
    if not paid:
        return
    settlement = state.terms.settlement
    agreeing = sum(vote.ballot is Ballot.APPROVE for vote in paid)
    bad, end_ms = is_bad(state, outcome), due_at(state, outcome.label)
    for vote in paid:
        agrees = vote.ballot is Ballot.APPROVE
        stability, quality = _units(settlement, agreeing, agrees=agrees, bad=bad)
        result = state.results[vote.result]
        yield Contribution(
            epoch=outcome.label.epoch,
            node=vote.author,
            label=outcome.label,
            candidate=outcome.candidate,
            vote=vote.event_id,
            provider=result.provider,
            model=result.model,
            agrees=agrees,
            is_bad=bad,
            due_at=end_ms,
            stability=stability,
            quality=quality,
        )


def _units(settlement: Settlement, agreeing: int, *, agrees: bool, bad: bool) -> tuple[int, int]:
    """Return what a vote gives or takes: stability, and quality.

    Who agreed with a good outcome is rewarded, who agreed with a bad one pays. Who dissented has no
    part in the reward or the penalty, and was wrong, or was right.
    """
    match agrees, bad:
        case True, False:
            return bonus_units(settlement, agreeing), AGREEMENT_UNITS
        case True, True:
            return -penalty_units(settlement), -penalty_units(settlement)
        case _:
            return 0, AGREEMENT_UNITS if bad else -AGREEMENT_UNITS


def _paid_votes(state: TaskState, outcome: Outcome) -> Sequence[Vote]:
    """Return one vote for each verifier, of those that enough finalizers signed for.

    One that agrees comes first: somebody who voted both ways stands behind the outcome.
    """
    chosen: dict[NodeId, Vote] = {}
    for name in _backed_votes(state, outcome):
        vote = state.votes[name]
        held = chosen.get(vote.author, vote)
        chosen[vote.author] = min(held, vote, key=_preference)
    return sorted(chosen.values(), key=lambda each: each.author)


def _preference(vote: Vote) -> tuple[bool, EventId]:
    return vote.ballot is not Ballot.APPROVE, vote.event_id


def _backed_votes(state: TaskState, outcome: Outcome) -> Iterable[EventId]:
    """Return the votes that are listed by decisions which enough distinct finalizers signed for."""
    signers = sealing(state, outcome)
    enough = outcome.threshold
    backed = {
        name
        for decision, nodes in signers.items()
        if len(nodes) >= enough
        for name in state.decisions[decision].reveals
    }
    partly: dict[EventId, set[NodeId]] = {}
    for decision, nodes in signers.items():
        if len(nodes) < enough:
            for name in state.decisions[decision].reveals:
                partly.setdefault(name, set()).update(nodes)
    return backed | {name for name, nodes in partly.items() if len(nodes) >= enough}


def sealing(state: TaskState, outcome: Outcome) -> Mapping[EventId, frozenset[NodeId]]:
    """Return who signed an outcome by way of which effective decision for it."""
    signers: dict[EventId, set[NodeId]] = {}
    seals = state.view(("seals",), lambda: _seals(state))
    for seal in seals.get((outcome.label, outcome.candidate), ()):
        decision = state.decisions.get(seal.decision)
        if decision is not None and decision.candidate == outcome.candidate:
            signers.setdefault(seal.decision, set()).add(seal.signer)
    return {decision: frozenset(nodes) for decision, nodes in signers.items()}


def _seals(state: TaskState) -> Mapping[tuple[Label, EventId], Sequence[Seal]]:
    """Return the signatures of finality by what they are for."""
    found: dict[tuple[Label, EventId], list[Seal]] = {}
    for seal in state.seals:
        found.setdefault((seal.label, seal.candidate), []).append(seal)
    return found
