"""The audit: now and then a task is derived from scratch, and compared with its rows.

What is derived is a function of the log, so a difference is a bug, or damage to the tables. The log
wins: the task is given the rows that it should have.
"""

from typing import Final

import attrs

from wattswarm.actors.deriving import Deriver
from wattswarm.actors.runtime.boundary import Crash
from wattswarm.kernel.ids import Seq, TaskId
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.store.tables import GroupRows

CHOICE: Final = 16
"""Tasks that are looked at for one of this shard's own."""


@attrs.frozen
class Audit:
    """One task, and the tables whose rows were not what the log makes of it; mostly none."""

    task_id: TaskId
    differing: tuple[str, ...]
    group: GroupRows


def audit(connection: Connection, deriver: Deriver, start: bytes, seq: Seq) -> Audit | None:
    """Derive the task at or after `start` again, and compare; None if there is no such task.

    Args:
        connection: A reader's. start: 32 bytes, drawn by chance. seq: Up to where the tables are.
    """
    task_id = _chosen(ProjectionReader(connection), deriver, start)
    if task_id is None:
        return None
    rows = LogReader(connection).events_of_tasks([task_id], seq)[task_id]
    made = deriver.afresh(task_id, rows)
    if isinstance(made, Crash):
        return None
    stored = ProjectionReader(connection).task(task_id)
    differing = tuple(table for table, found in made.rows.items() if stored[table] != found)
    return Audit(task_id, differing, made)


def _chosen(projections: ProjectionReader, deriver: Deriver, start: bytes) -> TaskId | None:
    found = projections.tasks_from(start, limit=CHOICE)
    found = found or projections.tasks_from(b"", limit=CHOICE)
    return next((task_id for task_id in found if deriver.is_ours(task_id)), None)
