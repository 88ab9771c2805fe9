"""Governance of a running node: read, changed, and in force for the tasks that follow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_node import SAMPLE, ApiNode, api_node
from wattswarm.store.connection import Database

STRANGER = "5e" * 32
CROSSCHECK: Mapping[str, object] = {**SAMPLE, "policy": {"id": "vp.crosscheck.v1"}}


async def change(node: ApiNode, **order: object) -> Any:
    """Order a change that is made."""
    return await node.post("/governance/changes", order)


async def test_a_node_alone_changes_governance_and_its_next_tasks_are_pinned_to_that(
    node: ApiNode,
) -> None:
    first = await node.get("/governance")
    version = first["version"]
    assert (version["number"], version["is_head"], version["admission"]) == (0, True, "closed")
    before = await node.submit(CROSSCHECK)

    shown = await change(node, unregister=["vp.crosscheck.v1"], dry_run=True)
    assert (shown["seq"], shown["is_dry_run"]) == (None, True)
    assert (await node.get("/governance"))["version"] == version
    made = await change(node, unregister=["vp.crosscheck.v1"])
    assert (made["missing"], made["version"]["is_head"], made["version"]["number"]) == (0, True, 1)
    (line,) = made["changes"]
    assert (line["path"], line["after"]) == ("policies.vp.crosscheck.v1/1", None)

    refused = await node.refusal("POST", "/tasks", json={"contract": CROSSCHECK})
    assert (refused["status"], refused["code"]) == (422, "contract_invalid")
    after = await node.submit()
    pins = [(await node.get(f"/tasks/{each['task_id']}"))["pin"] for each in (before, after)]
    assert pins == [version["version_id"], made["version"]["version_id"]]

    again = await change(node, register=["vp.schema_only.v1"])
    assert (again["already"], again["seq"]) == (True, None)


async def test_the_history_and_one_version_are_shown(node: ApiNode) -> None:
    for number in (1, 2):
        await change(node, params={"round": number})
    page = await node.get("/governance/versions", limit=2)
    assert [row["number"] for row in page["items"]] == [2, 1]
    rest = await node.get("/governance/versions", cursor=page["next"])
    assert [row["number"] for row in rest["items"]] == [0]
    name = page["items"][1]["version_id"]
    one = await node.get(f"/governance/versions/{name[:10]}")
    assert one["version"]["params"] == {"admission": "closed", "round": 1}
    assert one == await node.get("/governance/versions/1")
    assert (await node.get("/governance/pending"))["items"] == []
    event = await node.get("/log/events", after=0)
    assert "GOVERNANCE_UPDATED" in {row["event_kind"] for row in event["items"]}


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"grant": {STRANGER: ["verifier"]}}, 409, "local_network"),
        ({"params": {"admission": "open"}}, 409, "local_network"),
        ({"params": {"a": 0.5}}, 422, "bad_document"),
        ({"params": {"a": [1]}}, 422, "bad_document"),
        ({"params": {"a": -1}}, 422, "bad_field"),
        ({"threshold": 2}, 422, "bad_version"),
        ({"threshold": -1}, 422, "bad_value"),
        ({"threshold": 1 << 70}, 422, "bad_document"),
        ({"open_roles": ["finalizer"]}, 422, "bad_version"),
        ({"open_roles": ["boss"]}, 422, "bad_document"),
        ({"grant": {"ff": ["boss"]}}, 422, "bad_document"),
        ({"revoke": {"SELF": ["finalizer"]}}, 422, "bad_version"),
        ({"revoke": {"\u0000": ["finalizer"]}}, 404, "not_found"),
        ({"supersede": True}, 409, "nothing_to_supersede"),
        ({"effective_at": "now", "threshold": 1}, 422, "bad_field"),
        ({"nonsense": 1}, 422, "bad_document"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_and_nothing_is_signed(
    node: ApiNode, order: dict[str, Any], status: int, code: str
) -> None:
    node_id = (await node.get("/node"))["node_id"]
    revoke = {
        node_id if name == "SELF" else name: roles
        for name, roles in order.get("revoke", {}).items()
    }
    order = {**order, "revoke": revoke}
    head = await node.get("/log/head")
    refused = await node.refusal("POST", "/governance/changes", json=order)
    assert (refused["status"], refused["code"]) == (status, code), refused
    assert (await node.get("/log/head"))["seq"] == head["seq"]


async def test_nobody_is_admitted_to_a_local_network(node: ApiNode) -> None:
    refused = await node.refusal("POST", "/governance/admissions", json={"node": STRANGER})
    assert (refused["status"], refused["code"]) == (409, "local_network")
    node_id = (await node.get("/node"))["node_id"]
    assert (await node.post("/governance/admissions", {"node": node_id[:8]}))["already"]


async def test_a_version_that_is_there_needs_no_further_signature(node: ApiNode) -> None:
    made = await change(node, params={"a": 1})
    name = made["version"]["version_id"]
    signed = await node.post(f"/governance/versions/{name}/sign")
    assert (signed["already"], signed["seq"], signed["missing"]) == (True, None, 0)
    for name, code in (("ff" * 32, "not_found"), ("0", "unknown_version")):
        refused = await node.refusal("POST", f"/governance/versions/{name}/sign", json={})
        assert refused["code"] == code


async def test_tasks_are_pinned_to_a_change_from_when_it_takes_effect(node: ApiNode) -> None:
    made = await change(node, params={"a": 1}, effective_in_ms=3_600_000)
    assert (made["version"]["is_head"], made["version"]["is_in_effect"]) == (True, False)
    task = await node.submit()
    view = await node.get(f"/tasks/{task['task_id']}")
    assert view["pin"] == made["version"]["prev"]


async def test_a_change_outlasts_the_node(database: Database, tmp_path: Path) -> None:
    async with api_node(database, tmp_path) as node:
        made = await change(node, params={"a": 1})
    async with api_node(database, tmp_path) as node:
        shown = await node.get("/governance")
        assert shown["version"]["version_id"] == made["version"]["version_id"]
        assert (await change(node, params={"b": 1}))["version"]["number"] == 2
