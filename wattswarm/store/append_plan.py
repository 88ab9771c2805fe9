"""Decides what a batch adds to the log: which events are new, their positions, and the locks they
take.

Pure, so that the memory and the PostgreSQL log decide alike.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

from wattswarm.kernel.ids import EventId, Seq
from wattswarm.kernel.lock import Lock
from wattswarm.store.log_record import Entry, Group, LockRefused, Outcome, Position, Stored

LockName: TypeAlias = tuple[str, bytes]


@attrs.frozen
class AppendPlan:
    """Outcomes of all groups, entries that get the next positions in order, new locks."""

    outcomes: tuple[Outcome, ...]
    added: tuple[Entry, ...]
    locks: tuple[tuple[Lock, Seq], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be written."""
        return not self.added and not self.locks


def plan_append(
    groups: Sequence[Group],
    *,
    last_seq: Seq,
    known: Mapping[EventId, Seq],
    held: Mapping[LockName, bytes],
) -> AppendPlan:
    """Return what the groups, taken in order, add to a log whose last position is `last_seq`.

    Args:
        known: Positions of those events of the batch that are in the log already.
        held: Values of those locks of the batch that are taken already.
    """
    book = _Book(last_seq, dict(known), dict(held))
    return AppendPlan(
        tuple(book.enter(group) for group in groups), tuple(book.added), tuple(book.locks)
    )


@attrs.define
class _Book:
    last_seq: Seq
    positions: dict[EventId, Seq]
    held: dict[LockName, bytes]
    added: list[Entry] = attrs.field(factory=list[Entry])
    locks: list[tuple[Lock, Seq]] = attrs.field(factory=list[tuple[Lock, Seq]])

    def enter(self, group: Group) -> Outcome:
        """Take a whole group in, or nothing of it."""
        refused = self._refused(group)
        if refused is not None:
            return refused
        return Stored(tuple(self._enter(entry) for entry in group))

    def _refused(self, group: Group) -> LockRefused | None:
        wanted: dict[LockName, bytes] = {}
        for index, entry in enumerate(group):
            for lock in entry.locks:
                name = (lock.kind, lock.key)
                value = self.held.get(name, wanted.setdefault(name, lock.value))
                if value != lock.value:
                    return LockRefused(index, lock, value)
        return None

    def _enter(self, entry: Entry) -> Position:
        event_id = entry.event.event_id
        is_known = event_id in self.positions
        if not is_known:
            self.last_seq = Seq(self.last_seq + 1)
            self.positions[event_id] = self.last_seq
            self.added.append(entry)
        seq = self.positions[event_id]
        for lock in entry.locks:
            name = (lock.kind, lock.key)
            if name not in self.held:
                self.held[name] = lock.value
                self.locks.append((lock, seq))
        return Position(seq, is_known)
