"""Deciding, opening another attempt, and making final."""

from collections.abc import Collection, Mapping, Sequence

from wattswarm.kernel.allocation import Allocation, Place, PlaceState, allocation, found_wanting
from wattswarm.kernel.budget import usage
from wattswarm.kernel.choice import Choice, choices, deciders, standing_decision, turn_at
from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.decide.gate import Signings, draft, effective, locked, not_workable, refuse
from wattswarm.kernel.decide.in_vain import has_decided_in_vain
from wattswarm.kernel.decide.voting import NEVER, called_for
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.ids import EventId, NodeId, short
from wattswarm.kernel.limits import RETRY_BACKOFF_MS_MAX, RETRY_BACKOFF_MS_MIN, SETTLE_MS
from wattswarm.kernel.lock import LockKind, Signing, epoch_key
from wattswarm.kernel.payloads import (
    DecisionCommitted,
    DecisionFinalized,
    TaskRetryScheduled,
    Work,
)
from wattswarm.kernel.records import Decision
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState

# --- deciding -------------------------------------------------------------------------------------


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


# --- finality -------------------------------------------------------------------------------------


def settle_ms(state: TaskState) -> int:
    """Return how long a decision stands before finalizers sign it: no time in a network of one."""
    return 0 if state.is_local else SETTLE_MS


def may_sign(
    state: TaskState,
    me: NodeId,
    decision_id: EventId,
    now_ms: int,
    *,
    has_bodies: bool,
    has_passed: bool,
    is_stale: bool = False,
    restored_at_ms: int | None = None,
) -> Rejection | None:
    """Return why an honest finalizer does not sign a decision now, or None.

    Args:
        has_bodies: Whether the output and the evidence are here, checked against their digests.
        has_passed: Whether the output passes the task's schema and policy.
        is_stale: Whether a successor of the pin was in effect well before the epoch was opened
            (`Governance.is_stale`): a reason not to sign, never one not to count.
        restored_at_ms: When this node's log was restored from a backup, if ever: what it signed for
            epochs that were opened before, it may have forgotten.
    """
    if restored_at_ms is not None and state.opened_at(state.here) <= restored_at_ms:
        return refuse("restored_since", restored_at=restored_at_ms)
    if is_stale:
        return refuse("stale_pin")
    refusal = not_workable(state, now_ms)
    if refusal is not None:
        return refusal
    if me not in state.governing.finalizers:
        return refuse("missing_role", "finality takes a finalizer of the pin")
    given = state.decisions.get(decision_id)
    if given is None:
        return refuse("unknown_decision", short(decision_id))
    refusal = _not_to_be_signed(state, me, given, now_ms)
    if refusal is not None:
        return refusal
    if not has_bodies:
        return refuse("body_missing", short(given.candidate))
    return None if has_passed else refuse("policy_failed", short(given.candidate))


def _not_to_be_signed(
    state: TaskState, me: NodeId, given: Decision, now_ms: int
) -> Rejection | None:
    signed = signed_candidates(state, me)
    if given.candidate in signed:
        return refuse("already_signed", short(given.candidate))
    if signed:
        return refuse("signed_another", short(min(signed)))
    standing = standing_decision(state, now_ms)
    if standing is None or standing.event_id != given.event_id:
        return refuse("not_the_decider", short(given.author))
    at_ms = given.created_at + settle_ms(state)
    if now_ms < at_ms:
        return refuse("too_early", f"{at_ms - now_ms} ms", at=at_ms)
    return None


def signed_candidates(state: TaskState, me: NodeId) -> frozenset[EventId]:
    """Return the candidates of the newest epoch that this node's signatures of finality are for."""
    return frozenset(
        seal.candidate for seal in state.seals if seal.signer == me and seal.label == state.label
    )


def finality(
    state: TaskState,
    me: KeyPair,
    decision_id: EventId,
    now_ms: int,
    *,
    has_bodies: bool,
    has_passed: bool,
    is_stale: bool = False,
    restored_at_ms: int | None = None,
) -> Signings | Rejection:
    """Return the node's signature of finality over a decision, in an event that carries it.

    The lock is on the candidate: a node signs one per epoch, ever.
    """
    refusal = may_sign(
        state,
        me.node_id,
        decision_id,
        now_ms,
        has_bodies=has_bodies,
        has_passed=has_passed,
        is_stale=is_stale,
        restored_at_ms=restored_at_ms,
    )
    if refusal is not None:
        return refusal
    given = state.decisions[decision_id]
    signed = finality_message(
        state.network_id, state.task_id, given.label, given.candidate, decision_id
    )
    payload = DecisionFinalized(
        pin=given.label.pin,
        candidate=given.candidate,
        decision=decision_id,
        sigs=((me.node_id, me.sign(signed)),),
    )
    made = draft(state, payload, me.node_id, now_ms, given.created_at)
    key = epoch_key(state.task_id, *given.label)
    signing = locked(state, made, me.node_id, LockKind.FINALITY, key, given.candidate)
    return effective(state, [signing], me.node_id)


# --- another attempt ------------------------------------------------------------------------------


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
