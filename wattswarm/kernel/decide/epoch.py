"""Ending an epoch of a continuous task, which opens the next one."""

from typing import Final

from wattswarm.kernel.contract import Mode
from wattswarm.kernel.decide.gate import Signings, draft, effective, refuse, refuse_word
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.epoch import epoch_end_message
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import Digest, NodeId, short
from wattswarm.kernel.limits import EPOCH_MAX
from wattswarm.kernel.lock import Lock, LockKind, Signing, epoch_key
from wattswarm.kernel.payloads import EpochEnded
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import RULES_VERSION
from wattswarm.kernel.views import going_word

FINALIZED: Final = "finalized"
TIMEBOX_REACHED: Final = "timebox_reached"

RENEWABLE: Final = frozenset({"open", "expired"})
"""The words of a task as a whole whose epoch may end, whether that is final or not."""


def end_epoch(
    state: TaskState,
    me: KeyPair,
    governance: Governance,
    now_ms: int,
    *,
    reason: str | None = None,
    is_ordered: bool = False,
) -> Signings | Rejection:
    """Return this node's signature that the newest epoch is over, in an event that carries it.

    A finalizer joins the end that others have begun to sign. Else the first in turn begins one when
    the epoch has expired, which opens the next under the newest governance version in effect.

    Args:
        reason: For people; by default whether the epoch became final.
        is_ordered: Whether an operator says so: before the epoch expires, or out of turn.
    """
    if governance.bars(me.node_id, now_ms):
        return refuse("barred")
    refusal = _not_to_be_ended(state, me.node_id, now_ms)
    if refusal is not None:
        return refusal
    if not is_ordered and not _is_dated(state):
        return refuse("too_early", "too few finalizers have carried its opening")
    if not is_ordered and now_ms <= state.ends_at:
        return refuse("too_early", f"{state.ends_at - now_ms} ms", at=state.ends_at + 1)
    next_pin = _next_pin(state, me.node_id, governance, now_ms, is_ordered=is_ordered)
    if isinstance(next_pin, Rejection):
        return next_pin
    return _signed(state, me, governance, next_pin, now_ms, reason or _reason(state))


def _is_dated(state: TaskState) -> bool:
    """Tell whether it is known when the epoch was opened: others may have copied its opening."""
    return state.here.epoch == 1 or state.opened_at(state.here) > state.created_at


def _not_to_be_ended(state: TaskState, me: NodeId, now_ms: int) -> Rejection | None:
    if state.contract is not None and state.terms.mode is Mode.ONE_SHOT:
        return refuse("one_epoch")
    word = going_word(state, now_ms)
    if word not in RENEWABLE:
        return refuse_word(word)
    if state.governing.rules_version != RULES_VERSION:
        return refuse("unsupported_rules")
    if me not in state.governing.finalizers:
        return refuse("missing_role", "to end an epoch takes a finalizer of its pin")
    if state.here.epoch + 1 >= EPOCH_MAX:
        return refuse("one_epoch", f"{EPOCH_MAX} at most")
    return None


def _next_pin(
    state: TaskState, me: NodeId, governance: Governance, now_ms: int, *, is_ordered: bool
) -> Digest | Rejection:
    """Return the pin of the next epoch: what others have signed already, or else the newest."""
    signed = [pin for of, pin, node in state.endings if of == state.here and node == me]
    if signed:
        return refuse("already_signed", f"next pin {short(signed[0])}")
    first = drafters(epoch_key(state.task_id, *state.here), state.governing.finalizers)[0]
    begun = _begun(state, first, governance, now_ms)
    if begun is not None:
        return begun
    head = governance.head(now_ms)
    assert head is not None, "a task whose pin is known has a governance"
    return head.id if is_ordered or first == me else refuse("not_the_drafter")


def _begun(state: TaskState, first: NodeId, governance: Governance, now_ms: int) -> Digest | None:
    """Return the pin to follow that most have signed, if any may be joined.

    One that is stale may be if the first in turn signed it: nobody works on an epoch under such a
    pin, and anybody else could have all epochs pass like that.
    """
    begun = [
        (-count, pin)
        for (of, pin), count in state.ending.items()
        if of == state.here and governance.version(pin) is not None
        if (of, pin, first) in state.endings or not governance.is_stale(pin, now_ms)
    ]
    return min(begun)[1] if begun else None


def _reason(state: TaskState) -> str:
    return TIMEBOX_REACHED if state.outcome(state.here) is None else FINALIZED


def _signed(
    state: TaskState,
    me: KeyPair,
    governance: Governance,
    next_pin: Digest,
    now_ms: int,
    reason: str,
) -> Signings | Rejection:
    """Return the carrier, with all signatures on the same that are known and this node's own.

    The lock is on the pin that follows: a node signs one per epoch, ever.
    """
    here = state.here
    message = epoch_end_message(state.network_id, state.task_id, here, next_pin)
    known = {
        node: signature
        for (of, pin, node), signature in state.endings.items()
        if (of, pin) == (here, next_pin)
    }
    sigs = sorted({**known, me.node_id: me.sign(message)}.items())
    payload = EpochEnded(pin=here.pin, next_pin=next_pin, reason=reason, sigs=tuple(sigs))
    made = draft(state, payload, me.node_id, now_ms)
    lock = Lock(LockKind.EPOCH_END.value, epoch_key(state.task_id, *here), next_pin)
    return effective(state, [Signing(made, (lock,))], me.node_id, governance)
