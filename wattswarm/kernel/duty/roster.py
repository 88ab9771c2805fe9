"""The roster: what is outstanding now, and what follows from a batch at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel import decide
from wattswarm.kernel.contract import Mode
from wattswarm.kernel.decide.gate import Signings
from wattswarm.kernel.decide.voting import NEVER
from wattswarm.kernel.duty.desk import Desk, ExecutorOffer
from wattswarm.kernel.duty.kinds import FOLLOWING, Duty, Signed
from wattswarm.kernel.duty.looks import LOOKS, end_of_epoch
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import workable

FOLLOWING_MAX: Final = 64
"""A batch of consequences has fewer events than this."""


@attrs.frozen
class Roster:
    """What is outstanding, and when to ask again if nothing changes (ms; None: never)."""

    duties: tuple[Duty, ...] = ()
    wake_at_ms: int | None = None


@attrs.frozen
class Course:
    """Events to append as one batch, and what is outstanding then; None: that is to be asked."""

    signings: Signings
    roster: Roster | None


def due(
    state: TaskState,
    me: KeyPair,
    executors: Sequence[ExecutorOffer],
    now_ms: int,
    *,
    in_hand: Collection[EventId] = frozenset(),
    checked: Mapping[EventId, bool] | None = None,
    governance: Governance | None = None,
    approves: bool = True,
    restored_at_ms: int | None = None,
) -> Roster:
    """Return what this node should do next for a task.

    Duties that come with events were drafted for this state: when those of one have been appended,
    ask again before the others.

    Args:
        executors: This node's executors that are ready for work.
        in_hand: Claims whose work is in progress; their leases are kept alive.
        checked: Candidates whose bodies are here and checked: whether their output passed.
        governance: What epochs are opened under: without it, none is ended. Nobody honest works on
            an epoch whose pin had a successor well before it was opened.
        approves: Whether claims on this node's own tasks with allocator `creator` are approved of
            as long as there is room; otherwise they wait for somebody to do so.
        restored_at_ms: When this node's log was restored from a backup, if ever; it signs nothing
            for epochs opened before.
    """
    desk = Desk.of(state, me, executors, now_ms, in_hand, checked, governance, approves=approves)
    if state.label is None:
        return Roster()
    if governance is not None and governance.bars(me.node_id, now_ms):
        return Roster(wake_at_ms=governance.barred_until(me.node_id))
    opened_at = state.opened_at(state.label)
    if restored_at_ms is not None and opened_at <= restored_at_ms:
        return Roster()
    is_stale = governance is not None and governance.is_stale(state.label.pin, opened_at)
    for look in LOOKS if workable(state, now_ms) and not is_stale else ():
        desk.duties += look(desk)
    desk.duties += end_of_epoch(desk)
    return _outstanding(desk)


def carry(
    state: TaskState,
    signings: Signings,
    me: KeyPair,
    executors: Sequence[ExecutorOffer],
    now_ms: int,
    *,
    in_hand: Collection[EventId] = frozenset(),
    checked: Mapping[EventId, bool] | None = None,
    approves: bool = True,
) -> Course:
    """Return these events and, in a network of one, all that follows from them without I/O.

    They are meant as one batch: a result with its vote, the decision and its finality; with them
    comes what is outstanding once that has been appended.
    """
    if not state.is_local:
        return Course(signings, None)
    batch = list(signings)
    after = decide.follow(state, batch, me.node_id)
    while workable(after, now_ms):
        desk = Desk.of(after, me, executors, now_ms, in_hand, checked, approves=approves)
        duty = next(_following(desk), None)
        if duty is None:
            return Course(tuple(batch), _outstanding(desk))
        if len(batch) >= FOLLOWING_MAX:
            return Course(tuple(batch), None)
        batch += duty.signings
        after = decide.follow(after, duty.signings, me.node_id)
    return Course(tuple(batch), None if _goes_on(after) else Roster())


def _goes_on(state: TaskState) -> bool:
    """Tell whether there is another epoch after this one."""
    return state.is_effective and state.terms.mode is Mode.CONTINUOUS


def _outstanding(desk: Desk) -> Roster:
    wakes = [at_ms for at_ms in desk.wakes if desk.now_ms < at_ms < NEVER]
    return Roster(tuple(desk.duties), min(wakes, default=None))


def _following(desk: Desk) -> Iterator[Signed]:
    """Yield what follows at once, as `due` would list it, and look no further than is asked for."""
    for look in LOOKS:
        for duty in look(desk):
            desk.duties.append(duty)
            if isinstance(duty, FOLLOWING):
                yield duty
