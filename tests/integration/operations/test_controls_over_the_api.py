"""Stopping, suspending, resuming and killing a task while its executor works."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from tests.support import actors
from tests.support.actor_tree import until
from tests.support.api_node import ApiNode, api_node
from wattswarm.executors import ExecuteAnswer, ExecuteRequest, Executor
from wattswarm.store.connection import Database

CONTRACT = {"task_type": "wait", "inputs": {}}


@attrs.define
class Worker:
    """An executor whose work ends when it is let go."""

    let_go: trio.Event = attrs.field(factory=trio.Event)
    asked: list[str] = attrs.field(factory=list[str])

    def executor(self) -> Executor:
        made = Executor(name="worker", task_types=["*"], profiles=["*"])

        @made.execute
        async def work(request: ExecuteRequest) -> ExecuteAnswer:
            self.asked.append(request.execution_id)
            await self.let_go.wait()
            return ExecuteAnswer(candidate_output={"answer": "yes", "confidence": 0.9})

        return made

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        await self.executor().serve("127.0.0.1:0", task_status=task_status)


@asynccontextmanager
async def at_work(
    worker: Worker, database: Database, folder: Path
) -> AsyncGenerator[tuple[ApiNode, str]]:
    """Give a node and a task that its executor has begun to work on."""
    async with trio.open_nursery() as nursery:
        url = await nursery.start(worker.serve)
        async with api_node(database, folder) as node:
            await node.post("/executors", {"name": "worker", "base_url": url})
            task_id = (await node.submit(CONTRACT))["task_id"]
            await until(lambda: worker.asked or None, "the executor is asked")
            yield node, task_id
        nursery.cancel_scope.cancel()


async def let_go(worker: Worker, node: ApiNode) -> None:
    """Let the executor answer, and wait until the dispatcher has nothing in hand."""
    worker.let_go.set()

    async def is_idle() -> bool:
        dispatcher = await node.get("/actors/executor_dispatcher")
        return not dispatcher["snapshot"]["working"]

    await actors.until(is_idle)


async def kinds(node: ApiNode, task_id: str) -> list[str]:
    """Return the kinds of the task's events."""
    page = await node.get(f"/tasks/{task_id}/events")
    return [item["event_kind"] for item in page["items"]]


async def say(node: ApiNode, task_id: str, action: str, reason: str | None = None) -> Any:
    """Say a control word."""
    return await node.post(f"/tasks/{task_id}/{action}", {"reason": reason})


async def test_nothing_is_signed_for_a_stopped_task_and_resumed_it_becomes_final(
    database: Database, tmp_path: Path
) -> None:
    worker = Worker()
    async with at_work(worker, database, tmp_path) as (node, task_id):
        stopped = await say(node, task_id, "stop", "not today")
        assert (stopped["task"]["state"], stopped["already"]) == ("stopped", False)
        again = await say(node, task_id, "stop")
        assert (again["seq"], again["already"]) == (None, True)
        await let_go(worker, node)
        assert await kinds(node, task_id) == ["TASK_CREATED", "TASK_CLAIMED", "TASK_STOPPED"]
        view = await node.get(f"/tasks/{task_id}", min_seq=stopped["seq"])
        (said,) = view["controls"]
        assert (said["word"], said["reason"], said["stands"]) == ("stopped", "not today", True)
        assert view["next_steps"] == ["it is stopped: `task resume` has it worked on again"]
        listed = await node.get("/tasks", state="stopped", min_seq=stopped["seq"])
        assert [item["task_id"] for item in listed["items"]] == [task_id]
        told = await node.get(f"/tasks/{task_id}/explain")
        assert any("it is stopped: not today" in sentence for sentence in told["summary"])

        resumed = await say(node, task_id, "resume")
        assert resumed["task"]["state"] == "open"
        await node.wait_final(task_id)
        assert len(set(worker.asked)) == 1, "the answer that was stored is used"
        refused = await node.refusal("POST", f"/tasks/{task_id}/stop", json={})
        assert (refused["status"], refused["code"]) == (409, "task_not_open")


async def test_a_suspended_task_finishes_what_was_begun_and_no_more(
    database: Database, tmp_path: Path
) -> None:
    worker = Worker()
    async with at_work(worker, database, tmp_path) as (node, task_id):
        assert (await say(node, task_id, "suspend"))["task"]["state"] == "suspended"
        await let_go(worker, node)
        assert await kinds(node, task_id) == [
            "TASK_CREATED",
            "TASK_CLAIMED",
            "TASK_SUSPENDED",
            "CANDIDATE_PROPOSED",
        ]
        await say(node, task_id, "resume")
        await node.wait_final(task_id)


async def test_a_kill_is_final(database: Database, tmp_path: Path) -> None:
    worker = Worker()
    async with at_work(worker, database, tmp_path) as (node, task_id):
        killed = await say(node, task_id, "kill", "it costs too much")
        assert killed["task"]["state"] == "killed"
        assert (await say(node, task_id, "kill"))["already"]
        for action in ("stop", "suspend", "resume"):
            refused = await node.refusal("POST", f"/tasks/{task_id}/{action}", json={})
            assert (refused["status"], refused["code"]) == (409, "task_not_open")
        await let_go(worker, node)
        assert await kinds(node, task_id) == ["TASK_CREATED", "TASK_CLAIMED", "TASK_KILLED"]
        counts = await node.get("/tasks", state="killed", min_seq=killed["seq"])
        assert [item["task_id"] for item in counts["items"]] == [task_id]


async def test_tasks_that_are_not_there_and_reasons_that_are_too_long_are_refused(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path) as node:
        refused = await node.refusal("POST", "/tasks/abcd/kill", json={})
        assert refused["code"] == "not_found"
        task_id = (await node.submit(CONTRACT))["task_id"]
        long = await node.refusal("POST", f"/tasks/{task_id}/stop", json={"reason": "x" * 5_000})
        assert long["code"] == "would_be_ignored"
        assert await kinds(node, task_id) == ["TASK_CREATED"]
