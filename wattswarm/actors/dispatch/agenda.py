"""Which tasks are to be looked at, and when. Pure: time comes in as `now_ms`."""

import heapq
from typing import Final

import attrs

from wattswarm.kernel.ids import TaskId

STALE_MIN: Final = 1_024
"""Dates that were set and are not meant any more are swept out from here on."""


@attrs.define
class Agenda:
    """Tasks that changed, in the order in which they did, and tasks that wait for a date."""

    _changed: dict[TaskId, None] = attrs.field(factory=dict[TaskId, None])
    _dates: dict[TaskId, int] = attrs.field(factory=dict[TaskId, int])
    _heap: list[tuple[int, TaskId]] = attrs.field(factory=list[tuple[int, TaskId]])

    def mark(self, task_id: TaskId) -> None:
        """Have the task looked at as soon as may be."""
        self._changed[task_id] = None

    def schedule(self, task_id: TaskId, at_ms: int | None) -> None:
        """Have the task looked at on a date, instead of any that was set before; None: on none."""
        if at_ms is None:
            self._dates.pop(task_id, None)
        elif self._dates.get(task_id) != at_ms:
            self._dates[task_id] = at_ms
            heapq.heappush(self._heap, (at_ms, task_id))
            self._sweep()

    def advance(self, task_id: TaskId, at_ms: int) -> None:
        """Have the task looked at on a date, unless it is to be looked at before that."""
        self.schedule(task_id, min(at_ms, self._dates.get(task_id, at_ms)))

    def _sweep(self) -> None:
        """Keep what was set and not meant any more from outgrowing what is."""
        if len(self._heap) > STALE_MIN + 2 * len(self._dates):
            self._heap = [(at_ms, task_id) for task_id, at_ms in self._dates.items()]
            heapq.heapify(self._heap)

    def take(self, now_ms: int, limit: int) -> list[TaskId]:
        """Return tasks whose turn has come, at most `limit`; they are off the agenda."""
        while (at_ms := self.next_at_ms()) is not None and at_ms <= now_ms:
            _, task_id = heapq.heappop(self._heap)
            del self._dates[task_id]
            self._changed[task_id] = None
        taken = list(self._changed)[:limit]
        for task_id in taken:
            del self._changed[task_id]
        return taken

    def next_at_ms(self) -> int | None:
        """Return the earliest date that is set; what `take` gives now needs no waiting for it."""
        while self._heap:
            at_ms, task_id = self._heap[0]
            if self._dates.get(task_id) == at_ms:
                return at_ms
            heapq.heappop(self._heap)
        return None

    @property
    def has_changed(self) -> bool:
        """Whether a task's turn has come already."""
        return bool(self._changed)

    @property
    def room_taken(self) -> int:
        """How many dates are held, those included that are not meant any more."""
        return len(self._heap)
