"""A task whose creator approves of each claim, takes the answer and settles the account."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support import actors
from tests.support.api_node import ApiNode, api_node
from wattswarm.executors import ExecuteAnswer, ExecuteRequest, Executor
from wattswarm.store.connection import Database

CONTRACT: Mapping[str, object] = {"task_type": "ask", "inputs": {}, "allocator": "creator"}


def answering() -> Executor:
    """Return an executor that answers at once."""
    made = Executor(name="worker", task_types=["*"], profiles=["*"])

    @made.execute
    async def work(_request: ExecuteRequest) -> ExecuteAnswer:
        return ExecuteAnswer(candidate_output={"answer": "yes", "confidence": 0.9})

    return made


async def serve(task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
    await answering().serve("127.0.0.1:0", task_status=task_status)


async def awaited(node: ApiNode, task_id: str, role: str) -> str:
    """Return the claim for a role that waits for the creator, once there is one."""
    found: list[str] = []

    async def is_there() -> bool:
        view = await node.get(f"/tasks/{task_id}")
        found[:] = [
            place["claim_id"]
            for place in view["places"]
            if (place["role"], place["approval"]) == (role, "awaited")
        ]
        return bool(found)

    await actors.until(is_there)
    return found[0]


async def test_a_task_waits_for_each_approval_and_goes_on_to_be_final_and_paid(
    database: Database, tmp_path: Path
) -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve)
        async with api_node(database, tmp_path) as node:
            await node.post("/executors", {"name": "worker", "base_url": url})
            task_id = (await node.submit(CONTRACT))["task_id"]

            claim = await awaited(node, task_id, "propose")
            told = await node.get(f"/tasks/{task_id}/explain")
            assert told["next_steps"][0].startswith(
                f"the creator has to approve claim {claim[:12]}"
            )
            assert any("1 wait for it" in sentence for sentence in told["summary"])
            said = await node.post(f"/tasks/{task_id}/claims/{claim[:8]}/approve")
            assert (said["about"], said["already"]) == (claim, False)
            again = await node.post(f"/tasks/{task_id}/claims/{claim}/approve", {"reason": "why"})
            assert (again["seq"], again["already"]) == (None, True)
            refused = await node.refusal(
                "POST", f"/tasks/{task_id}/claims/{claim}/decline", json={}
            )
            assert (refused["status"], refused["code"]) == (409, "already_approved")

            verify = await awaited(node, task_id, "verify")
            await node.post(f"/tasks/{task_id}/claims/{verify}/approve")
            final = await node.wait_final(task_id)
            (candidate,) = final["candidates"]
            await pay(node, task_id, claim, candidate["candidate_id"])
        nursery.cancel_scope.cancel()


async def pay(node: ApiNode, task_id: str, claim: str, candidate: str) -> None:
    """Take the answer, settle the account, and find both shown."""
    accepted = await node.post(f"/tasks/{task_id}/candidates/{candidate}/accept")
    assert accepted["task"]["state"] == "final"
    receipt: Any = {"paid": 3, "by": ["hand", None, 0.5]}
    paid = await node.post(f"/tasks/{task_id}/claims/{claim}/settle", {"receipt": receipt})
    refused = await node.refusal(
        "POST", f"/tasks/{task_id}/claims/{claim}/settle", json={"receipt": {"paid": 4}}
    )
    assert refused["code"] == "already_settled"
    view = await node.get(f"/tasks/{task_id}", min_seq=paid["seq"])
    (completion,), (settlement,) = view["completions"], view["settlements"]
    assert (completion["candidate_id"], completion["is_accepted"]) == (candidate, True)
    assert (settlement["claim_id"], settlement["receipt"]) == (claim, receipt)
    told = await node.get(f"/tasks/{task_id}/explain")
    assert any("Its creator accepted candidate" in sentence for sentence in told["summary"])
    assert any("was settled at" in sentence for sentence in told["summary"])


async def test_a_claim_that_was_declined_is_given_up(database: Database, tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve)
        async with api_node(database, tmp_path) as node:
            await node.post("/executors", {"name": "worker", "base_url": url})
            task_id = (await node.submit({**CONTRACT, "max_attempts": 1}))["task_id"]
            claim = await awaited(node, task_id, "propose")
            await node.post(f"/tasks/{task_id}/claims/{claim}/decline", {"reason": "not you"})

            async def is_released() -> bool:
                view = await node.get(f"/tasks/{task_id}")
                return [place["state"] for place in view["places"]][:1] == ["released"]

            await actors.until(is_released)
        nursery.cancel_scope.cancel()


async def test_a_node_may_approve_by_itself(database: Database, tmp_path: Path) -> None:
    settings = {"DUTIES__APPROVE_CLAIMS": "true"}
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve)
        async with api_node(database, tmp_path, settings=settings) as node:
            await node.post("/executors", {"name": "worker", "base_url": url})
            task_id = (await node.submit(CONTRACT))["task_id"]
            final = await node.wait_final(task_id)
            assert {place["approval"] for place in final["places"] if place["claim_id"]} == {
                "approved"
            }
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("claims/ab/approve", "not_found"),
        ("claims/xyz/decline", "not_found"),
        ("candidates/00/accept", "not_found"),
        ("candidates/00/reject", "not_found"),
        ("claims/00/settle", "not_found"),
    ],
)
async def test_what_is_not_there_is_told(node: ApiNode, path: str, code: str) -> None:
    task_id = (await node.submit(CONTRACT))["task_id"]
    refused = await node.refusal("POST", f"/tasks/{task_id}/{path}", json={})
    assert refused["code"] == code
