"""A question that was decided before: what the executor is told, and what the answer says."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from tests.support.api_node import ApiNode, api_node
from wattswarm.executors import ExecuteAnswer, ExecuteRequest, Executor
from wattswarm.executors.contract import Judgement, Outcome, Stage, VerifyRequest
from wattswarm.executors.seed import read_seed
from wattswarm.store.connection import Database

WORDS = "the quick brown fox jumps over the lazy dog and does so again and again until it is late"


@attrs.define
class Worker:
    """An executor that repeats an earlier answer when told of one, and may distrust it."""

    asked: list[ExecuteRequest] = attrs.field(factory=list[ExecuteRequest])
    distrusts: bool = False

    def executor(self) -> Executor:
        made = Executor(name="worker", task_types=["*"], profiles=["*"])

        @made.execute
        def work(request: ExecuteRequest) -> ExecuteAnswer:
            self.asked.append(request)
            seed = read_seed(request.seed_bundle)
            if request.stage is Stage.DECIDE and seed.exact is not None:
                return ExecuteAnswer(candidate_output=seed.exact.output)
            return ExecuteAnswer(candidate_output={"answer": f"answer {len(self.asked)}"})

        @made.verify
        def verify(request: VerifyRequest) -> Judgement:
            old = self.distrusts and request.candidate.output == {"answer": "answer 1"}
            if old:
                return Judgement(outcome=Outcome.FAILED, score_bp=0, reason_codes=(101,))
            return Judgement(outcome=Outcome.PASSED, score_bp=9_000, reason_codes=(100,))

        return made

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        await self.executor().serve("127.0.0.1:0", task_status=task_status)


@asynccontextmanager
async def staffed(worker: Worker, database: Database, folder: Path) -> AsyncGenerator[ApiNode]:
    """Give a node with this executor."""
    async with trio.open_nursery() as nursery:
        url = await nursery.start(worker.serve)
        async with api_node(database, folder) as node:
            await node.post("/executors", {"name": "worker", "base_url": url})
            yield node
        nursery.cancel_scope.cancel()


async def decided(node: ApiNode, text: str, **terms: Any) -> str:
    """Have a question about a text decided, and wait until that can be found again."""
    contract = {"task_type": "ask", "inputs": {"text": text}, **terms}
    task_id = (await node.submit(contract))["task_id"]
    await node.wait_final(task_id)
    head = await node.get("/log/head")
    await node.get(f"/tasks/{task_id}", min_seq=head["seq"])
    return task_id


async def candidates(node: ApiNode, task_id: str) -> list[Any]:
    return (await node.get(f"/tasks/{task_id}"))["candidates"]


async def test_the_same_question_is_answered_by_repeating_the_earlier_answer(
    database: Database, tmp_path: Path
) -> None:
    worker = Worker()
    async with staffed(worker, database, tmp_path) as node:
        first = await decided(node, WORDS)
        second = await decided(node, WORDS)
        told = worker.asked[-1]
        assert [each.stage for each in worker.asked] == [Stage.EXPLORE, Stage.DECIDE]
        exact = read_seed(told.seed_bundle).exact
        assert exact is not None
        assert (exact.task_id, exact.output) == (first, {"answer": "answer 1"})
        (candidate,) = await candidates(node, second)
        earlier = (await node.get(f"/tasks/{first}"))["decision_id"]
        assert candidate["reuse_of"] == earlier == exact.decision_id


async def test_a_like_question_is_told_of_and_worked_on_anew(
    database: Database, tmp_path: Path
) -> None:
    worker = Worker()
    async with staffed(worker, database, tmp_path) as node:
        first = await decided(node, WORDS)
        await decided(node, "something else entirely, of which not a word has been said before")
        third = await decided(node, f"{WORDS} or early")
        told = worker.asked[-1]
        assert told.stage is Stage.EXPLORE
        (hit,) = read_seed(told.seed_bundle).hits
        assert (hit.is_exact, hit.task_id) == (False, first)
        assert 0.7 < hit.confidence < 1
        (candidate,) = await candidates(node, third)
        assert candidate["reuse_of"] is None


async def test_a_rejected_repetition_is_recorded_and_never_offered_again(
    database: Database, tmp_path: Path
) -> None:
    worker = Worker()
    async with staffed(worker, database, tmp_path) as node:
        await decided(node, WORDS)
        worker.distrusts = True
        second = await decided(node, WORDS)
        kinds = [
            item["event_kind"] for item in (await node.get(f"/tasks/{second}/events"))["items"]
        ]
        assert "REUSE_REJECT_RECORDED" in kinds
        assert worker.asked[1].stage is Stage.DECIDE
        assert worker.asked[2].stage is Stage.DIVERGE_MODE
        assert len(read_seed(worker.asked[2].seed_bundle).must_avoid) == 1
        found = await candidates(node, second)
        assert [each["is_final"] for each in found] == [False, True]
        await decided(node, WORDS)
        exact = read_seed(worker.asked[3].seed_bundle).exact
        assert exact is not None
        assert exact.task_id == second, "the newer answer, which held"
