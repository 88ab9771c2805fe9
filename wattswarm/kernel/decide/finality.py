"""Making a decision final: whether an honest finalizer signs it, and its signature."""

from wattswarm.kernel.choice import standing_decision
from wattswarm.kernel.decide.gate import Signings, draft, effective, locked, not_workable, refuse
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.ids import EventId, NodeId, short
from wattswarm.kernel.limits import SETTLE_MS
from wattswarm.kernel.lock import LockKind, epoch_key
from wattswarm.kernel.payloads import DecisionFinalized
from wattswarm.kernel.records import Decision
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState


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
