"""Opening another attempt, when the newest one has come to nothing."""

from collections.abc import Collection

from wattswarm.kernel.allocation import Allocation, Place, PlaceState, allocation, found_wanting
from wattswarm.kernel.choice import choices, deciders, standing_decision, turn_at
from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.decide.deciding import settled_at
from wattswarm.kernel.decide.gate import Signings, draft, effective, not_workable, refuse
from wattswarm.kernel.decide.voting import NEVER, called_for
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import RETRY_BACKOFF_MS_MAX, RETRY_BACKOFF_MS_MIN
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads import TaskRetryScheduled, Work
from wattswarm.kernel.state import TaskState


def retry(
    state: TaskState, me: NodeId, now_ms: int, *, reason: str | None = None
) -> Signings | Rejection:
    """Return the opening of the next attempt, if this one has come to nothing; with back-off."""
    refusal = not_workable(state, now_ms)
    if refusal is not None:
        return refusal
    if me not in deciders(state):
        return refuse("not_the_decider")
    if state.attempt >= state.terms.max_attempts:
        return refuse("no_such_attempt", f"{state.terms.max_attempts} attempts")
    at_ms = retry_at(state, me, now_ms)
    if now_ms < at_ms:
        return refuse("too_early", at=at_ms)
    payload = TaskRetryScheduled(
        pin=state.here.pin,
        from_attempt=state.attempt,
        run_at=now_ms + backoff_ms(state),
        reason=reason,
    )
    dates = [each.created_at for each in state.retries.values() if each.label == state.label]
    return effective(state, [Signing(draft(state, payload, me, now_ms, *dates))], me)


def backoff_ms(state: TaskState) -> int:
    """Return how long the next attempt is to wait: twice as long each time, up to a minute."""
    return min(RETRY_BACKOFF_MS_MIN * 2 ** (state.attempt - 1), RETRY_BACKOFF_MS_MAX)


def retry_at(state: TaskState, me: NodeId, now_ms: int) -> int:
    """Return from when on `me` opens another attempt, as far as can be told now.

    The newest attempt must have come to nothing: no candidate is left that could still be approved
    of, or verifiers gave up or found too little; and nobody is at work on it.
    """
    view = allocation(state, now_ms)
    is_decidable = bool(choices(state, now_ms)) or standing_decision(state, now_ms) is not None
    if not view.places or is_decidable or not _is_lost(state, view):
        return NEVER
    over = settled_at(state, view)
    ended_ms = max(max(_ended_at(state, place), over[place]) for place in view.places)
    pause_ms = 0 if state.is_local else state.terms.decider_timeout_ms
    return turn_at(state, deciders(state).index(me), ended_ms + pause_ms)


def _ended_at(state: TaskState, place: Place) -> int:
    """Return when a place came to its end; the creator may still approve of a claim that waits."""
    awaits_approval = (
        state.terms.allocator is Allocator.CREATOR and place.claim.event_id not in state.approved
    )
    if place.state is PlaceState.LAPSED:
        return place.lease_end
    if place.state is PlaceState.WAITING and awaits_approval:
        return place.lease_end + 1
    return place.active_at


def _is_lost(state: TaskState, view: Allocation) -> bool:
    hopeful = view.coverage.candidates.keys() - found_wanting(state)
    if not hopeful:
        return True
    verifying = view.of(Work.VERIFY)
    gave_up = any(place.state in (PlaceState.FAILED, PlaceState.LAPSED) for place in verifying)
    is_full = view.free[Work.VERIFY] == 0 and bool(verifying)
    return gave_up or is_full or _has_doubt(state, hopeful)


def _has_doubt(state: TaskState, hopeful: Collection[EventId]) -> bool:
    """Tell whether a result on a candidate that could be approved of called for no vote."""
    called = called_for(state)
    return any(
        result.candidate in hopeful
        and result.attempt == state.attempt
        and (result.author, result.subject) not in called
        for result in state.results.values()
    )
