"""Restarts: from the end of an incarnation to the first message that the next one handles."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import trio

from bench.actors import SINK, Crash, Who
from bench.local_node import local_node
from bench.messaging import ready
from bench.report import Result, middle
from wattswarm.actors.messages import Append
from wattswarm.actors.runtime import Down, Refused, TooSlow
from wattswarm.kernel.governance import draft_admission
from wattswarm.kernel.ids import NodeId
from wattswarm.store.connection import Purpose

ACTOR_CRASHES: Final = 50
WORKER_KILLS: Final = 5
WRITER_KILLS: Final = 3
TRY_S: Final = 2.0
PAUSE_S: Final = 0.001
SPARE_S: Final = 2.0
"""Time for the next spare to be ready."""

GIVE_UP_S: Final = 20.0


async def restarts(crashes: int = ACTOR_CRASHES, kills: int = WORKER_KILLS) -> Sequence[Result]:
    """Measure an actor that crashes, and a worker that is killed while a spare waits."""
    async with ready(in_worker=False) as tree:
        actor = [await _crash_ms(tree.ref(SINK)) for _ in range(crashes)]
        raw = [await _task_ms() for _ in range(crashes)]
    worker: list[float] = []
    async with ready(in_worker=True) as tree:
        for _ in range(kills):
            await trio.sleep(SPARE_S)
            worker.append(await _kill_ms(tree.ref(SINK)))
    cold = [await trio.to_thread.run_sync(_interpreter_ms) for _ in range(kills)]
    return [
        _result("restart_actor_ms", actor, raw),
        _result("restart_worker_ms", worker, cold),
    ]


async def writer_restarts(kills: int = WRITER_KILLS) -> Sequence[Result]:
    """Measure the log's writer in a real node: killed, until it acknowledges an event again."""
    took: list[float] = []
    async with local_node({"groups.log.restarts_max": 2 * kills}) as node:
        writer: Any = node.tree.ref("sel_writer")

        def event() -> bytes:
            draft = draft_admission(NodeId(secrets.token_bytes(32)), int(time.time() * 1_000))
            return draft.sign(node.network_id, node.key).to_wire()

        for _ in range(kills):
            await trio.sleep(SPARE_S)
            wire = event()
            began = time.perf_counter()
            node.tree.kill("log", signal.SIGKILL)
            await _asked(writer, Append(events=(wire,), is_own=True))
            took.append((time.perf_counter() - began) * 1_000)
        raw = [_connect_ms(node.database) for _ in range(kills)]
    return [_result("restart_sel_writer_ms", took, raw)]


async def _crash_ms(sink: Any) -> float:
    before, _ = await sink.ask(Who(), deadline_s=TRY_S)
    began = time.perf_counter()
    await sink.tell(Crash())
    incarnation, _ = await _asked(sink, Who())
    assert incarnation > before, (before, incarnation)
    return (time.perf_counter() - began) * 1_000


async def _kill_ms(sink: Any) -> float:
    _, pid = await sink.ask(Who(), deadline_s=TRY_S)
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    _, now = await _asked(sink, Who())
    assert now != pid, pid
    return (time.perf_counter() - began) * 1_000


async def _asked(ref: Any, question: Any) -> Any:
    """Return the answer, asking again while the other side is away."""
    give_up = trio.current_time() + GIVE_UP_S
    while True:
        try:
            return await ref.ask(question, deadline_s=TRY_S)
        except (Down, Refused, TooSlow):
            if trio.current_time() > give_up:
                raise
        await trio.sleep(PAUSE_S)


async def _task_ms() -> float:
    """Return how long a bare task takes to fail and to be started again."""
    began = time.perf_counter()
    handled = trio.Event()

    async def fail() -> None:
        raise ValueError("as told")

    async def handle() -> None:
        handled.set()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
    except* ValueError:
        pass
    async with trio.open_nursery() as nursery:
        nursery.start_soon(handle)
        await handled.wait()
    return (time.perf_counter() - began) * 1_000


def _interpreter_ms() -> float:
    """Return how long a bare interpreter takes until it could take a message."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import cbor2, trio"], check=True)
    return (time.perf_counter() - began) * 1_000


def _connect_ms(database: Any) -> float:
    began = time.perf_counter()
    database.connect(Purpose.LOG).close()
    return (time.perf_counter() - began) * 1_000


def _result(metric: str, took: Sequence[float], raw: Sequence[float]) -> Result:
    return Result(metric=metric, value=middle(took), unit="ms", baseline=middle(raw), n=len(took))
