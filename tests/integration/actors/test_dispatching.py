"""The dispatcher: what failed executors leave in the log, and that no answer is bought twice."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from tests.support.actor_tree import ActorTree, actor_tree, until
from wattswarm.actors.messages import ExecutorsChanged
from wattswarm.actors.runtime.rule import Fault, FaultRule
from wattswarm.executors import (
    ExecuteAnswer,
    ExecuteRequest,
    Executor,
    Judgement,
    VerifyRequest,
    WorkRefused,
    policy_judgement,
)
from wattswarm.kernel import contract
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.state import TaskState
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.local import Executors

TERMS = {**contract.sample(), "independence": "none", "lease_ms": 5_000}


@attrs.define
class Worker:
    """An executor that counts its work, fails as often as it is told to, and takes its time."""

    failures: int = 0
    work_s: float = 0
    executed: list[str] = attrs.field(factory=list[str])
    verified: list[str] = attrs.field(factory=list[str])

    def executor(self) -> Executor:
        made = Executor(name="worker", task_types=["*"], profiles=["*"])

        @made.execute
        async def work(request: ExecuteRequest) -> ExecuteAnswer:
            self.executed.append(request.execution_id)
            await trio.sleep(self.work_s)
            if self.failures:
                self.failures -= 1
                raise WorkRefused("not today")
            return ExecuteAnswer(candidate_output={"answer": "yes", "confidence": 0.9})

        @made.verify
        async def check(request: VerifyRequest) -> Judgement:
            self.verified.append(request.execution_id)
            await trio.sleep(self.work_s)
            return policy_judgement(request)

        return made

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        await self.executor().serve("127.0.0.1:0", task_status=task_status)


@asynccontextmanager
async def node_with(
    worker: Worker,
    database: Database,
    folder: Path,
    *,
    chaos: bool = False,
    record: Mapping[str, int] | None = None,
    settings: Mapping[str, object] | None = None,
) -> AsyncGenerator[ActorTree]:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(worker.serve)
        with database.connect(Purpose.LOCAL) as connection:
            known = {"name": "worker", "base_url": url, **(record or {})}
            Executors(connection).put("worker", known)
        async with actor_tree(database, folder, chaos=chaos, settings=settings) as node:
            node.tree.ref("executor_dispatcher").offer(ExecutorsChanged())
            yield node
        nursery.cancel_scope.cancel()


async def wait_for(node: ActorTree, task_id: TaskId, what: str) -> TaskState:
    def look() -> TaskState | None:
        state = node.state(task_id)
        return state if getattr(state, what) else None

    return await until(look, f"there are {what}")


async def test_an_execution_that_fails_leaves_one_error_and_another_attempt_succeeds(
    database: Database, tmp_path: Path
) -> None:
    worker = Worker(failures=1)
    async with node_with(worker, database, tmp_path) as node:
        task_id = await node.submit({**TERMS, "max_attempts": 2})
        state = await node.wait_final(task_id)
        assert len(state.errors) == 1
        assert [retry.from_attempt for retry in state.retries.values()] == [1]
        assert [each.attempt for each in state.candidates.values()] == [2]
        assert len(set(worker.executed)) == 2
        assert node.crashes == []


async def test_after_the_last_attempt_there_is_no_other(database: Database, tmp_path: Path) -> None:
    worker = Worker(failures=9)
    async with node_with(worker, database, tmp_path) as node:
        task_id = await node.submit({**TERMS, "max_attempts": 1})
        state = await wait_for(node, task_id, "errors")
        with trio.move_on_after(0.5):  # long enough for a second attempt, were there one
            await until(lambda: len(worker.executed) > 1 or None, "a second execution")
        assert len(state.errors) == 1
        assert len(set(worker.executed)) == 1
        assert node.state(task_id).retries == {}


@pytest.mark.parametrize("point", ["store.after", "sign.before", "append.before", "append.after"])
async def test_an_answer_that_was_stored_is_not_asked_for_again(
    database: Database, tmp_path: Path, point: str
) -> None:
    worker = Worker()
    async with node_with(worker, database, tmp_path, chaos=True) as node:
        await node.tree.arm(
            FaultRule(fault=Fault.CRASH, target="executor_dispatcher", point=point, nth=1, times=1)
        )
        task_id = await node.submit(TERMS)
        state = await node.wait_final(task_id)
        assert [crash.kind.rpartition(".")[2] for crash in node.crashes] == ["InjectedCrash"]
        assert len(worker.executed) == len(set(worker.executed)) == 1
        assert len(worker.verified) == len(set(worker.verified)) == 1
        assert len(state.candidates) == 1
        assert {claim.role for claim in state.claims.values()} == {Work.PROPOSE, Work.VERIFY}


async def test_an_executor_that_has_a_time_of_its_own_is_given_it(
    database: Database, tmp_path: Path
) -> None:
    own = {"timeout_ms": 20_000, "verify_timeout_ms": 20_000}
    node_wide = {"EXECUTORS__EXECUTE_MS": 100, "EXECUTORS__VERIFY_MS": 100}
    worker = Worker(work_s=0.3)
    async with node_with(worker, database, tmp_path, record=own, settings=node_wide) as node:
        state = await node.wait_final(await node.submit(TERMS))
        assert state.errors == {}


async def test_an_executor_without_a_time_of_its_own_is_given_the_time_of_the_node(
    database: Database, tmp_path: Path
) -> None:
    node_wide = {"EXECUTORS__EXECUTE_MS": 100}
    worker = Worker(work_s=60)
    async with node_with(worker, database, tmp_path, settings=node_wide) as node:
        task_id = await node.submit({**TERMS, "max_attempts": 1})
        state = await wait_for(node, task_id, "errors")
        assert [error.reason for error in state.errors.values()] == ["timeout"]


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes(
    database: Database, tmp_path: Path
) -> None:
    async with node_with(Worker(work_s=1.6), database, tmp_path) as node:
        state = await node.wait_final(await node.submit({**TERMS, "lease_ms": 1_200}))
        assert {renewal.claim for renewal in state.renewals.values()} >= {
            candidate.claim for candidate in state.candidates.values()
        }
        assert len(state.candidates) == 1
