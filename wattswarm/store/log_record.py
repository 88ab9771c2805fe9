"""What goes into the log, what comes out of it, and what the writer answers."""

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, LaneClass, restore, wire
from wattswarm.kernel.ids import Digest, EventId, NodeId, Seq, TaskId
from wattswarm.kernel.lock import Lock
from wattswarm.kernel.payloads.checkpoint import LaneMark
from wattswarm.kernel.radix_trie import Summary
from wattswarm.store.errors import LogDamaged


@attrs.frozen(kw_only=True)
class Entry:
    """An authentic event to be appended, and the locks that signing it takes.

    `received_at`: ms since the Unix epoch, by the clock of this node. `is_own`: this node signs it
    now; an event of its key that comes in any other way was signed elsewhere. `opened_at`: see
    `Signing`.
    """

    event: Event
    received_at: int
    locks: tuple[Lock, ...] = ()
    is_own: bool = False
    opened_at: int | None = None


Group: TypeAlias = Sequence[Entry]
"""Entries of one sender that are stored all or, when one of their locks is refused, not at all."""


@attrs.frozen
class Position:
    """Where an event is in the log; `is_known` when it was there before this entry."""

    seq: Seq
    is_known: bool


@attrs.frozen
class Stored:
    """The whole group is in the log: positions[i] ↔ group[i]."""

    positions: tuple[Position, ...]


@attrs.frozen
class LockRefused:
    """The group was left out: this node has signed `held` where the group says `lock.value`."""

    index: int
    lock: Lock
    held: bytes


@attrs.frozen
class SigningStopped:
    """The group was left out: this node signs nothing until its operator says so."""


@attrs.frozen
class Forgotten:
    """The group was left out: the log was restored after that was opened which it is for."""

    restored_at_ms: int


@attrs.frozen
class Unstorable:
    """The group was left out: the database refuses it, by a bug of ours."""

    reason: str


Outcome: TypeAlias = Stored | LockRefused | SigningStopped | Forgotten | Unstorable


@attrs.frozen(kw_only=True)
class Head:
    """The end of the log. Each writer raises `term`; a restore changes `feed_epoch`."""

    seq: Seq
    chain: Digest
    term: int
    feed_epoch: bytes


@attrs.frozen
class Appended:
    """What became of a batch: outcomes[i] ↔ groups[i], and the head after it."""

    outcomes: tuple[Outcome, ...]
    head: Head


@attrs.frozen(kw_only=True)
class LogRow:
    """One row of the log, not decoded; `task_id` is the task that the event belongs to."""

    seq: Seq
    event_id: EventId
    scope: str
    lane_class: LaneClass
    created_at: int
    received_at: int
    author: NodeId
    task_id: TaskId | None
    kind: str
    signature: bytes = attrs.field(repr=False)
    chain: Digest = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    def to_wire(self) -> bytes:
        """Return the event as it travels; whoever takes it in checks it."""
        return wire(self.body, self.signature)

    def event(self) -> Event:
        """Return the event of this row.

        Raises:
            LogDamaged: The bytes are not those of the event that was stored.
        """
        try:
            event = restore(self.body, self.signature)
        except Malformed as error:
            raise LogDamaged(seq=self.seq, message=str(error)) from error
        if event.event_id != self.event_id:
            raise LogDamaged(seq=self.seq, message="its body is not that of its event id")
        return event


@attrs.frozen
class Lane:
    """A lane that has events, with the root of its time-trie."""

    lane_no: int
    scope: str
    lane_class: LaneClass
    root: Summary


@attrs.frozen
class Marks:
    """Where a log ended at some moment, and its lanes then: those that had events."""

    seq: Seq
    chain: Digest
    lanes: tuple[LaneMark, ...]
