"""Tasks that wait for a free place: of one executor, or among all calls that may be under way.

As many are looked at again as places have become free, in the order in which they came: looking at
all of them for each place would take longer than the work. Pure.
"""

from collections.abc import Callable, Iterator

import attrs

from wattswarm.kernel.ids import TaskId

ANY = ""
"""The name for a place among all calls: no executor is called so."""


@attrs.define
class PlaceQueue:
    """Who waits for which place."""

    _waiting: dict[str, dict[TaskId, None]] = attrs.field(factory=dict[str, dict[TaskId, None]])

    def wait(self, task_id: TaskId, executor: str = ANY) -> None:
        """Have the task looked at when a place of this executor, or any place, is free."""
        self._waiting.setdefault(executor, {})[task_id] = None

    def admit(self, free: Callable[[str], int]) -> Iterator[TaskId]:
        """Yield the tasks whose turn has come; they wait no longer.

        Args:
            free: Tells how many places of an executor, or of all for `ANY`, are free now.
        """
        for executor in list(self._waiting):
            tasks = self._waiting[executor]
            for _ in range(min(len(tasks), max(0, free(executor)))):
                task_id = next(iter(tasks))
                del tasks[task_id]
                yield task_id
            if not tasks:
                del self._waiting[executor]

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))
