"""A task as a node derives it while events arrive: governance and statements among the others."""

from collections.abc import Iterable

import attrs

from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import KINDS, NOTHING, Changes, Governance
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import TaskMachine


@attrs.define
class Arrivals:
    """What has arrived about one task, and its machine.

    When a statement begins to count that is about its events or their authors, the machine is made
    anew from all of them: what was effective may not be any more.
    """

    task_id: TaskId
    governance: Governance
    machine: TaskMachine = attrs.field(init=False)
    events: dict[EventId, Event] = attrs.field(init=False, factory=dict[EventId, Event])

    def __attrs_post_init__(self) -> None:
        self.machine = TaskMachine(self.task_id, self.governance)

    @property
    def state(self) -> TaskState:
        """The task by all that arrived."""
        return self.machine.state

    def take(self, batch: Iterable[Event]) -> Changes:
        """Take a batch: its governance first, as whoever tails a log does; return what changed."""
        changes, news = NOTHING, list[Event]()
        for event in batch:
            if event.kind in KINDS:
                changes |= self.governance.add(event)
            else:
                news.append(event)
        self.machine.governance_changed(changes.versions)
        if self._is_concerned(changes):
            self.machine = TaskMachine(self.task_id, self.governance)
            self.machine.add(self.events.values())
        self.machine.add(news)
        self.events |= {event.event_id: event for event in news}
        return changes

    def _is_concerned(self, changes: Changes) -> bool:
        if not changes.events.isdisjoint(self.events):
            return True
        return bool(changes.nodes) and any(
            event.author in changes.nodes for event in self.events.values()
        )
