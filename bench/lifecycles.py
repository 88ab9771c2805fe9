"""Whole lives of tasks on a node whose log is long already: does what it knows make it slower?

The log is filled with tasks that others carried to their end, and the roles are handed back to the
node, before it starts; it is measured once it has projected all of that, and once the database has
tidied up after so much at once, as it would by itself in the minutes that follow. Baseline: as in
`tasks`.
"""

import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import trio

from bench.authoring import Cast, author_events
from bench.database import fill
from bench.local_node import local_node, wait_projected
from bench.report import Result
from bench.tasks import EXECUTORS, lifecycle_rate, raw_rate, register, trivial_executors
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import draft_update, sign
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import ALL_ROLES, successor
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.queries import load

LIFECYCLES: Final = load("lifecycles", Path(__file__).parent)

SIZES: Final = (1_000, 100_000, 1_000_000)
SIZE_MAX: Final = 100_000
"""The largest log unless more is asked for."""

SECONDS: Final = 4.0
CHUNK: Final = 100_000
"""So many events are authored at a time."""

CHUNK_MS: Final = 60_000
READY_S: Final = 600.0
"""A node that starts on a long log looks at all of it once."""


def sizes(events: int | None) -> Sequence[int]:
    """Return the sizes of log to measure: those up to the one that is asked for, and that one."""
    most = events or SIZE_MAX
    return sorted({most, *(size for size in SIZES if size <= most)})


def name(size: int) -> str:
    """Return the metric of a size: `lifecycles_per_s_1e5` for a hundred thousand."""
    zeros = len(str(size)) - 1
    return f"lifecycles_per_s_{f'1e{zeros}' if size == 10**zeros else size}"


async def lifecycles(lengths: Sequence[int], seconds: float = SECONDS) -> Sequence[Result]:
    """Measure a node on logs of these lengths, one after the other."""
    with trivial_executors(EXECUTORS) as urls:
        found = [await _rate(length, urls, seconds) for length in lengths]
        raw = await raw_rate(urls)
    return [
        Result(metric=name(length), value=rate, unit="1/s", baseline=raw, n=lives)
        for length, (rate, lives) in zip(lengths, found, strict=True)
    ]


async def _rate(length: int, urls: Sequence[str], seconds: float) -> tuple[float, int]:
    async with local_node(before=partial(prefill, length=length)) as node:
        await wait_projected(node)
        await trio.to_thread.run_sync(tidy, node.database)
        await register(node, urls)
        return await lifecycle_rate(node, seconds, ready_s=READY_S)


def prefill(database: Database, key: KeyPair, *, length: int) -> None:
    """Put as many events, or a few more, of others into the log of a node that has not started."""
    cast, now_ms = Cast.of(key.seed), int(time.time() * 1_000)
    first: Sequence[Event] = [*cast.founding(now_ms), *hand_back(cast, now_ms)]
    chunks = range(0, length, CHUNK)
    for at in chunks:
        wires = author_events(
            key.seed,
            min(CHUNK, length - at),
            now_ms=now_ms - (len(chunks) - at // CHUNK) * CHUNK_MS,
            processes=os.cpu_count() or 1,
        )
        fill(database, first, wires)
        first = ()


def tidy(database: Database) -> None:
    """Have the database do now what it would do behind the measurement."""
    with database.connect(Purpose.OWNER) as connection:
        connection.execute(LIFECYCLES["tidy"])


def hand_back(cast: Cast, at_ms: int) -> Sequence[Event]:
    """Return the event by which the authors give all roles back to the node."""
    version = successor(cast.version, members={cast.founder.node_id: ALL_ROLES})
    sigs = {author.node_id: sign(cast.network_id, version, author) for author in cast.authors}
    return [draft_update(version, sigs, at_ms).sign(cast.network_id, cast.authors[0])]
