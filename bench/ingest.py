"""Authentic events of others, fed to a real node: verified and durable, then projected.

Closed loop for the rates: a few requests of 256 events are always under way. Open loop for the
delay of an acknowledgement: small requests go out by the clock, whatever becomes of those before.
Baselines: one decode-and-verify loop plus one unnest insert without chain and tries, each on one
core, in the same run; an fdatasync append for the delay.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from bench.authoring import Cast, author_events
from bench.local_node import LocalNode, local_node, wait_projected
from bench.raw_log import insert_rate, sync_append_ms
from bench.report import Options, Result, percentile
from wattswarm.actors.messages import Append, Ingest, Ingested
from wattswarm.kernel.event import decode

EVENTS: Final = 60_000
REQUEST_EVENTS: Final = 256
REQUESTS_UNDER_WAY: Final = 6
SAMPLE: Final = 4_000
"""Events that the baselines are measured with."""

ACK_EVENTS: Final = 8
ACKS_PER_S: Final = 50
ACK_SHARE: Final = 0.05
"""Share of the events that is kept for measuring acknowledgements."""

ANSWER_S: Final = 60.0


@attrs.define
class Feed:
    """What the node has taken so far: (events, seconds since the beginning) after each answer."""

    began: float
    taken: int = 0
    marks: list[tuple[int, float]] = attrs.field(factory=list[tuple[int, float]])

    def take(self, events: int) -> None:
        """Note that so many more are durable."""
        self.taken += events
        self.marks.append((self.taken, time.perf_counter() - self.began))

    @property
    def rate_per_s(self) -> float:
        """Events per second over the whole feed."""
        return self.taken / self.marks[-1][1]

    def flatness(self) -> float:
        """Return the rate of the last tenth over that of the first."""
        tenth = self.taken // 10
        return self._reached(tenth) / (self.marks[-1][1] - self._reached(self.taken - tenth))

    def _reached(self, events: int) -> float:
        return next(at_s for taken, at_s in self.marks if taken >= events)


def run(options: Options) -> Sequence[Result]:
    """Measure a node that takes in other nodes' events."""
    return trio.run(_run, options.events or EVENTS)


async def _run(count: int) -> Sequence[Result]:
    async with local_node({"ingest.enabled": True}) as node:
        cast = Cast.of(node.key.seed)
        await _admit(node, cast)
        now_ms = int(time.time() * 1_000)
        author = partial(author_events, now_ms=now_ms, processes=os.cpu_count() or 1)
        wires = await trio.to_thread.run_sync(author, node.key.seed, count)
        kept = int(len(wires) * ACK_SHARE)
        feed, projected = await _feed(node, wires[kept:])
        delays = await _acks(node, wires[:kept])
        raw_verify = _verify_rate(wires[:SAMPLE])
        raw_insert = insert_rate(node.database, wires[-SAMPLE:])
    raw_durable = 1 / (1 / raw_verify + 1 / raw_insert)
    raw_ms = _sync_ms()
    n = feed.taken
    return [
        _result("ingest_durable_per_s", feed.rate_per_s, "1/s", raw_durable, n),
        _result("ingest_projected_per_s", projected, "1/s", raw_durable, n),
        _result("ingest_flatness", feed.flatness(), "ratio", None, n),
        _result("append_ack_p50_ms", percentile(delays, 0.5), "ms", raw_ms, len(delays)),
        _result("append_ack_p99_ms", percentile(delays, 0.99), "ms", raw_ms, len(delays)),
    ]


async def _admit(node: LocalNode, cast: Cast) -> None:
    """Have the node admit the authors, and hand the roles over to them."""
    events = tuple(event.to_wire() for event in cast.admissions(int(time.time() * 1_000)))
    writer: Any = node.tree.ref("sel_writer")
    await writer.ask(Append(events=events, is_own=True), deadline_s=ANSWER_S)


async def _feed(node: LocalNode, wires: Sequence[bytes]) -> tuple[Feed, float]:
    """Feed everything; return how that went, and the events per second that were projected."""
    feed = Feed(time.perf_counter())
    requests = [
        tuple(wires[at : at + REQUEST_EVENTS]) for at in range(0, len(wires), REQUEST_EVENTS)
    ]
    waiting = iter(requests)
    async with trio.open_nursery() as nursery:
        for _ in range(REQUESTS_UNDER_WAY):
            nursery.start_soon(_send_all, node, waiting, feed)
    await wait_projected(node)
    return feed, feed.taken / (time.perf_counter() - feed.began)


async def _send_all(node: LocalNode, requests: Any, feed: Feed) -> None:
    verifier: Any = node.tree.ref("verifier")
    for request in requests:
        answer: Ingested = await verifier.ask(Ingest(events=request), deadline_s=ANSWER_S)
        assert answer.accepted == len(request), answer
        feed.take(answer.accepted)


async def _acks(node: LocalNode, wires: Sequence[bytes]) -> Sequence[float]:
    """Return how long acknowledgements took, in ms, counted from when each request was due."""
    delays: list[float] = []
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for index, at in enumerate(range(0, len(wires), ACK_EVENTS)):
            due = began + index / ACKS_PER_S
            await trio.sleep_until(due)
            nursery.start_soon(_ack, node, tuple(wires[at : at + ACK_EVENTS]), due, delays)
    return delays


async def _ack(node: LocalNode, events: tuple[bytes, ...], due: float, delays: list[float]) -> None:
    verifier: Any = node.tree.ref("verifier")
    await verifier.ask(Ingest(events=events), deadline_s=ANSWER_S)
    delays.append((trio.current_time() - due) * 1_000)


def _verify_rate(wires: Sequence[bytes]) -> float:
    """Return how many events per second a bare loop decodes and checks, on one core."""
    began = time.perf_counter()
    assert all(decode(wire).is_genuine() for wire in wires)
    return len(wires) / (time.perf_counter() - began)


def _sync_ms() -> float:
    with tempfile.TemporaryDirectory(prefix="wattswarm-bench-") as directory:
        return sync_append_ms(Path(directory) / "log")


def _result(metric: str, value: float, unit: str, baseline: float | None, n: int) -> Result:
    return Result(metric=metric, value=value, unit=unit, baseline=baseline, n=n)
