"""Feedback, reputation and knowledge of a real node, over its API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support import actors
from tests.support.api_node import ApiNode, api_node
from wattswarm.executors import ExecuteRequest, Executor
from wattswarm.executors.fields import Json
from wattswarm.store.connection import Database


def writer() -> Executor:
    """Return an executor that says how long a text is."""
    made = Executor(
        name="writer", task_types=["*"], profiles=["*"], provider_family="pens", model_id="quill"
    )

    @made.execute
    def work(request: ExecuteRequest) -> Json:
        return {"answer": f"{len(str(request.inputs['text']))} characters"}

    return made


@asynccontextmanager
async def staffed(database: Database, folder: Path) -> AsyncGenerator[ApiNode]:
    """Give a node with an executor."""

    async def serve(task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        await writer().serve("127.0.0.1:0", task_status=task_status)

    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve)
        async with api_node(database, folder) as node:
            await node.post("/executors", {"name": "writer", "base_url": url})
            yield node
        nursery.cancel_scope.cancel()


async def decided(node: ApiNode, text: str, **terms: Any) -> str:
    """Have a task decided, and wait until the projections hold that."""
    contract = {"task_type": "measure", "inputs": {"text": text}, **terms}
    task_id = (await node.submit(contract))["task_id"]
    await node.wait_final(task_id)
    await caught_up(node)
    return task_id


async def caught_up(node: ApiNode) -> None:
    head = await node.get("/log/head")
    await node.get("/reputation", min_seq=head["seq"])


async def own_reputation(node: ApiNode) -> Any:
    node_id = (await node.get("/node"))["node_id"]
    page = await node.get("/reputation", node=node_id)
    (line,) = page["items"]
    return line


async def test_a_vote_is_pending_then_settled_and_turned_round_by_feedback(
    database: Database, tmp_path: Path
) -> None:
    async with staffed(database, tmp_path) as node:
        first = await decided(node, "one")
        line = await own_reputation(node)
        assert (line["provider"], line["model"]) == ("pens", "quill")
        assert (line["settled"], line["pending"], line["agreed"]) == (0, 1, 1)
        assert (line["pending_stability_units"], line["pending_quality_units"]) == (196, 1_000)
        assert (line["stability_units"], line["quality_units"]) == (0, 0)

        given = await node.post(f"/tasks/{first}/feedback", {"reason": "it is three"})
        assert (given["already"], given["feedback"][0]["reason"]) == (False, "it is three")
        again = await node.post(f"/tasks/{first}/feedback", {"reason": "really"})
        assert (again["already"], again["seq"]) == (True, None)
        await caught_up(node)
        line = await own_reputation(node)
        assert (line["pending_stability_units"], line["bad"]) == (-30_000, 1)

        view = await node.get(f"/tasks/{first}")
        assert view["feedback"][0]["in_time"] is True
        assert view["contributions"][0]["is_bad"] is True
        told = await node.get(f"/tasks/{first}/explain")
        assert any("found candidate" in sentence for sentence in told["summary"])


async def test_what_is_due_is_settled_and_too_late_to_complain_about(
    database: Database, tmp_path: Path
) -> None:
    async with staffed(database, tmp_path) as node:
        checked = await node.post("/tasks/validate", {"contract": {"task_type": "measure"}})
        expires_at = checked["contract"]["expires_at"] - 3_600_000 + 3_000
        expires = {"expires_at": expires_at, "settlement": {"window_ms": 0}}
        task_id = await decided(node, "two", **expires)

        async def is_settled() -> bool:
            return (await own_reputation(node))["settled"] == 1

        await actors.until(is_settled)
        assert (await own_reputation(node))["stability_units"] == 196
        refused = await node.refusal("POST", f"/tasks/{task_id}/feedback", json={})
        assert (refused["status"], refused["code"]) == (409, "window_closed")


async def test_knowledge_is_listed_shown_and_compared(database: Database, tmp_path: Path) -> None:
    async with staffed(database, tmp_path) as node:
        text = "it was the best of times it was the worst of times"
        first = await decided(node, text)
        second = await decided(node, f"{text} it was the age of wisdom")
        page = await node.get("/knowledge", task_type="measure", limit=1)
        assert [item["task_id"] for item in page["items"]] == [second]
        rest = await node.get("/knowledge", task_type="measure", cursor=page["next"], limit=5)
        assert [item["task_id"] for item in rest["items"]] == [first]
        assert rest["next"] is None

        found = await node.get(f"/tasks/{second}/similar")
        assert found["exact"] == []
        (hit,) = found["similar"]
        assert hit["precedent"]["task_id"] == first
        assert 2_000 < hit["resemblance_bp"] < 9_000

        third = await decided(node, text)
        found = await node.get(f"/tasks/{third}/similar")
        assert [item["task_id"] for item in found["exact"]] == [first]

        await node.post(f"/tasks/{first}/feedback", {"reason": "dull"})
        await caught_up(node)
        shown = await node.get(f"/tasks/{first}/knowledge")
        assert shown["precedents"][0]["is_bad"] is True
        assert shown["contributions"][0]["provider"] == "pens"


async def test_what_cannot_be_said_is_refused_with_a_code(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path) as node:
        task_id = (await node.submit())["task_id"]
        for path, code, status in (
            ("feedback", "not_final", 409),
            ("reject-reuse", "not_a_reuse", 409),
        ):
            refused = await node.refusal("POST", f"/tasks/{task_id}/{path}", json={})
            assert (refused["code"], refused["status"]) == (code, status)
        refused = await node.refusal(
            "POST", f"/tasks/{task_id}/reject-reuse", json={"candidate": "ab"}
        )
        assert (refused["code"], refused["status"]) == ("not_found", 404)


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMiwzXQ", "WyJcdWQ4MDAiLCIiLCIiLCIiXQ", "\x7f"])
@pytest.mark.parametrize("path", ["/knowledge", "/reputation"])
async def test_a_cursor_that_is_none_is_refused(node: ApiNode, path: str, cursor: str) -> None:
    refused = await node.refusal("GET", path, params={"cursor": cursor})
    assert (refused["code"], refused["status"]) == ("bad_parameter", 400)


async def test_a_node_is_named_in_full(node: ApiNode) -> None:
    refused = await node.refusal("GET", "/reputation", params={"node": "ab"})
    assert refused["code"] == "bad_parameter"
