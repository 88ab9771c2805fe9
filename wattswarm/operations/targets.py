"""What a statement is about: an event, as far as the log knows it."""

import attrs

from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.operations.naming import CREATION, as_task_id, find_prefix
from wattswarm.store.connection import Connection


@attrs.frozen
class EventTarget:
    """An event; of one that is not in the log neither kind nor task is known."""

    name: EventId
    kind: str | None = None
    task_id: TaskId | None = None


def find_target(connection: Connection, name: str) -> EventTarget | Rejection:
    """Return the event of this name: any whose whole id it is, or one in the log by a prefix."""
    row = find_prefix(connection, name)
    if not isinstance(row, Rejection):
        task_id = row.event_id if row.kind == CREATION else row.task_id
        return EventTarget(row.event_id, row.kind, task_id)
    whole = as_task_id(name)
    return row if whole is None else EventTarget(whole)
