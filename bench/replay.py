"""The whole log derived anew beside the live tables, as `log replay --verify` does.

Baseline: every event read from the log and decoded, and nothing made of it.
"""

import os
import secrets
import time
from collections.abc import Sequence
from typing import Final

from bench.authoring import Cast, author_events
from bench.database import fill, own_database
from bench.report import Options, Result
from wattswarm.actors.rebuilding import Rebuilder
from wattswarm.kernel.ids import Seq
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.log_reader import START, LogReader, last_seq

EVENTS: Final = 60_000
PAGE: Final = 512


def run(options: Options) -> Sequence[Result]:
    """Measure how fast the derived tables are made from the log."""
    seed = secrets.token_bytes(32)
    cast = Cast.of(seed)
    now_ms = int(time.time() * 1_000)
    wires = author_events(
        seed, options.events or EVENTS, now_ms=now_ms, processes=os.cpu_count() or 1
    )
    with own_database() as database:
        count = fill(database, cast.founding(now_ms), wires)
        return [replayed(database, cast.network_id, count)]


def replayed(database: Database, network_id: str, count: int) -> Result:
    """Measure the rebuild of a log of so many events; the derived tables are there then."""
    raw = _read_rate(database, count)
    rate = _replay_rate(database, network_id, count)
    return Result(metric="replay_events_per_s", value=rate, unit="1/s", baseline=raw, n=count)


def _replay_rate(database: Database, network_id: str, count: int) -> float:
    rebuilder = Rebuilder(database, network_id, _unheard)
    began = time.perf_counter()
    done = rebuilder.run(is_verify_only=False)
    took = time.perf_counter() - began
    assert done.seq == count, (done.seq, count)
    return count / took


def _read_rate(database: Database, count: int) -> float:
    seq, read = START, 0
    began = time.perf_counter()
    with database.connect(Purpose.READER) as connection:
        log = LogReader(connection)
        while rows := log.read(seq, limit=PAGE):
            read += len([row.event() for row in rows])
            seq = last_seq(rows, seq)
    assert read == count, (read, count)
    return read / (time.perf_counter() - began)


def _unheard(_done: Seq, _head: Seq) -> None:
    return
