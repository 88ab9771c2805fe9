"""One task as the log has it now: what is shown of a single task is derived when it is asked for.

So it is never behind the log, and never differs from what a rebuild would give.
"""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import attrs

from wattswarm.actors.governance_tail import GovernanceTail
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import TaskMachine
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import LogRow

T = TypeVar("T")


@attrs.define(eq=False)
class Governing:
    """Governance as of the last look at the log; shared by the threads that read."""

    tail: GovernanceTail
    _turn: Lock = attrs.field(factory=Lock, init=False)

    def at_head(self, connection: Connection) -> Governance:
        """Return governance with all that the log has of it now."""
        return self.decide(connection, lambda governance: governance)

    def decide(self, connection: Connection, ask: Callable[[Governance], T]) -> T:
        """Return what `ask` makes of governance as it is now, while nobody changes it."""
        with self._turn:
            self.tail.advance(LogReader(connection))
            return ask(self.tail.governance)


@attrs.frozen
class Derived:
    """A task, the rows of the log that it was derived from, in their order, and governance."""

    state: TaskState
    rows: tuple[LogRow, ...]
    governance: Governance


def derive_task(connection: Connection, task_id: TaskId, governing: Governing) -> Derived:
    """Return the task as all of its events make it; it takes about 50 µs an event."""
    rows = LogReader(connection).whole_task(task_id)
    # Read after the events: what they name as their pin is there.
    governance = governing.at_head(connection)
    machine = TaskMachine(task_id, governance)
    machine.add(row.event() for row in rows)
    return Derived(machine.state, rows, governance)
