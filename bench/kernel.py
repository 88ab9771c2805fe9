"""The kernel at work: deriving, whole lives of tasks on long logs, replay, room, and the laws.

Each part has its file, which says what its baseline is. `--events 1000000` measures lives of tasks
on a log of a million events as well, which takes minutes to make; `--seconds` is for each log.
"""

import os
import secrets
import time
from collections.abc import Sequence
from typing import Final

import trio

from bench import lifecycles
from bench.authoring import Cast, author_events
from bench.database import fill, own_database
from bench.deriving import derive_costs
from bench.law_histories import law_rate
from bench.projection_size import projection_bytes
from bench.replay import replayed
from bench.report import Options, Result

REPLAYED: Final = 8_000


def run(options: Options) -> Sequence[Result]:
    """Measure all parts, the ones without a database first."""
    return [
        *derive_costs(),
        law_rate(),
        *_rebuilt(min(REPLAYED, options.events or REPLAYED)),
        *trio.run(
            lifecycles.lifecycles,
            lifecycles.sizes(options.events),
            options.seconds or lifecycles.SECONDS,
        ),
    ]


def _rebuilt(events: int) -> Sequence[Result]:
    """Derive a log anew, and look how much room that takes."""
    seed, now_ms = secrets.token_bytes(32), int(time.time() * 1_000)
    cast = Cast.of(seed)
    wires = author_events(seed, events, now_ms=now_ms, processes=os.cpu_count() or 1)
    with own_database() as database:
        count = fill(database, cast.founding(now_ms), wires)
        return [replayed(database, cast.network_id, count), projection_bytes(database, count)]
