"""An embedded database of its own, with a log that is filled the short way."""

import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from wattswarm.kernel.event import Event, decode
from wattswarm.store.connection import Database
from wattswarm.store.embedded import running
from wattswarm.store.event_log import LogWriter
from wattswarm.store.log_record import Entry
from wattswarm.store.migrate import migrate

BATCH: Final = 512


@contextmanager
def own_database() -> Generator[Database]:
    """Have a database with our tables as long as the block lasts."""
    with (
        tempfile.TemporaryDirectory(prefix="wattswarm-bench-") as directory,
        running(Path(directory)) as server,
    ):
        database = Database(server.dsn)
        migrate(database)
        yield database


def fill(database: Database, first: Sequence[Event], wires: Sequence[bytes]) -> int:
    """Append governance and then these events, as the node's writer does; return how many."""
    with closing(LogWriter(database)) as writer:
        writer.open()
        if first:
            _append(writer, first)
        for at in range(0, len(wires), BATCH):
            _append(writer, [decode(wire) for wire in wires[at : at + BATCH]])
    return len(first) + len(wires)


def _append(writer: LogWriter, events: Sequence[Event]) -> None:
    now_ms = int(time.time() * 1_000)
    writer.append([[Entry(event=event, received_at=now_ms) for event in events]])
