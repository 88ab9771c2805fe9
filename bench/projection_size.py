"""The room that derived state takes: its tables with their indexes, beside the log's bodies."""

from pathlib import Path
from typing import Final

from bench.report import Result
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.queries import load

SIZE: Final = load("projection_size", Path(__file__).parent)


def projection_bytes(database: Database, events: int) -> Result:
    """Measure the derived schema of a log of so many events, all of them projected."""
    with database.connect(Purpose.OWNER) as connection:
        derived = _number(connection, "derived_bytes", schema=database.derived_schema)
        bodies = _number(connection, "body_bytes")
    return Result(
        metric="projection_bytes_per_event",
        value=derived / events,
        unit="bytes",
        baseline=bodies / events,
        n=events,
    )


def _number(connection: Connection, query: str, **given: str) -> int:
    row = connection.execute(SIZE[query], given).fetchone()
    assert row is not None, query
    return int(row[0])
