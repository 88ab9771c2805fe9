"""The order in which a stream tells what happened: pure.

An event of a task is told as soon as it is in the log. That its task moved is told when the
projections have it, in the order of the log, each task once per look, at its last event so far. So
whoever resumes after the last completed seq that it saw misses nothing: every task with an event at
or before it has been told. An event without a task waits its turn among these.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.ids import Seq, TaskId
from wattswarm.operations.event_view import event_news
from wattswarm.store.log_record import LogRow
from wattswarm.surface.stream import EventNews, News, TaskNews

WAITING_MAX: Final = 2_048
"""Rows that may wait for the projections before no more are read: the log keeps the rest."""

UNDERIVED: Final = "quarantined"


@attrs.define
class Unfolding:
    """How far one stream has read, and what it still owes."""

    read_seq: Seq
    _waiting: deque[LogRow] = attrs.field(factory=deque[LogRow], init=False)

    @property
    def room(self) -> int:
        """How many more rows may be read now."""
        return WAITING_MAX - len(self._waiting)

    @property
    def is_settled(self) -> bool:
        """Whether everything that was read was told."""
        return not self._waiting

    def take(self, rows: Sequence[LogRow]) -> list[News]:
        """Return what is told of the next rows at once."""
        if rows:
            self.read_seq = rows[-1].seq
        self._waiting.extend(rows)
        return [event_news(row) for row in rows if row.task_id is not None]

    def due(self, projected: Seq) -> frozenset[TaskId]:
        """Return the tasks whose moves can be told now."""
        derived = (row.task_id for row in self._waiting if row.seq <= projected)
        return frozenset(task_id for task_id in derived if task_id is not None)

    def complete(self, projected: Seq, words: Mapping[TaskId, str]) -> list[News]:
        """Return what can be told now that the projections have come so far."""
        rows: list[LogRow] = []
        while self._waiting and self._waiting[0].seq <= projected:
            rows.append(self._waiting.popleft())
        last = {row.task_id: row.seq for row in rows}
        return [
            _told(row, words) for row in rows if row.task_id is None or last[row.task_id] == row.seq
        ]


def _told(row: LogRow, words: Mapping[TaskId, str]) -> EventNews | TaskNews:
    if row.task_id is None:
        return event_news(row)
    word = words.get(row.task_id, UNDERIVED)
    return TaskNews(seq=row.seq, task_id=row.task_id.hex(), state=word)
