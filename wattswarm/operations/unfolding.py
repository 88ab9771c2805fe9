"""The order in which a stream tells what happened: pure.

An event of a task is told as soon as it is in the log. That its task moved is told when the
projections have it, in the order of the log, each task once per look, at its last event so far. So
whoever resumes after the last completed seq that it saw misses nothing: every task with an event at
or before it has been told. An event without a task waits its turn among these.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.ids import Seq, TaskId
from wattswarm.operations.event_view import event_news
from wattswarm.store.log_record import LogRow
from wattswarm.surface.stream import News, TaskNews

WAITING_MAX: Final = 2_048
"""Rows that may wait for the projections before no more are read: the log keeps the rest."""

UNDERIVED: Final = "quarantined"


@attrs.define
class Unfolding:
    """How far one stream has read, and what it still owes."""

    read_seq: Seq
    _told_seq: Seq = attrs.field(default=Seq(0), init=False)
    """Events of tasks are told up to here."""
    _waiting: deque[LogRow] = attrs.field(factory=deque[LogRow], init=False)

    @property
    def room(self) -> int:
        """How many more rows may be read now."""
        return WAITING_MAX - len(self._waiting)

    @property
    def is_settled(self) -> bool:
        """Whether everything that was read was told."""
        return not self._waiting

    def due(self, rows: Sequence[LogRow], projected: Seq) -> frozenset[TaskId]:
        """Return the tasks that `tell` will need the words of."""
        derived = (row.task_id for row in (*self._waiting, *rows) if row.seq <= projected)
        return frozenset(task_id for task_id in derived if task_id is not None)

    def tell(
        self, rows: Sequence[LogRow], projected: Seq, words: Mapping[TaskId, str]
    ) -> list[News]:
        """Take the next rows, and return what can be told now."""
        self._waiting.extend(rows)
        complete: list[LogRow] = []
        while self._waiting and self._waiting[0].seq <= projected:
            complete.append(self._waiting.popleft())
        last = {row.task_id: row.seq for row in complete}
        told = [news for row in complete for news in self._completed(row, last, words)]
        told += [event_news(row) for row in self._waiting if self._is_new(row)]
        if rows:
            self.read_seq = self._told_seq = rows[-1].seq
        return told

    def _completed(
        self, row: LogRow, last: Mapping[TaskId | None, Seq], words: Mapping[TaskId, str]
    ) -> Iterator[News]:
        """Yield the event, if it was not told before, and its task if this is the last of it."""
        if row.task_id is None:
            yield event_news(row)
            return
        if self._is_new(row):
            yield event_news(row)
        if row.seq == last[row.task_id]:
            word = words.get(row.task_id, UNDERIVED)
            yield TaskNews(seq=row.seq, task_id=row.task_id.hex(), state=word)

    def _is_new(self, row: LogRow) -> bool:
        return row.task_id is not None and row.seq > self._told_seq
