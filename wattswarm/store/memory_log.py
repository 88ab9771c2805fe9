"""The log in memory: the same answers as the log in PostgreSQL, for tests and simulations.

It stores nothing and can be shared between a writer and readers. A writer that was replaced is
fenced, as in the database; nothing else can fail.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import attrs

from wattswarm.kernel import chain, radix_trie, time_trie
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.ids import EventId, NodeId, Seq, TaskId
from wattswarm.store.append_plan import LockName, plan_append, signed_elsewhere
from wattswarm.store.errors import Fenced
from wattswarm.store.log_reader import END, GOVERNANCE_KINDS, ROWS_MAX, START
from wattswarm.store.log_record import Appended, Entry, Group, Head, Lane, LogRow
from wattswarm.store.signing import FREE, Standing, suspected


@attrs.define
class MemoryLog:
    """Rows and locks; what the database holds."""

    feed_epoch: bytes = bytes(16)
    term: int = 0
    rows: list[LogRow] = attrs.field(factory=list[LogRow])
    positions: dict[EventId, Seq] = attrs.field(factory=dict[EventId, Seq])
    locks: dict[LockName, bytes] = attrs.field(factory=dict[LockName, bytes])
    standing: Standing = FREE

    def head(self) -> Head:
        """Return the end of the log."""
        last = self.rows[-1].chain if self.rows else chain.START
        return Head(seq=Seq(len(self.rows)), chain=last, term=self.term, feed_epoch=self.feed_epoch)

    def add(self, entry: Entry) -> None:
        """Append a row."""
        event, head = entry.event, self.head()
        row = LogRow(
            seq=Seq(head.seq + 1),
            event_id=event.event_id,
            scope=event.scope,
            lane_class=event.lane_class,
            created_at=event.created_at,
            received_at=entry.received_at,
            author=event.author,
            task_id=event.group_task,
            kind=event.kind,
            signature=event.signature,
            chain=chain.link(head.chain, event.event_id),
            body=event.body,
        )
        self.rows.append(row)
        self.positions[row.event_id] = row.seq


def _no_fault(_name: str) -> None:
    return


def _no_alarm(_event: Event) -> None:
    return


@attrs.define
class MemoryLogWriter:
    """Appends as `LogWriter` does."""

    log: MemoryLog
    point: Callable[[str], None] = _no_fault
    own: NodeId | None = None
    alarm: Callable[[Event], None] = _no_alarm
    _term: int | None = attrs.field(default=None, init=False)

    def open(self) -> Head:
        """Take the log over from the writer before."""
        self.log.term += 1
        self._term = self.log.term
        return self.log.head()

    def close(self) -> None:
        """Nothing has to be ended."""

    def append(self, groups: Sequence[Group]) -> Appended:
        """Have every group of the batch in the log, or an answer why it is not."""
        if self._term is None:
            self.open()
        self.point("before_begin")
        self.probe()
        self.point("after_fence")
        self._look(groups)
        plan = plan_append(
            groups,
            last_seq=self.log.head().seq,
            known=self.log.positions,
            held=self.log.locks,
            standing=self.log.standing,
        )
        self.point("after_dedupe")
        if plan.is_empty:
            return Appended(plan.outcomes, self.log.head())
        for name in ("after_insert", "after_trie", "before_commit"):
            self.point(name)
        for entry in plan.added:
            self.log.add(entry)
        self.log.locks.update({(lock.kind, lock.key): lock.value for lock, _seq in plan.locks})
        self.point("after_commit")
        return Appended(plan.outcomes, self.log.head())

    def _look(self, groups: Sequence[Group]) -> None:
        """Stop signing if an event of ours comes that the log does not hold."""
        standing = self.log.standing
        found = signed_elsewhere(groups, self.log.positions, self.own, standing)
        if found is not None and not standing.is_stopped:
            self.log.standing = suspected(standing, found.event_id, groups[0][0].received_at)
            self.alarm(found)
            self.point("after_alarm")

    def probe(self) -> None:
        """Return if this is still the writer."""
        if self._term != self.log.term:
            raise Fenced(term=self._term or 0, current_term=self.log.term)


@attrs.frozen
class MemoryLogReader:
    """Reads as `LogReader` does."""

    log: MemoryLog

    def head(self) -> Head:
        """Return the end of the log."""
        return self.log.head()

    def read(self, after_seq: Seq, *, limit: int) -> tuple[LogRow, ...]:
        """Return the next rows after a position, in order."""
        return tuple(self._after(after_seq)[:limit])

    def task_events(
        self, task_id: TaskId, after_seq: Seq = START, *, limit: int = ROWS_MAX
    ) -> tuple[LogRow, ...]:
        """Return the rows of a task in order: the event that created it, and those that name it."""
        return tuple(row for row in self._after(after_seq) if row.task_id == task_id)[:limit]

    def events_of_tasks(
        self, task_ids: Collection[TaskId], up_to_seq: Seq
    ) -> Mapping[TaskId, tuple[LogRow, ...]]:
        """Return all rows of each of some tasks, up to a position."""
        rows = self.log.rows[:up_to_seq]
        return {
            task_id: tuple(row for row in rows if row.task_id == task_id) for task_id in task_ids
        }

    def tasks_about(
        self, events: Collection[EventId], authors: Collection[NodeId], up_to_seq: Seq = END
    ) -> tuple[TaskId, ...]:
        """Return the tasks that have one of these events, or any of these authors', by id."""
        found = {
            row.task_id
            for row in self.log.rows[:up_to_seq]
            if row.task_id is not None and (row.event_id in events or row.author in authors)
        }
        return tuple(sorted(found))

    def taskless_about(
        self, events: Collection[EventId], authors: Collection[NodeId], up_to_seq: Seq = END
    ) -> Iterator[tuple[LogRow, ...]]:
        """Yield those of some events, and of events of some authors, that name no task."""
        found = tuple(
            row
            for row in self.log.rows[:up_to_seq]
            if row.task_id is None and (row.event_id in events or row.author in authors)
        )
        if found:
            yield found

    def governance_events(
        self, after_seq: Seq = START, *, limit: int = ROWS_MAX
    ) -> tuple[LogRow, ...]:
        """Return the next rows of `GOVERNANCE_KINDS` after a position."""
        return tuple(row for row in self._after(after_seq) if row.kind in GOVERNANCE_KINDS)[:limit]

    def find(self, prefix: str, *, limit: int = 2) -> tuple[LogRow, ...]:
        """Return the rows whose event id begins with these hex digits, by id."""
        found = [row for row in self.log.rows if row.event_id.hex().startswith(prefix)]
        return tuple(sorted(found, key=lambda row: row.event_id))[:limit]

    def event(self, event_id: EventId) -> LogRow | None:
        """Return the row of an event, or None when it is not in the log."""
        seq = self.log.positions.get(event_id)
        return None if seq is None else self.at(seq)

    def at(self, seq: Seq) -> LogRow | None:
        """Return the row at a position, or None beyond the head."""
        return self.log.rows[seq - 1] if 0 < seq <= len(self.log.rows) else None

    def positions(self, event_ids: Collection[EventId]) -> Mapping[EventId, Seq]:
        """Return the positions of those of the events that are in the log."""
        held = self.log.positions
        return {event_id: held[event_id] for event_id in event_ids if event_id in held}

    def lanes(self) -> tuple[Lane, ...]:
        """Return all lanes with the roots of their tries, by scope and class."""
        keys: dict[tuple[str, LaneClass], list[bytes]] = defaultdict(list)
        for row in self.log.rows:
            key = time_trie.key(row.created_at, row.event_id)
            keys[row.scope, row.lane_class].append(key)
        return tuple(
            Lane(number, scope, lane_class, radix_trie.build(sorted(keys[scope, lane_class])))
            for number, (scope, lane_class) in sorted(
                enumerate(keys, 1), key=lambda item: (item[1][0], item[1][1].value)
            )
        )

    def _after(self, seq: Seq) -> Sequence[LogRow]:
        return self.log.rows[seq:]
