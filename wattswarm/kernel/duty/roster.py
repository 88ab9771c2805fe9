"""The roster: what is outstanding now, and what follows from a batch at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel import decide
from wattswarm.kernel.decide.deciding import NEVER
from wattswarm.kernel.decide.gate import Signings
from wattswarm.kernel.duty.desk import Desk, ExecutorOffer
from wattswarm.kernel.duty.kinds import FOLLOWING, Duty, Signed
from wattswarm.kernel.duty.looks import LOOKS
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
    is_stale: bool = False,
    restored_at_ms: int | None = None,
) -> Roster:
    """Return what this node should do next for a task.

    Duties that come with events were drafted for this state: when those of one have been appended,
    ask again before the others.

    Args:
        executors: This node's executors that are ready for work.
        in_hand: Claims whose work is in progress; their leases are kept alive.
        checked: Candidates whose bodies are here and checked: whether their output passed.
        is_stale: Whether the pin had a successor well before the task was created
            (`Governance.is_stale`); nobody honest works on such a task.
        restored_at_ms: When this node's log was restored from a backup, if ever; it signs nothing
            for epochs opened before.
    """
    is_forgotten = restored_at_ms is not None and state.created_at <= restored_at_ms
    if is_stale or is_forgotten or not workable(state, now_ms):
        return Roster()
    desk = Desk.of(state, me, executors, now_ms, in_hand, checked)
    for look in LOOKS:
        desk.duties += look(desk)
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
        desk = Desk.of(after, me, executors, now_ms, in_hand, checked)
        duty = next(_following(desk), None)
        if duty is None:
            return Course(tuple(batch), _outstanding(desk))
        if len(batch) >= FOLLOWING_MAX:
            return Course(tuple(batch), None)
        batch += duty.signings
        after = decide.follow(after, duty.signings, me.node_id)
    return Course(tuple(batch), Roster())


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
