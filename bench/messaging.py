"""Tells and asks, inside a process and between two."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from bench.actors import SINK, Echo, Take, Taken, tree_of_one
from bench.raw_messages import deque_rate, event_round_trips_us, pair_rate, pair_round_trips_us
from bench.report import Result, middle, percentile
from wattswarm.actors.runtime import Tree, open_tree

TELLS: Final = 200_000
ASKS: Final = 10_000
WARM_UP: Final = 2_000
ROUNDS: Final = 5
BODY: Final = bytes(range(256)) * 4
"""One KiB."""

ANSWER_S: Final = 30.0


async def inside(tells: int = TELLS, asks: int = ASKS) -> Sequence[Result]:
    """Measure two actors' worth of one process."""
    async with ready(in_worker=False) as tree:
        sink: Any = tree.ref(SINK)
        rates = [await _tell_rate(sink, b"", tells // ROUNDS) for _ in range(ROUNDS)]
        took = await _round_trips_us(sink, b"", asks)
    raw_rates = [await deque_rate(tells // ROUNDS) for _ in range(ROUNDS)]
    raw = await event_round_trips_us(asks)
    return [
        _rate("tell_inprocess_per_s", rates, middle(raw_rates), tells),
        _time("ask_inprocess_p50_us", took, raw, 0.5),
        _time("ask_inprocess_p99_us", took, raw, 0.99),
    ]


async def between(tells: int = TELLS // 2, asks: int = ASKS // 2) -> Sequence[Result]:
    """Measure the root process and a worker, with messages of one KiB."""
    async with ready(in_worker=True) as tree:
        sink: Any = tree.ref(SINK)
        rates = [await _tell_rate(sink, BODY, tells // ROUNDS) for _ in range(ROUNDS)]
        took = await _round_trips_us(sink, BODY, asks)
    raw_rates = [pair_rate(BODY, tells // ROUNDS) for _ in range(ROUNDS)]
    raw = pair_round_trips_us(BODY, asks)
    return [
        _rate("tell_process_per_s", rates, middle(raw_rates), tells),
        _time("ask_process_p50_us", took, raw, 0.5),
    ]


@asynccontextmanager
async def ready(*, in_worker: bool) -> AsyncGenerator[Tree]:
    """Run a tree with the one actor, ready."""
    async with open_tree(tree_of_one(in_worker=in_worker)) as tree:
        await tree.wait_ready()
        await _round_trips_us(tree.ref(SINK), BODY, WARM_UP)
        yield tree


async def _tell_rate(sink: Any, body: bytes, count: int) -> float:
    """Return how many messages per second were handled, not merely sent."""
    before: int = await sink.ask(Taken(), deadline_s=ANSWER_S)
    message = Take(body)
    began = time.perf_counter()
    for _ in range(count):
        await sink.tell(message)
    taken: int = await sink.ask(Taken(), deadline_s=ANSWER_S)
    assert taken - before == count, (before, taken)
    return count / (time.perf_counter() - began)


async def _round_trips_us(sink: Any, body: bytes, count: int) -> Sequence[float]:
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await sink.ask(Echo(body), deadline_s=ANSWER_S)
        took.append((time.perf_counter() - began) * 1e6)
    return took


def _rate(metric: str, rates: Sequence[float], raw: float, n: int) -> Result:
    return Result(metric=metric, value=middle(rates), unit="1/s", baseline=raw, n=n)


def _time(metric: str, took: Sequence[float], raw: Sequence[float], share: float) -> Result:
    return Result(
        metric=metric,
        value=percentile(took, share),
        unit="us",
        baseline=percentile(raw, share),
        n=len(took),
    )
