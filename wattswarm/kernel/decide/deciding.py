"""Deciding: for which candidate, by whom, and from when on."""

from collections.abc import Mapping, Sequence

from wattswarm.kernel.allocation import Allocation, Place, PlaceState, allocation
from wattswarm.kernel.budget import usage
from wattswarm.kernel.choice import Choice, choices, deciders, standing_decision, turn_at
from wattswarm.kernel.decide.gate import Signings, draft, effective, locked, not_workable, refuse
from wattswarm.kernel.decide.in_vain import has_decided_in_vain
from wattswarm.kernel.decide.voting import called_for
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.lock import LockKind, epoch_key
from wattswarm.kernel.payloads import DecisionCommitted, Work
from wattswarm.kernel.state import TaskState


def decision(
    state: TaskState, me: NodeId, now_ms: int, *, summary: str | None = None
) -> Signings | Rejection:
    """Return the decision for the best candidate, if it is this node's turn and time to decide."""
    refusal = not_workable(state, now_ms)
    if refusal is not None:
        return refusal
    if me not in deciders(state):
        return refuse("not_the_decider")
    if standing_decision(state, now_ms) is not None or _has_decided(state, me):
        return refuse("already_decided")
    if usage(state, allocation(state, now_ms)).finalize >= state.terms.stage_units.finalize:
        return refuse("budget_spent", f"{state.terms.stage_units.finalize} units to finalize")
    found = choices(state, now_ms)
    if not found:
        return refuse("not_decidable")
    at_ms = decision_at(state, me, found, now_ms)
    if now_ms < at_ms:
        return refuse("too_early", f"{at_ms - now_ms} ms", at=at_ms)
    return _decided(state, me, found[0], now_ms, summary)


def _has_decided(state: TaskState, me: NodeId) -> bool:
    """Tell whether a node decided in this epoch: once, even if a statement took that away since."""
    decided = (each for each in state.decisions.values() if each.author == me)
    is_known = any(each.label == state.label for each in decided)
    return is_known or has_decided_in_vain(state, me)


def _decided(
    state: TaskState, me: NodeId, choice: Choice, now_ms: int, summary: str | None
) -> Signings | Rejection:
    candidate = state.candidates[choice.candidate]
    payload = DecisionCommitted(
        candidate=choice.candidate,
        reveals=choice.reveals,
        confirmations=choice.confirmations,
        summary=candidate.summary if summary is None else summary,
    )
    dates = [state.votes[name].created_at for name in choice.reveals]
    dates += [state.confirmations[name].created_at for name in choice.confirmations]
    made = draft(state, payload, me, now_ms, candidate.created_at, *dates)
    key = epoch_key(state.task_id, *choice.subject.label)
    return effective(state, [locked(state, made, me, LockKind.DECISION, key)], me)


def decision_at(state: TaskState, me: NodeId, found: Sequence[Choice], now_ms: int) -> int:
    """Return from when on `me` decides, as far as can be told now; `found` is not empty.

    When every place has finished or lapsed, or a window after the first sufficient votes, and then
    by rank.
    """
    since_ms = min(choice.since_ms for choice in found)
    view = allocation(state, now_ms)
    over = settled_at(state, view)
    ready_ms = min(max(over.values(), default=0), since_ms + state.terms.decision_window_ms)
    rank = deciders(state).index(me)
    return ready_ms if rank == 0 else turn_at(state, rank, max(ready_ms, since_ms))


def settled_at(state: TaskState, view: Allocation) -> Mapping[Place, int]:
    """Return when nothing more is to be waited for from each place, as far as can be told now.

    A verifier has finished when its node voted on all that its results call for a vote on.
    """
    owing = _owing(state)
    return {place: _settled_at(state, place, owing) for place in view.places}


def _settled_at(state: TaskState, place: Place, owing: frozenset[tuple[NodeId, int]]) -> int:
    if place.state is PlaceState.WORKING:
        return place.lease_end + 1
    is_done_verifying = place.state is PlaceState.DONE and place.role is Work.VERIFY
    if not is_done_verifying or (place.node, place.attempt) not in owing:
        return 0
    terms = state.terms
    return place.active_at + terms.commit_window_ms + terms.reveal_window_ms


def _owing(state: TaskState) -> frozenset[tuple[NodeId, int]]:
    """Return which nodes have votes to give that are not known yet, and in which attempts."""
    given = {(vote.author, vote.subject) for vote in state.votes.values()}
    return frozenset(
        (node, subject.attempt)
        for node, subject in called_for(state) - given
        if subject.label == state.label
    )
