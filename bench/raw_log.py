"""What the log costs without anything that makes it ours: a bare insert, a bare synced append."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattswarm.kernel.event import decode
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.queries import load

RAW: Final = load("raw_log", Path(__file__).parent)
BATCH: Final = 512
APPENDS: Final = 300
APPEND_BYTES: Final = 8 * 640


def insert_rate(database: Database, wires: Sequence[bytes]) -> float:
    """Return how many events per second a bare batched insert stores durably, on a table beside."""
    rows = [(event.event_id, event.body, event.signature) for event in map(decode, wires)]
    with database.connect(Purpose.OWNER) as connection:
        connection.execute(RAW["create"])
        try:
            began = time.perf_counter()
            for at in range(0, len(rows), BATCH):
                _insert(connection, at, rows[at : at + BATCH])
            return len(rows) / (time.perf_counter() - began)
        finally:
            connection.execute(RAW["drop"])


def _insert(connection: Connection, at: int, rows: Sequence[tuple[bytes, bytes, bytes]]) -> None:
    ids, bodies, signatures = map(list, zip(*rows, strict=True))
    connection.execute(
        RAW["insert"], {"at": at, "ids": ids, "bodies": bodies, "signatures": signatures}
    )


def sync_append_ms(path: Path) -> float:
    """Return how long an append to a file with fdatasync takes, in ms."""
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        began = time.perf_counter()
        for _ in range(APPENDS):
            os.write(file, bytes(APPEND_BYTES))
            os.fdatasync(file)
        return (time.perf_counter() - began) * 1_000 / APPENDS
    finally:
        os.close(file)
