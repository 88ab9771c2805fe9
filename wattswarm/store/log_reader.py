"""Reads the log. Whoever has seen a position has seen all before it: they are gap-free and never
reused.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.event import LaneClass
from wattswarm.kernel.ids import Digest, EventId, NodeId, Seq, TaskId
from wattswarm.kernel.payloads.checkpoint import LaneMark
from wattswarm.kernel.radix_trie import Summary
from wattswarm.store.connection import Connection, translated
from wattswarm.store.log_record import Head, Lane, LogRow, Marks
from wattswarm.store.queries import load, may_match

LOG_READER: Final = load("log_reader")
ROWS_MAX: Final = 4_096
TASKS_MAX: Final = 64
TASK_ROWS_MAX: Final = 512
"""Tasks, and rows of each, that one query reads at most: a session has few seconds for a query."""

TASKLESS_ROWS_MAX: Final = 1_024
"""Rows that one query reads at most of what authors said beside tasks."""

START: Final = Seq(0)
END: Final = Seq(2**63 - 1)
"""Beyond every position that there will be."""

GOVERNANCE_KINDS: Final = (
    "GOVERNANCE_UPDATED",
    "NODE_ADMITTED",
    "EVENT_REVOKED",
    "NODE_PENALIZED",
)
EVENT_ID_NIBBLES: Final = 64


@attrs.frozen
class LogReader:
    """Reads through a connection that somebody else owns, on that one's thread."""

    connection: Connection

    def head(self) -> Head:
        """Return the end of the log."""
        with translated():
            row = self.connection.execute(LOG_READER["head"], binary=True).fetchone()
        assert row is not None
        seq, chain, term, feed_epoch = row
        return Head(seq=Seq(seq), chain=Digest(chain), term=term, feed_epoch=feed_epoch)

    def read(self, after_seq: Seq, *, limit: int) -> tuple[LogRow, ...]:
        """Return the next rows after a position, in order: no more is looked at than is read."""
        return self._rows("read", {"after_seq": after_seq, "limit": limit})

    def task_events(
        self, task_id: TaskId, after_seq: Seq = START, *, limit: int = ROWS_MAX
    ) -> tuple[LogRow, ...]:
        """Return the rows of a task in order: the event that created it, and those that name it."""
        return self._rows("read_task", {"task_id": task_id, "after_seq": after_seq, "limit": limit})

    def whole_task(self, task_id: TaskId) -> tuple[LogRow, ...]:
        """Return all rows of a task in order, however many there are."""
        found: list[LogRow] = []
        while rows := self.task_events(task_id, last_seq(found, START)):
            found += rows
        return tuple(found)

    def events_of_tasks(
        self, task_ids: Collection[TaskId], up_to_seq: Seq
    ) -> Mapping[TaskId, tuple[LogRow, ...]]:
        """Return all rows of each of some tasks, up to a position: what deriving them takes.

        However many they are: no single query reads more than a page of each of a few tasks.
        """
        found: dict[TaskId, list[LogRow]] = {task_id: [] for task_id in task_ids}
        wanted = list(found)
        for at in range(0, len(wanted), TASKS_MAX):
            for row in self._first_rows(wanted[at : at + TASKS_MAX], up_to_seq):
                assert row.task_id is not None
                found[row.task_id].append(row)
        for task_id, rows in found.items():
            if len(rows) == TASK_ROWS_MAX:
                rows += self._rest_of_task(task_id, rows[-1].seq, up_to_seq)
        return {task_id: tuple(rows) for task_id, rows in found.items()}

    def _first_rows(self, task_ids: Sequence[TaskId], up_to_seq: Seq) -> tuple[LogRow, ...]:
        query = {"task_ids": list(task_ids), "up_to_seq": up_to_seq, "limit": TASK_ROWS_MAX}
        return self._rows("read_tasks", query)

    def _rest_of_task(self, task_id: TaskId, after_seq: Seq, up_to_seq: Seq) -> Iterator[LogRow]:
        """Yield the rows of a task after one position and up to another, page by page."""
        while rows := self.task_events(task_id, after_seq, limit=TASK_ROWS_MAX):
            yield from (row for row in rows if row.seq <= up_to_seq)
            after_seq = rows[-1].seq
            if len(rows) < TASK_ROWS_MAX or after_seq >= up_to_seq:
                return

    def tasks_about(
        self, events: Collection[EventId], authors: Collection[NodeId], up_to_seq: Seq = END
    ) -> tuple[TaskId, ...]:
        """Return the tasks that have one of these events, or any of these authors', by id."""
        with translated():
            rows = self.connection.execute(
                LOG_READER["tasks_about"],
                {"events": list(events), "authors": list(authors), "up_to_seq": up_to_seq},
                binary=True,
            )
            return tuple(EventId(task_id) for (task_id,) in rows)

    def taskless_about(
        self, events: Collection[EventId], authors: Collection[NodeId], up_to_seq: Seq = END
    ) -> Iterator[tuple[LogRow, ...]]:
        """Yield those of some events, and of events of some authors, that name no task.

        Page by page, in the order of the log.
        """
        at = START
        while True:
            values = {
                "events": list(events),
                "authors": list(authors),
                "after_seq": at,
                "up_to_seq": up_to_seq,
                "limit": TASKLESS_ROWS_MAX,
            }
            rows = self._rows("read_taskless", values)
            if rows:
                yield rows
            if len(rows) < TASKLESS_ROWS_MAX:
                return
            at = rows[-1].seq

    def governance_events(
        self, after_seq: Seq = START, *, limit: int = ROWS_MAX
    ) -> tuple[LogRow, ...]:
        """Return the next rows of `GOVERNANCE_KINDS` after a position, without reading all rows."""
        return self._rows("read_governance", {"after_seq": after_seq, "limit": limit})

    def window(
        self, after_seq: Seq, up_to_seq: Seq, *, scope: str | None = None
    ) -> tuple[LogRow, ...]:
        """Return the rows after a position and up to another: all, or those of a scope and of
        governance. However few fit, no more than the rows between are looked at.
        """
        values = {"after_seq": after_seq, "up_to_seq": up_to_seq, "scope": scope}
        return self._rows("read_window", values)

    def task_window(
        self, task_id: TaskId, after_seq: Seq, up_to_seq: Seq, *, limit: int
    ) -> tuple[LogRow, ...]:
        """Return the next rows of a task and of governance after a position, up to another."""
        return self._rows(
            "read_task_window",
            {"task_id": task_id, "after_seq": after_seq, "up_to_seq": up_to_seq, "limit": limit},
        )

    def find(self, prefix: str, *, limit: int = 2) -> tuple[LogRow, ...]:
        """Return the rows whose event id begins with these hex digits: one, none, or more than one.

        Args:
            prefix: 1 to 64 lower-case hex digits.
        """
        assert 0 < len(prefix) <= EVENT_ID_NIBBLES, prefix
        first = bytes.fromhex(prefix.ljust(EVENT_ID_NIBBLES, "0"))
        last = bytes.fromhex(prefix.ljust(EVENT_ID_NIBBLES, "f"))
        return self._rows("find", {"first": first, "last": last, "limit": limit})

    def event(self, event_id: EventId) -> LogRow | None:
        """Return the row of an event, or None when it is not in the log."""
        rows = self.find(event_id.hex(), limit=1)
        return rows[0] if rows else None

    def at(self, seq: Seq) -> LogRow | None:
        """Return the row at a position, or None beyond the head."""
        rows = self._rows("at", {"seq": seq})
        return rows[0] if rows else None

    def positions(self, event_ids: Collection[EventId]) -> Mapping[EventId, Seq]:
        """Return the positions of those of the events that are in the log."""
        if not event_ids:
            return {}
        with translated():
            rows = self.connection.execute(
                LOG_READER["positions"], {"ids": list(event_ids)}, binary=True
            ).fetchall()
        return {EventId(event_id): Seq(seq) for event_id, seq in rows}

    def lanes(self) -> tuple[Lane, ...]:
        """Return all lanes with the roots of their tries, by scope and class."""
        with translated():
            rows = self.connection.execute(LOG_READER["lanes"], binary=True).fetchall()
        return tuple(
            Lane(lane_no, scope, LaneClass(name), Summary(count, Digest(digest)))
            for lane_no, scope, name, count, digest in rows
        )

    def marks(self, scope: str | None = None) -> Marks | None:
        """Return the lanes, all or those of a scope, and the end of the log: of one moment.

        The cut of a lane lies just above its latest event, so that its root is that of the whole
        lane. None when no lane has events.
        """
        if not may_match([scope]):
            return None
        with translated():
            rows = self.connection.execute(
                LOG_READER["marks"], {"scope": scope}, binary=True
            ).fetchall()
        lanes = tuple(
            LaneMark(of, LaneClass(name), last_at + 1, count, Digest(digest))
            for of, name, count, digest, _seq, _chain, last_at in rows
        )
        if not rows:
            return None
        *_, seq, chain, _last_at = rows[0]
        return Marks(Seq(seq), Digest(chain), lanes)

    def _rows(self, query: str, values: Mapping[str, object]) -> tuple[LogRow, ...]:
        with translated():
            found = self.connection.execute(LOG_READER[query], values, binary=True).fetchall()
        return tuple(_row(*columns) for columns in found)


def _row(
    seq: int,
    event_id: bytes,
    scope: str,
    lane_class: str,
    created_at: int,
    received_at: int,
    author: bytes,
    task_id: bytes | None,
    kind: str,
    signature: bytes,
    chain: bytes,
    body: bytes,
) -> LogRow:
    return LogRow(
        seq=Seq(seq),
        event_id=EventId(event_id),
        scope=scope,
        lane_class=LaneClass(lane_class),
        created_at=created_at,
        received_at=received_at,
        author=NodeId(author),
        task_id=None if task_id is None else EventId(task_id),
        kind=kind,
        signature=signature,
        chain=Digest(chain),
        body=body,
    )


def last_seq(rows: Sequence[LogRow], otherwise: Seq) -> Seq:
    """Return the position of the last row, or `otherwise` where there are none."""
    return rows[-1].seq if rows else otherwise
