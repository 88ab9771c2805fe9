"""The boundary around one task: a bug that strikes it sets it aside, and the rest goes on."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from wattswarm.actors.dispatch.agenda import Agenda
from wattswarm.actors.dispatch.quarantine import Quarantine
from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.runtime.boundary import Crash, attempt, attempt_async
from wattswarm.kernel.ids import TaskId

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Isolation:
    """Tries work on single tasks.

    Args:
        agenda: Where a task that failed is put down to be tried again.
    """

    ctx: Context
    agenda: Agenda
    quarantine: Quarantine = attrs.field(factory=Quarantine)

    def attempt(self, task_id: TaskId, work: Callable[[], T]) -> T | Crash:
        """Return what `work` returns; when it fails, the task is set aside, and told of once."""
        made = attempt(work)
        if isinstance(made, Crash):
            self._set_aside(task_id, made)
        return made

    async def attempt_async(
        self,
        task_id: TaskId,
        work: Callable[[], Awaitable[T]],
        *,
        expected: tuple[type[Exception], ...],
    ) -> T | Crash:
        """Return what `work` returns, as `attempt` does; what is expected is raised on."""
        made = await attempt_async(work, expected=expected)
        if isinstance(made, Crash):
            self._set_aside(task_id, made)
        return made

    def _set_aside(self, task_id: TaskId, crash: Crash) -> None:
        if self.quarantine.admit(task_id, crash.sentence, self.ctx.clock.wall_ms()):
            self.ctx.log.error(
                "task set aside",
                task=task_id.hex(),
                reason=crash.sentence,
                traceback=crash.traceback,
            )
        self.agenda.schedule(task_id, self.quarantine.until_ms(task_id))
