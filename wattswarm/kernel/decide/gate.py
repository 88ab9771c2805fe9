"""What every command passes: is the task to be worked on, and would the event take effect?

Nothing is drafted for a task that is final, killed, stopped, expired or void; where it is suspended
only what was begun is finished. And nothing is handed out that the derivation of the same state
would not make effective, a share in a quorum apart.
"""

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from wattswarm.kernel import payloads
from wattswarm.kernel.codes import CODES, WORDS
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.ids import EventId, NodeId, short
from wattswarm.kernel.lock import Lock, LockKind, Signing
from wattswarm.kernel.payloads import Payload
from wattswarm.kernel.records import Claim
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import Foundation, extend
from wattswarm.kernel.verdict import Ignored, On, Verdict, Waiting, explain
from wattswarm.kernel.views import SUSPENDED, state_word, workable

Signings: TypeAlias = tuple[Signing, ...]


def refuse(code: str, said: str = "", **details: object) -> Rejection:
    """Return the refusal with this code; `said` says what is special about this case."""
    sentence = CODES[code]
    message = f"{sentence.rstrip('.')}: {said}" if said else sentence
    return Rejection(code=code, message=message, details=details)


def not_workable(state: TaskState, now_ms: int) -> Rejection | None:
    """Return why nothing is to be signed for the task any more, or yet; None when it is open."""
    return None if workable(state, now_ms) else refuse_word(state_word(state, now_ms))


def not_to_be_finished(state: TaskState, now_ms: int) -> Rejection | None:
    """Return why work under a claim is not to be finished; None when the task is open or rests."""
    word = state_word(state, now_ms)
    return None if word == SUSPENDED else not_workable(state, now_ms)


def refuse_word(word: str) -> Rejection:
    """Return the refusal of a task for the word that its state is."""
    return refuse("task_not_open", f"it is {word}, {WORDS[word]}", state=word)


def held_claim(state: TaskState, name: EventId) -> Claim | Rejection:
    """Return the claim that is named, if it took effect."""
    claim = state.claims.get(name)
    return refuse("unknown_claim", short(name)) if claim is None else claim


def date(state: TaskState, me: NodeId, now_ms: int, *after_ms: int) -> int:
    """Return the date of the author's next event of the task.

    It is now, or later: after the task's creation, the author's own last event of the task, and the
    dates `after_ms` of what the event names.
    """
    return max(now_ms, 1 + max(state.created_at, state.latest.get(me, 0), *after_ms, 0))


def draft(
    state: TaskState,
    payload: Payload,
    me: NodeId,
    now_ms: int,
    *after_ms: int,
    epoch: int | None = None,
) -> Draft:
    """Return the draft of an event about the task, by default of its newest epoch; see `date`."""
    assert state.scope is not None, "a task whose scope is known"
    return Draft(
        kind=payload.kind,
        scope=state.scope,
        lane_class=LaneClass.WORK,
        task_id=state.task_id,
        epoch=state.here.epoch if epoch is None else epoch,
        created_at=date(state, me, now_ms, *after_ms),
        payload=payloads.write(payload),
    )


def unsigned(state: TaskState, drafts: Draft, me: NodeId) -> Event:
    """Return the event that a draft will be, as far as derivation can tell."""
    return drafts.unsigned(state.network_id, me)


def locked(
    state: TaskState,
    made: Draft,
    me: NodeId,
    kind: LockKind,
    key: bytes,
    value: bytes | None = None,
) -> Signing:
    """Return the draft with a lock on it, by default with the event's own id as value."""
    name = unsigned(state, made, me).event_id if value is None else value
    return Signing(made, (Lock(kind.value, key, name),))


def effective(
    state: TaskState,
    signings: Sequence[Signing],
    me: NodeId,
    governance: Foundation | None = None,
) -> Signings | Rejection:
    """Return the signings if all of them would take effect, else why one would not.

    They tell then when their epochs were opened. Without `governance`, no other versions than those
    of the state's pins are known.
    """
    checked = in_effect(state, signings, me, governance)
    if isinstance(checked, Rejection):
        return checked
    return tuple(
        attrs.evolve(each, opened_at=_opened_at(state, each.draft.epoch)) for each in checked
    )


def _opened_at(state: TaskState, epoch: int) -> int:
    """Return when an epoch was opened; the earliest, when it was opened under several pins."""
    dates = [state.opened_at(label) for label in state.openings if label.epoch == epoch]
    return min(dates, default=state.created_at)


def in_effect(
    state: TaskState,
    signings: Sequence[Signing],
    me: NodeId,
    governance: Foundation | None = None,
) -> Signings | Rejection:
    """Return the signings as `effective` does, where they are about a task and no epoch of it."""
    try:
        events = [unsigned(state, each.draft, me) for each in signings]
    except Malformed as error:
        return Rejection(code=error.code, message=str(error), details={"path": error.path})
    after = _with(state, events, governance)
    for event in events:
        verdict = after.verdict(event.event_id)
        if verdict is not None and not _is_a_share(verdict):
            code = verdict.code if isinstance(verdict, Ignored) else "waiting"
            return refuse("would_be_ignored", explain(verdict, event), verdict=code)
    return tuple(signings)


def _is_a_share(verdict: Verdict) -> bool:
    """Tell whether an event counts by what it carries, and waits for others to say the same."""
    return isinstance(verdict, Waiting) and verdict.for_[0].on is On.QUORUM


def follow(state: TaskState, signings: Sequence[Signing], me: NodeId) -> TaskState:
    """Return the state as it will be once these are appended."""
    return _with(state, [unsigned(state, each.draft, me) for each in signings], None)


def _with(state: TaskState, events: Sequence[Event], governance: Foundation | None) -> TaskState:
    """Return the state with these events; what was found effective is often followed then."""
    names = tuple(event.event_id for event in events)
    return state.view(("with", names), lambda: extend(state, events, governance))
