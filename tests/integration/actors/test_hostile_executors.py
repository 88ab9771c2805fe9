"""Executors, contracts and disks that mean ill: they cost their own task, and nothing else."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partialmethod
from pathlib import Path
from typing import cast

import attrs
import pytest
import trio

from tests.support.actor_tree import ActorTree, actor_tree, until
from wattswarm.actors.dispatch import crew
from wattswarm.actors.messages import ExecutorsChanged
from wattswarm.executors import ExecuteRequest, Executor, VerifyRequest
from wattswarm.executors.fields import Json
from wattswarm.kernel import contract
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.ids import TaskId
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.errors import StoreError, StoreFull, StoreUnavailable
from wattswarm.store.local import Executors
from wattswarm.store.log_reader import LogReader

TERMS = {**contract.sample(), "independence": "none", "lease_ms": 20_000}
DOUBLING = {
    "$defs": {
        f"d{depth}": {"allOf": [{"$ref": f"#/$defs/d{depth + 1}"}] * 2} for depth in range(60)
    }
    | {"d60": {"type": "object"}},
    "$ref": "#/$defs/d0",
}
"""Refers twice to what refers twice, sixty times: 2**60 steps."""


async def at_once() -> None:
    """Hold no work up."""


@attrs.define
class Odd:
    """An executor that works when it is let, and ends each verification as it is told to."""

    hold: Callable[[], Awaitable[None]] = at_once
    change: Callable[[Executor], object] = id
    calls: int = 0

    def executor(self) -> Executor:
        made = Executor(name="odd", task_types=["*"], profiles=["*"])

        @made.execute
        async def work(request: ExecuteRequest) -> Mapping[str, Json]:
            self.calls += 1
            await self.hold()
            return {"answer": "yes", "confidence": 0.9}

        @made.verify
        async def check(request: VerifyRequest) -> bool:
            self.change(made)
            return True

        return made

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        await self.executor().serve("127.0.0.1:0", task_status=task_status)


@attrs.define
class Stage:
    """A node, and the registry that its executor stands in."""

    node: ActorTree
    url: str

    def register(self, **settings: Json) -> None:
        with self.node.database.connect(Purpose.LOCAL) as connection:
            Executors(connection).put("odd", {"name": "odd", "base_url": self.url, **settings})
        self.node.tree.ref("executor_dispatcher").offer(ExecutorsChanged())

    async def remove(self) -> None:
        with self.node.database.connect(Purpose.LOCAL) as connection:
            assert Executors(connection).remove("odd")
        self.node.tree.ref("executor_dispatcher").offer(ExecutorsChanged())
        await self.wait_known([])

    async def wait_known(self, names: list[str]) -> None:
        """Return once the dispatcher knows exactly these executors."""
        with trio.fail_after(10):
            while True:
                said = await self.node.tree.inspect("executor_dispatcher")
                if list(cast("Mapping[str, object]", said["executors"])) == names:
                    return
                await trio.sleep(0.02)

    async def wait_error(self, task_id: TaskId) -> str:
        """Return what the first error of a task says."""

        def look() -> str | None:
            errors = self.node.state(task_id).errors.values()
            return next((error.message for error in errors), None)

        return str(await until(look, "the task has an error"))


@asynccontextmanager
async def stage(odd: Odd, database: Database, folder: Path) -> AsyncGenerator[Stage]:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(odd.serve)
        async with actor_tree(database, folder) as node:
            made = Stage(node, url)
            made.register()
            yield made
            assert node.crashes == []
        nursery.cancel_scope.cancel()


async def test_work_in_flight_outlives_the_removal_of_its_executor(
    database: Database, tmp_path: Path
) -> None:
    begun, let = trio.Event(), trio.Event()

    async def hold() -> None:
        begun.set()
        await let.wait()

    odd = Odd(hold=hold)
    async with stage(odd, database, tmp_path) as on:
        task_id = await on.node.submit(TERMS)
        await begun.wait()
        await on.remove()
        let.set()
        await until(lambda: on.node.state(task_id).candidates or None, "there is a candidate")
        assert odd.calls == 1
        on.register()
        await on.node.wait_final(task_id)


async def test_work_in_flight_is_not_asked_for_again_when_settings_change(
    database: Database, tmp_path: Path
) -> None:
    begun, let = trio.Event(), trio.Event()

    async def hold() -> None:
        begun.set()
        await let.wait()

    odd = Odd(hold=hold)
    async with stage(odd, database, tmp_path) as on:
        task_id = await on.node.submit(TERMS)
        await begun.wait()
        await on.remove()
        on.register(concurrency=2)
        await on.wait_known(["odd"])
        let.set()
        await on.node.wait_final(task_id)
        assert odd.calls == 1


@pytest.mark.parametrize("said", ["p\0q", "\u00e9" * 100, "line\nbreak"])
async def test_a_verifier_whose_name_no_event_can_hold_costs_one_error(
    database: Database, tmp_path: Path, said: str
) -> None:
    def change(executor: Executor) -> None:
        executor.provider_family = said

    async with stage(Odd(change=change), database, tmp_path) as on:
        task_id = await on.node.submit({**TERMS, "max_attempts": 1})
        assert "provider_family" in await on.wait_error(task_id)


async def test_a_schema_without_end_costs_its_task_one_error_and_others_go_on(
    database: Database, tmp_path: Path
) -> None:
    async with stage(Odd(), database, tmp_path) as on:
        trap = await on.node.submit({**TERMS, "max_attempts": 1, "output_schema": DOUBLING})
        good = await on.node.submit(TERMS)
        await on.node.wait_final(good)
        assert "takes longer than" in await on.wait_error(trap)


@pytest.mark.parametrize("error", [StoreFull(message="no room"), StoreUnavailable(message="EROFS")])
async def test_on_a_full_disk_work_waits_and_is_done_once_there_is_room(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: StoreError
) -> None:
    monkeypatch.setattr(crew, "NO_ROOM_PAUSE_MS", 300)
    refused = trio.Event()
    put, here = ArtifactStore.put, trio.lowlevel.current_trio_token()

    def full(self: ArtifactStore, body: bytes, mime: str) -> ArtifactRef:
        here.run_sync_soon(refused.set)
        raise error

    monkeypatch.setattr(ArtifactStore, "put", full)
    odd = Odd()
    async with stage(odd, database, tmp_path) as on:
        task_id = await on.node.submit(TERMS)
        await refused.wait()
        monkeypatch.setattr(ArtifactStore, "put", put)
        await on.node.wait_final(task_id)
        assert on.node.state(task_id).errors == {}


async def test_a_task_of_many_events_is_read_whole(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = LogReader.task_events
    monkeypatch.setattr(LogReader, "task_events", partialmethod(read, limit=1))
    async with stage(Odd(), database, tmp_path) as on:
        task_id = await on.node.submit(TERMS)
        await on.node.wait_final(task_id)
        # Whoever has seen only a part of a task signs what stands there already.
        await on.node.tree.restart("executor_dispatcher")
        await on.node.wait_final(await on.node.submit(TERMS))
        with database.connect(Purpose.READER) as connection:
            rows = LogReader(connection).whole_task(task_id)
        assert [row.event_id for row in rows] == [
            row.event_id for row in on.node.rows() if row.task_id == task_id
        ]
