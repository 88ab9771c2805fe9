"""Stopping, suspending, resuming and killing a task.

Who may say so says it once: a word that stands already needs nothing more to be signed.
"""

from collections.abc import Iterable

from wattswarm.kernel.control import control_message
from wattswarm.kernel.decide.gate import Signings, draft, in_effect, refuse, refuse_word
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads.control import PAYLOADS, ControlWord
from wattswarm.kernel.payloads.signatures import Signatures
from wattswarm.kernel.records import Control
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import LIVING, going_word


def control(
    state: TaskState, me: KeyPair, word: ControlWord, now_ms: int, *, reason: str | None = None
) -> Signings | Rejection:
    """Return this node's control word on a task; nothing when it stands without one more.

    A finalizer joins the content that others have signed already, unless it gives another reason:
    only signatures over one content add up.
    """
    refusal = _not_to_be_controlled(state, now_ms, word) or _not_entitled(state, me.node_id, word)
    if refusal is not None:
        return refusal
    if _stands(state, word) and not _could_back(state, me.node_id):
        return ()
    said = _content(state, me.node_id, word, reason)
    if not _is_finalizer(state, me.node_id) and _is_outranked(state):
        return refuse("outranked")
    payload = PAYLOADS[word](
        control_no=said.control_no, reason=said.reason, sigs=_signed(state, me, said)
    )
    return in_effect(state, [Signing(draft(state, payload, me.node_id, now_ms))], me.node_id)


def _not_to_be_controlled(state: TaskState, now_ms: int, word: ControlWord) -> Rejection | None:
    now = going_word(state, now_ms)
    is_over = now == ControlWord.KILLED and word is not ControlWord.KILLED
    return refuse_word(now) if now not in LIVING or is_over else None


def _not_entitled(state: TaskState, me: NodeId, word: ControlWord) -> Rejection | None:
    if _is_finalizer(state, me):
        return None
    if word is ControlWord.KILLED:
        return refuse("missing_role", "to kill takes a finalizer of the pin")
    return None if me == state.creator else refuse("not_creator", "or the finalizers of its pin")


def _is_finalizer(state: TaskState, me: NodeId) -> bool:
    return me in state.governing.finalizers


def _stands(state: TaskState, word: ControlWord) -> bool:
    standing = ControlWord.RESUMED if state.control is None else state.control.word
    return standing is word


def _could_back(state: TaskState, me: NodeId) -> bool:
    """Tell whether a signature of this node would help the word that stands to its quorum."""
    said = state.control
    if said is None or state.is_backed(said) or not _is_finalizer(state, me):
        return False
    return (said, me) not in state.backing


def _is_outranked(state: TaskState) -> bool:
    return state.control is not None and state.is_backed(state.control)


def _content(state: TaskState, me: NodeId, word: ControlWord, reason: str | None) -> Control:
    """Return what to say: what others began to say, or else something new."""
    number = _next_number(state, me)
    begun = [
        each
        for each in (*state.backers, *state.commanded)
        if each.word is word
        and (each == state.control or each.control_no == number)
        and reason in (None, each.reason)
        and (each, me) not in state.backing
    ]
    if begun and _is_finalizer(state, me):
        return min(begun, key=lambda each: (-state.backers.get(each, 0), each))
    return Control(word, number, reason or "")


def _next_number(state: TaskState, me: NodeId) -> int:
    """Return one more than the numbers that this node's word has to get past."""
    past: list[Control] = []
    if _is_finalizer(state, me):
        past += [each for each in state.backers if state.is_backed(each)]
    if me == state.creator:
        past += state.commanded
    return 1 + _highest(past)


def _highest(said: Iterable[Control]) -> int:
    return max((each.control_no for each in said), default=0)


def _signed(state: TaskState, me: KeyPair, said: Control) -> Signatures | None:
    if not _is_finalizer(state, me.node_id):
        return None
    message = control_message(state.network_id, state.task_id, said)
    return ((me.node_id, me.sign(message)),)
