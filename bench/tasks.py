"""Whole lives of tasks: created, proposed, verified, decided and final, through HTTP executors.

So many tasks are always open. Baseline: nothing but the HTTP calls that each life takes (one to
propose, two to verify), made by the same client to the same executors, as many at a time.
"""

import json
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import httpx2
import trio

from bench.local_node import LocalNode, local_node
from bench.report import Options, Result
from wattswarm.actors.messages import Append, Appended, ExecutorsChanged
from wattswarm.executors.contract import ExecuteRequest
from wattswarm.executors.fields import Json
from wattswarm.kernel import contract
from wattswarm.kernel.decide.creation import create_task
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import Seq
from wattswarm.kernel.payloads import DecisionFinalized
from wattswarm.store.connection import Purpose
from wattswarm.store.local import Executors
from wattswarm.store.log_reader import LogReader, last_seq

SECONDS: Final = 20.0
WARM_UP_S: Final = 3.0
OPEN: Final = 48
"""Tasks that are open at one time."""

EXECUTORS: Final = 2
CALLS_AT_ONCE: Final = 16
CALLS_OF_A_LIFE: Final = 3
RAW_LIVES: Final = 200
ANSWER_S: Final = 30.0
LOOK_S: Final = 0.02
PAGE: Final = 1_024
READY_S: Final = 20.0
DOCUMENT: Final = {"name": "bench", "task_type": "bench", "inputs": {"text": "nothing to do"}}


@attrs.define
class Lives:
    """How many tasks were created and have become final, after a position of the log."""

    after: Seq
    created: int = 0
    final: int = 0
    room: trio.Semaphore = attrs.field(factory=lambda: trio.Semaphore(OPEN))


def run(options: Options) -> Sequence[Result]:
    """Measure how many tasks a node carries from creation to finality."""
    return trio.run(_run, options.seconds or SECONDS)


async def _run(seconds: float) -> Sequence[Result]:
    with trivial_executors(EXECUTORS) as urls:
        async with local_node() as node:
            await register(node, urls)
            rate, lives = await lifecycle_rate(node, seconds)
        raw = await raw_rate(urls)
    return [Result(metric="task_lifecycles_per_s", value=rate, unit="1/s", baseline=raw, n=lives)]


async def lifecycle_rate(
    node: LocalNode, seconds: float, *, ready_s: float = READY_S
) -> tuple[float, int]:
    """Return how many tasks per second a node with executors makes final, and how many it made.

    Args:
        ready_s: How long the first of them may take, of a node that has a log to catch up with.
    """
    lives = Lives(_head(node))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_create, node, lives)
        nursery.start_soon(_follow, node, lives)
        await _first(lives, ready_s)
        await trio.sleep(WARM_UP_S)
        before, began = lives.final, trio.current_time()
        await trio.sleep(seconds)
        made, took = lives.final - before, trio.current_time() - began
        nursery.cancel_scope.cancel()
    return made / took, made


async def register(node: LocalNode, urls: Sequence[str]) -> None:
    """Put executors into the node's registry."""
    with node.database.connect(Purpose.LOCAL) as connection:
        for index, url in enumerate(urls):
            Executors(connection).put(f"trivial-{index}", _record(index, url))
    dispatcher: Any = node.tree.ref("executor_dispatcher")
    dispatcher.offer(ExecutorsChanged())


def _record(index: int, url: str) -> dict[str, Json]:
    return {
        "name": f"trivial-{index}",
        "base_url": url,
        "profile": "default",
        "concurrency": CALLS_AT_ONCE,
    }


@contextmanager
def trivial_executors(count: int) -> Generator[Sequence[str]]:
    """Run executor processes as long as the block lasts; the value is their addresses."""
    started = [
        subprocess.Popen([sys.executable, "-m", "bench.trivial_executor"], stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    try:
        yield [_address(process) for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.communicate()


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    return str(said["url"])


async def _create(node: LocalNode, lives: Lives) -> None:
    """Create a task whenever there is room for one more."""
    governance, network_id = _governance(node), node.network_id
    async with trio.open_nursery() as nursery:
        while True:
            await lives.room.acquire()
            nursery.start_soon(_create_one, node, governance, network_id, lives)


async def _create_one(
    node: LocalNode, governance: Governance, network_id: str, lives: Lives
) -> None:
    lives.created += 1
    draft = create_task(
        {**contract.sample(), **DOCUMENT, "name": f"bench {lives.created}"},
        governance=governance,
        network_id=network_id,
        key_node=node.key.node_id,
        now_ms=int(time.time() * 1_000),
    )
    assert not isinstance(draft, Rejection), draft.details
    event = draft.sign(network_id, node.key)
    writer: Any = node.tree.ref("sel_writer")
    request = Append(events=(event.to_wire(),), is_own=True)
    answer = await writer.ask(request, deadline_s=ANSWER_S)
    assert isinstance(answer, Appended), answer


async def _follow(node: LocalNode, lives: Lives) -> None:
    """Count the tasks that become final, and make room for others."""
    seq = lives.after
    with node.database.connect(Purpose.READER) as connection:
        log = LogReader(connection)
        while True:
            rows = log.read(seq, limit=PAGE)
            seq = last_seq(rows, seq)
            for row in rows:
                if row.kind == DecisionFinalized.kind:
                    lives.final += 1
                    lives.room.release()
            await trio.sleep(LOOK_S)


def _head(node: LocalNode) -> Seq:
    with node.database.connect(Purpose.READER) as connection:
        return LogReader(connection).head().seq


async def _first(lives: Lives, ready_s: float) -> None:
    give_up = trio.current_time() + ready_s
    while not lives.final:
        assert trio.current_time() < give_up, "no task became final"
        await trio.sleep(LOOK_S)


def _governance(node: LocalNode) -> Governance:
    governance = Governance(node.network_id)
    with node.database.connect(Purpose.READER) as connection:
        for row in LogReader(connection).governance_events():
            governance.add(row.event())
    return governance


async def raw_rate(urls: Sequence[str]) -> float:
    """Return how many lives' bare HTTP calls per second these executors answer."""
    waiting = iter(range(RAW_LIVES))
    began = trio.current_time()
    async with httpx2.AsyncClient() as client, trio.open_nursery() as nursery:
        for _ in range(CALLS_AT_ONCE):
            nursery.start_soon(_raw_lives, client, urls, waiting)
    return RAW_LIVES / (trio.current_time() - began)


async def _raw_lives(
    client: httpx2.AsyncClient, urls: Sequence[str], waiting: Iterator[int]
) -> None:
    for number in waiting:
        for call in range(CALLS_OF_A_LIFE):
            name = f"{CALLS_OF_A_LIFE * number + call:064x}"
            request = ExecuteRequest(
                task_id=name, execution_id=name, task_type="bench", profile="default", inputs={}
            )
            answer = await client.post(
                f"{urls[call % len(urls)]}/execute",
                json=request.to_json(),
                headers={"idempotency-key": name},
            )
            answer.raise_for_status()
