"""A part of a log, read page by page: what an archive is made of.

No page depends on the one before but by a position, so each may be read in a session of its own;
and the log only grows, so together they are what one moment's reading would have given.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from wattswarm.kernel.ids import Seq, TaskId
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import LogRow

ROWS: Final = 256
"""Of a page: at most 16 MiB, and a fraction of that of usual events."""


@attrs.frozen(kw_only=True)
class LogPart:
    """Events after one position and up to another: all, or those of one scope or task.

    Events of governance are in it in any case.
    """

    after: Seq
    up_to: Seq
    scope: str | None = None
    task_id: TaskId | None = None

    def page(self, reader: LogReader, after: Seq) -> tuple[Sequence[LogRow], Seq | None]:
        """Return the next rows after a position, and where the next page begins, if there is one.

        A page may be empty before the last one is reached.
        """
        if self.task_id is not None:
            return self._task_page(reader, self.task_id, after)
        end = Seq(min(after + ROWS, self.up_to))
        rows = reader.window(after, end, scope=self.scope) if end > after else ()
        return rows, end if end < self.up_to else None

    def _task_page(
        self, reader: LogReader, task_id: TaskId, after: Seq
    ) -> tuple[Sequence[LogRow], Seq | None]:
        rows = reader.task_window(task_id, after, self.up_to, limit=ROWS)
        return rows, rows[-1].seq if len(rows) == ROWS else None
