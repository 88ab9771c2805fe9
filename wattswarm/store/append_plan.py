"""Decides what a batch adds to the log: which events are new, their positions, the locks they take,
and whether this node may sign what it signs.

Pure, so that the memory and the PostgreSQL log decide alike.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import attrs

from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId, NodeId, Seq
from wattswarm.kernel.lock import Lock
from wattswarm.store.log_record import (
    Entry,
    Forgotten,
    Group,
    LockRefused,
    Outcome,
    Position,
    SigningStopped,
    Stored,
)
from wattswarm.store.signing import FREE, Standing

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
    standing: Standing = FREE,
) -> AppendPlan:
    """Return what the groups, taken in order, add to a log whose last position is `last_seq`.

    Args:
        known: Positions of those events of the batch that are in the log already.
        held: Values of those locks of the batch that are taken already.
        standing: Whether this node may sign.
    """
    book = _Book(last_seq, dict(known), dict(held), standing)
    return AppendPlan(
        tuple(book.enter(group) for group in groups), tuple(book.added), tuple(book.locks)
    )


def signed_elsewhere(
    groups: Sequence[Group], known: Collection[EventId], own: NodeId | None, standing: Standing
) -> Event | None:
    """Return the first event of our own key that somebody else brings and the log does not hold.

    What a restore explains is none.
    """
    entries = [entry for group in groups for entry in group]
    signed_here = {entry.event.event_id for entry in entries if entry.is_own}
    brought = (
        entry.event
        for entry in entries
        if entry.event.author == own and entry.event.event_id not in signed_here
    )
    return next(
        (
            event
            for event in brought
            if event.event_id not in known and not standing.explains(event.created_at)
        ),
        None,
    )


@attrs.define
class _Book:
    last_seq: Seq
    positions: dict[EventId, Seq]
    held: dict[LockName, bytes]
    standing: Standing
    added: list[Entry] = attrs.field(factory=list[Entry])
    locks: list[tuple[Lock, Seq]] = attrs.field(factory=list[tuple[Lock, Seq]])

    def enter(self, group: Group) -> Outcome:
        """Take a whole group in, or nothing of it."""
        refused = self._refused(group)
        if refused is not None:
            return refused
        return Stored(tuple(self._enter(entry) for entry in group))

    def _refused(self, group: Group) -> Outcome | None:
        return self._not_to_be_signed(group) or self._contradicted(group)

    def _not_to_be_signed(self, group: Group) -> Outcome | None:
        """Return why this node does not sign a group; what stands in the log, it has signed.

        An empty log begins with its genesis record, which says the same whoever carries it.
        """
        signed = [
            entry
            for entry in group
            if entry.is_own and self.last_seq and entry.event.event_id not in self.positions
        ]
        if signed and self.standing.is_stopped:
            return SigningStopped()
        restored_at_ms = self.standing.restored_at_ms
        if restored_at_ms is None or not any(
            self.standing.forgets(entry.opened_at) for entry in signed
        ):
            return None
        return Forgotten(restored_at_ms)

    def _contradicted(self, group: Group) -> LockRefused | None:
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
