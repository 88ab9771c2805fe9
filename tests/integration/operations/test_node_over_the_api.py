"""The node as a whole: its page, its readiness, its doctor, faults, and where it is."""

import os
import stat
from pathlib import Path

import httpx2
import pytest

from tests.support.actor_tree import until
from tests.support.api_node import ApiNode, api_node
from wattswarm.store.connection import Database


async def test_the_node_is_told_on_one_page(node: ApiNode) -> None:
    made = await node.submit()
    await node.get("/tasks", min_seq=made["seq"])
    page = await node.get("/node")
    assert page["state"] == "ready"
    assert page["node_id"] == node.inside.key.node_id.hex()
    assert page["network_id"] == node.inside.network_id
    assert page["log"]["head_seq"] == page["log"]["projected_seq"] == made["seq"]
    assert page["tasks"] == {"open": 1}
    assert page["pid"] == os.getpid()
    assert page["uptime_ms"] > 0
    assert page["actors_restarting"] == 0


async def test_a_node_says_where_it_is_while_it_is_there(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path) as node:
        told = node.state.node_file()
        assert told is not None
        assert told.api_url == str(node.client.base_url).rstrip("/")
        assert told.pid == os.getpid()
        assert (await node.client.get("/readyz")).json()["ready"] is True
    assert node.state.node_file() is None


async def test_metrics_are_those_of_the_node(node: ApiNode) -> None:
    made = await node.submit()
    text = (await node.client.get("/metrics")).text
    assert f"wattswarm_log_head_seq {float(made['seq'])}" in text
    assert 'wattswarm_actor_ready{actor="sel_writer"} 1.0' in text


async def test_settings_have_their_sources_and_no_passwords(node: ApiNode) -> None:
    settings = {row["path"]: row for row in (await node.get("/config"))["settings"]}
    assert settings["node.profile"]["value"] == "test"
    assert settings["node.profile"]["source"] == "environment WATTSWARM_NODE__PROFILE"
    assert settings["actors.sel_writer.inbox"]["source"] == "built-in"


async def test_the_doctor_finds_a_healthy_node_and_the_lack_of_executors(node: ApiNode) -> None:
    diagnosis = await node.get("/doctor")
    assert diagnosis["ok"] is True
    by_area = {item["area"] for item in diagnosis["findings"]}
    assert {"database", "log", "disk", "clock", "keys", "actors", "executors"} <= by_area
    wanting = [item for item in diagnosis["findings"] if item["level"] != "ok"]
    assert all(item["remedy"] for item in wanting)
    assert any("executors add" in item["remedy"] for item in wanting)


async def test_the_doctor_finds_what_is_wrong(node: ApiNode) -> None:
    node.state.seed_path.chmod(0o644)
    await node.post("/executors", {"name": "gone", "base_url": "http://127.0.0.1:1"})
    diagnosis = await node.get("/doctor")
    assert diagnosis["ok"] is False
    errors = [item for item in diagnosis["findings"] if item["level"] == "error"]
    assert {item["area"] for item in errors} == {"keys", "executors"}
    assert stat.S_IMODE(node.state.seed_path.stat().st_mode) == 0o644
    assert "chmod 600" in next(item for item in errors if item["area"] == "keys")["remedy"]


async def test_faults_cannot_be_armed_unless_they_are_allowed(node: ApiNode) -> None:
    assert (await node.refusal("GET", "/chaos/faults"))["status"] == 404


async def test_an_armed_fault_strikes_is_told_and_is_survived(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path, chaos=True) as node:
        points = (await node.get("/chaos/points"))["items"]
        assert {"name": "before_commit", "actor": "sel_writer"}.items() <= next(
            point for point in points if point["name"] == "before_commit"
        ).items()
        order = {"fault": "crash", "target": "sel_writer", "point": "after_commit"}
        armed = await node.post("/chaos/faults", order)
        assert (await node.get("/doctor"))["ok"] is True
        assert (await node.client.get("/healthz")).json()["faults_armed"] == 1
        made = await node.submit()
        assert made["already"] is True, "the answer of the crashed writer was lost, the event not"
        view = await node.get("/chaos/faults")
        assert (view["armed"][0]["fault_id"], view["struck_total"]) == (armed["fault_id"], 1)
        detail = await node.get("/actors/sel_writer")
        assert detail["crashes"][0]["error"].startswith("wattswarm.actors.runtime.errors.Injected")
        gone = await node.client.delete("/api/v1/chaos/faults")
        assert gone.json() == {"count": 1}
        assert (await node.get("/chaos/faults"))["armed"] == []


async def test_a_crash_in_a_request_ends_the_server_which_comes_back(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path, chaos=True) as node:
        node.state.remove_node_file()
        order = {"fault": "crash", "target": "http_api", "point": "request.before"}
        await node.post("/chaos/faults", order)
        with pytest.raises(httpx2.RemoteProtocolError):
            await node.client.get("/healthz")
        await until(node.state.node_file, "the API says where it is again")
        assert [crash.actor for crash in node.inside.crashes] == ["http_api"]
        told = node.state.node_file()
        assert told is not None
        async with httpx2.AsyncClient(base_url=told.api_url) as client:
            assert (await client.get("/readyz")).status_code == 200


async def test_a_fault_without_sense_is_refused(database: Database, tmp_path: Path) -> None:
    async with api_node(database, tmp_path, chaos=True) as node:
        for order in (
            {"fault": "kill", "target": "sel_writer"},
            {"fault": "slow", "target": "a->b"},
            {"fault": "slow", "target": "a", "for_ms": 10**9},
            {"fault": "slow", "target": "a", "percent": 0},
            {"fault": "crash", "target": "nobody"},
            {"fault": "crash", "target": "sel_writer", "point": "nowhere"},
            {"fault": "drop", "target": "http_api->nobody"},
        ):
            problem = await node.refusal("POST", "/chaos/faults", json=order)
            assert problem["code"] == "fault_invalid", order
