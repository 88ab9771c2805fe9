"""A task's state as rows: what projections store, and what digests are made of.

Each family of tables has a file. A table's rows come in the order of their keys. Rows are a
function of the set of events: no position in the log, no time of arrival, no sentence and no body
is in them.
"""

from collections.abc import Mapping
from typing import Final

from wattswarm.kernel.rows import epoch, market, merit, task, upkeep, voting, work
from wattswarm.kernel.rows.table import Column, ColumnType, Row, Rows, Table, TableShape, shape
from wattswarm.kernel.rows.task import Standing, standing
from wattswarm.kernel.state import TaskState

__all__ = [
    "TABLES",
    "Column",
    "ColumnType",
    "Row",
    "Rows",
    "Standing",
    "TableShape",
    "rows",
    "shape",
    "standing",
]

_TABLES: Final[tuple[Table, ...]] = (
    *task.TABLES,
    *work.TABLES,
    *voting.TABLES,
    *epoch.TABLES,
    *upkeep.TABLES,
    *market.TABLES,
    *merit.TABLES,
)

TABLES: Final[Mapping[str, TableShape]] = {each.name: each.shape for each in _TABLES}
"""The tables of a task's group."""


def rows(state: TaskState) -> Rows:
    """Return all rows of a task, for every table of `TABLES`."""
    # Keys stand first in a row and are unique, so that comparing never goes beyond them.
    return {each.name: tuple(sorted(each.make(state))) for each in _TABLES}
