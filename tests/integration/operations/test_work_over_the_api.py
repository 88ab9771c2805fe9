"""A node with executors, from the first of them to a final decision."""

from pathlib import Path

import pytest

from tests.support.actor_tree import reference_executor
from tests.support.api_node import SAMPLE, ApiNode, api_node
from wattswarm.store.connection import Database

TEXT = (
    "A log that is only ever appended to can be copied and checked by anyone. "
    "Whoever holds the same set of events computes the same state from it. "
    "So nodes need not agree on an order; they exchange what the other lacks."
)


@pytest.mark.parametrize("is_compact", [True, False])
async def test_a_task_becomes_final_and_everything_about_it_is_shown(
    database: Database, tmp_path: Path, is_compact: bool
) -> None:
    with reference_executor("one", "textrank") as url:
        async with api_node(database, tmp_path, is_compact=is_compact) as node:
            added = await node.post(
                "/executors", {"name": "one", "base_url": url, "profile": "textrank"}
            )
            assert added["is_healthy"] is None
            assert (await node.post("/executors/one/check"))["ok"] is True
            contract = {"task_type": "summarize", "inputs": {"text": TEXT}}
            made = await node.submit(contract)
            view = await node.wait_final(made["task_id"])
            await _shows_all(node, view)
            known = (await node.get("/executors"))["items"][0]
            assert known["is_healthy"] is True
            assert known["breaker"] == "closed"
            assert known["last_seen_at"] is not None
            diagnosis = await node.get("/doctor")
            assert [item for item in diagnosis["findings"] if item["level"] == "error"] == []
            listed = await node.get("/tasks", state="final", min_seq=view["projected_seq"])
            assert listed["items"] == [view["task"]]


async def _shows_all(node: ApiNode, view: dict) -> None:
    name = view["task"]["task_id"]
    candidate = next(item for item in view["candidates"] if item["is_final"])
    assert candidate["output"]["is_here"]
    assert view["finality"][0]["is_final"]
    assert view["next_steps"] == []
    decision = await node.get(f"/tasks/{name}/decision")
    assert decision["candidate_id"] == candidate["candidate_id"]
    assert decision["decision_id"] == view["decision_id"]
    assert decision["finality"]["is_final"]
    body = await node.client.get(f"/api/v1/artifacts/{decision['output']['digest'][:20]}")
    assert body.json() == decision["output_json"]
    assert body.headers["content-type"] == "application/json"
    told = await node.get(f"/tasks/{name}/explain")
    assert told["state"] == "final"
    assert len(told["timeline"]) == view["task"]["events"]
    assert any("decided for candidate" in sentence for sentence in told["summary"])
    assert any(vote["counts"] for vote in view["votes"])
    assert view["results"][0]["reasons"] == ["schema_ok"]


async def test_executors_are_changed_by_name_and_removed(node: ApiNode) -> None:
    spec = {"name": "one", "base_url": "http://127.0.0.1:1", "tries": 2, "verify_ms": 5_000}
    first = await node.post("/executors", spec)
    second = await node.post("/executors", {**spec, "concurrency": 7})
    assert second["added_at"] == first["added_at"]
    assert (second["concurrency"], second["tries"], second["verify_ms"]) == (7, 2, 5_000)
    check = await node.post("/executors/one/check")
    assert not check["ok"]
    assert check["problems"]
    removed = await node.client.delete("/api/v1/executors/one")
    assert removed.json() == {"name": "one"}
    assert (await node.get("/executors"))["items"] == []
    problem = await node.refusal("DELETE", "/executors/one")
    assert problem["code"] == "not_found"


async def test_an_executor_without_sense_is_refused(node: ApiNode) -> None:
    problem = await node.refusal(
        "POST", "/executors", json={"name": "one", "base_url": "file:///etc/passwd"}
    )
    assert problem["code"] == "executor_invalid"
    assert problem["path"] == "$.base_url"


async def test_a_secret_header_is_kept_and_never_shown(node: ApiNode) -> None:
    spec = {
        "name": "one",
        "base_url": "http://127.0.0.1:1",
        "headers": {"x-key": "sesame"},
        "token_env": "NO_SUCH_TOKEN",
    }
    shown = await node.post("/executors", spec)
    assert shown["header_names"] == ["x-key"]
    assert shown["has_token"] is True
    assert "sesame" not in str(await node.get("/executors"))
    check = await node.post("/executors/one/check")
    assert "NO_SUCH_TOKEN" in check["problems"][0]


async def test_submitting_again_after_the_end_gives_the_same_task(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path) as node:
        first = await node.submit(SAMPLE, **{"idempotency-key": "one"})
    async with api_node(database, tmp_path) as node:
        again = await node.submit(SAMPLE, **{"idempotency-key": "one"})
    assert (again["task_id"], again["already"]) == (first["task_id"], True)
