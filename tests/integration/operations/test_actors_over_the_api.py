"""Operators' hands on the tree: looking, tuning, restarting, killing, dead letters."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from tests.support.actors import until
from tests.support.api_node import ApiNode, api_node
from wattswarm.actors.messages import HeadMoved
from wattswarm.actors.runtime.message import encode
from wattswarm.config.load import load
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.local import DeadLetters


@pytest.fixture
async def workers(database: Database, tmp_path: Path) -> AsyncIterator[ApiNode]:
    """A node whose actors live in worker processes."""
    async with api_node(database, tmp_path, is_compact=False) as made:
        yield made


async def test_the_tree_has_every_actor_with_its_process(workers: ApiNode) -> None:
    root = await workers.get("/actors")
    groups = {group["name"]: group for group in root["children"]}
    writer = groups["log"]["children"][0]
    assert (writer["name"], writer["state"], writer["restart"]) == (
        "sel_writer",
        "ready",
        "permanent",
    )
    assert writer["pid"] == groups["log"]["pid"] != root["pid"]
    assert groups["api"]["pid"] == root["pid"]


async def test_top_has_a_reading_for_every_actor_and_process(workers: ApiNode) -> None:
    made = await workers.submit()
    await workers.get("/tasks", min_seq=made["seq"])
    top = await workers.get("/actors/top")
    actors = {actor["name"]: actor for actor in top["actors"]}
    assert actors["sel_writer"]["handled"] >= 1
    assert actors["sel_writer"]["placement"] == "log"
    workers_by_name = {worker["group"]: worker for worker in top["workers"]}
    assert {"root", "log", "projection", "dispatch"} <= workers_by_name.keys()
    assert all(worker["rss_mib"] > 1 for worker in top["workers"])


async def test_an_actor_tells_of_itself_without_its_secrets(node: ApiNode) -> None:
    made = await node.submit()
    detail = await node.get("/actors/sel_writer")
    assert detail["snapshot"]["head"] == made["seq"]
    assert detail["spec"]["args"]["dsn"] == "…"
    assert "before_commit" in detail["points"]
    assert "http_api" in detail["talks_to"]
    assert (await node.refusal("GET", "/actors/nobody"))["code"] == "not_found"


async def test_dials_are_in_effect_when_the_answer_comes(workers: ApiNode) -> None:
    tuned = await workers.post("/actors/sel_writer/tune", {"dials": {"batch": 7, "burst": 9}})
    changes = {change["name"]: change for change in tuned["changes"]}
    assert (changes["batch"]["wanted"], changes["batch"]["effective"]) == (7, 7)
    assert changes["burst"]["effective"] == 9
    settings = {row["path"]: row for row in (await workers.get("/config"))["settings"]}
    row = settings["actors.sel_writer.batch"]
    assert (row["value"], row["source"]) == (7, "live")


async def test_one_wrong_dial_turns_none(node: ApiNode) -> None:
    before = (await node.get("/actors/sel_writer"))["stats"]["dials"]
    tune = {"dials": {"batch": 7, "concurrency": 0}}
    problem = await node.refusal("POST", "/actors/sel_writer/tune", json=tune)
    assert problem["code"] == "dial_invalid"
    assert problem["dial"] == "concurrency"
    assert (await node.get("/actors/sel_writer"))["stats"]["dials"] == before


async def test_a_dial_turned_for_a_while_turns_back(node: ApiNode) -> None:
    tune = {"dials": {"batch": 7}, "for_ms": 50}
    tuned = await node.post("/actors/sel_writer/tune", tune)
    assert tuned["changes"][0]["reverts_at"] is not None
    old = tuned["changes"][0]["old"]
    with trio.fail_after(10):
        while True:
            if await _batch(node) == old:
                break


@pytest.mark.parametrize("is_compact", [False, True])
async def test_work_is_shared_out_among_other_instances_while_it_goes_on(
    database: Database, tmp_path: Path, is_compact: bool
) -> None:
    async with api_node(database, tmp_path, is_compact=is_compact) as node:
        await node.submit()
        for instances in (3, 2, 1):
            order = {"dials": {"instances": instances}}
            (change,) = (await node.post("/actors/projection_builder/tune", order))["changes"]
            assert (change["effective"], change["is_live"]) == (instances, False)
            top = await node.get("/actors/top")
            names = [each["name"] for each in top["actors"] if "_builder" in each["name"]]
            assert len(names) == instances
            made = [await node.submit() for _ in range(4)]
            page = await node.get("/tasks", min_seq=max(each["seq"] for each in made))
            listed = {each["task_id"] for each in page["items"]}
            assert {each["task_id"] for each in made} <= listed
        refused = await node.refusal("POST", "/actors/sel_writer/tune", json=order)
        assert refused["code"] == "dial_invalid"


async def test_a_saved_dial_stands_in_the_configuration_file(node: ApiNode) -> None:
    tune = {"dials": {"batch": 7}, "save": True}
    tuned = await node.post("/actors/sel_writer/tune", tune)
    assert tuned["changes"][0]["effective"] == 7
    saved = Path(tuned["saved_to"])
    assert load(saved).values["actors.sel_writer.batch"] == 7


@pytest.mark.parametrize("order", [{"dials": {"burst": 9}}, {"dials": {"batch": 7}, "for_ms": 50}])
async def test_what_cannot_outlast_the_node_is_not_saved_and_not_turned(
    node: ApiNode, order: dict[str, Any]
) -> None:
    before = (await node.get("/actors/sel_writer"))["stats"]["dials"]
    problem = await node.refusal("POST", "/actors/sel_writer/tune", json={**order, "save": True})
    assert problem["code"] == "dial_invalid"
    assert (await node.get("/actors/sel_writer"))["stats"]["dials"] == before


async def _batch(node: ApiNode) -> int:
    dials = (await node.get("/actors/sel_writer"))["stats"]["dials"]
    return next(dial["effective"] for dial in dials if dial["name"] == "batch")


async def test_a_restarted_actor_runs_again_and_work_goes_on(workers: ApiNode) -> None:
    await workers.submit()
    acted = await workers.post("/actors/sel_writer/restart")
    assert (acted["state"], acted["incarnation"]) == ("ready", 2)
    made = await workers.submit()
    assert (await workers.get("/log/head"))["seq"] == made["seq"]


async def test_a_killed_worker_comes_back_with_what_was_acknowledged(workers: ApiNode) -> None:
    before = await workers.submit()
    pid = (await workers.get("/actors/sel_writer"))["stats"]["pid"]
    acted = await workers.post("/actors/sel_writer/kill")
    assert acted["state"] == "ready"
    assert acted["pid"] not in (None, pid)
    after = await workers.submit()
    assert after["seq"] == before["seq"] + 1
    assert (await workers.post("/log/verify"))["ok"] is True


async def test_the_api_answers_before_it_is_restarted_itself(node: ApiNode) -> None:
    acted = await node.post("/actors/http_api/restart")
    assert (acted["actor"], acted["state"], acted["incarnation"]) == ("http_api", "restarting", 1)
    await until(lambda: _is_up_again(node), within_s=20)
    node.client.base_url = str((await node.inside.tree.inspect("http_api"))["url"])
    again = (await node.get("/actors/http_api"))["stats"]
    assert (again["state"], again["incarnation"], again["restarts"]) == ("ready", 2, 1)


def _is_up_again(node: ApiNode) -> bool:
    groups = {group.name: group for group in node.inside.tree.describe().groups}
    (api,) = (actor for actor in groups["api"].actors if actor.id == "http_api")
    return (api.incarnation, api.state) == (2, "ready")


async def test_kills_and_restarts_by_an_operator_never_end_the_node(workers: ApiNode) -> None:
    for number in range(2, 12):
        acted = await workers.post("/actors/dispatch/kill")
        assert (acted["state"], acted["incarnation"]) == ("ready", 1)
        assert (await workers.post("/actors/sel_writer/restart"))["incarnation"] == number
    root = await workers.get("/actors")
    groups = {group["name"]: group for group in root["children"]}
    killed, (writer,) = groups["dispatch"], groups["log"]["children"]
    assert (killed["restarts"], killed["last_end"]) == (10, "killed by operator")
    assert (writer["restarts"], writer["last_end"]) == (10, "restarted by operator")
    assert (await workers.get("/node"))["restarts"] == 20
    assert (await workers.submit())["seq"] == 2


async def test_what_lives_in_the_node_itself_is_not_killed(node: ApiNode) -> None:
    problem = await node.refusal("POST", "/actors/sel_writer/kill")
    assert problem["code"] == "in_root_process"


async def test_a_suspended_actor_waits_until_it_is_resumed(node: ApiNode) -> None:
    assert (await node.post("/actors/sel_writer/suspend"))["state"] == "suspended"
    made: list[Any] = []

    async def submit() -> None:
        made.append(await node.submit())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(submit)
        findings = (await node.get("/doctor"))["findings"]
        assert any("sel_writer is suspended" in item["message"] for item in findings)
        assert made == []
        assert (await node.post("/actors/sel_writer/resume"))["state"] == "ready"
    assert made[0]["seq"] == 2


@attrs.frozen(kw_only=True)
class Letter:
    """A dead letter as the runtime gives it."""

    actor: str
    message_id: int = 5
    sender: str = "sel_writer"
    message: str = "HeadMoved(seq=1)"
    body: bytes = encode(HeadMoved(1))
    crashes: int = 3
    error: str = "ValueError: no"
    traceback: str = "Traceback …"
    at_ms: int = 1_800_000_000_000


async def test_dead_letters_are_listed_retried_and_dropped(
    node: ApiNode, database: Database
) -> None:
    with database.connect(Purpose.LOCAL) as session:
        letters = DeadLetters(session)
        first, second, third = (
            letters.keep(Letter(actor=name), kept_max=10)
            for name in ("http_api", "nobody", "http_api")
        )
    page = await node.get("/dead-letters", limit=2)
    rest = await node.get("/dead-letters", limit=2, cursor=page["next"])
    found = [item["letter_id"] for item in (*page["items"], *rest["items"])]
    assert found == [third, second, first]
    assert page["items"][0]["body"] == {"seq": 1}
    assert page["items"][0]["message_type"] == "HeadMoved"
    assert (await node.post(f"/dead-letters/{first}/retry"))["action"] == "retried"
    problem = await node.refusal("POST", f"/dead-letters/{second}/retry")
    assert problem["code"] == "not_found"
    assert (await node.client.delete(f"/api/v1/dead-letters/{second}")).status_code == 200
    left = await node.get("/dead-letters")
    assert [item["letter_id"] for item in left["items"]] == [third]
    assert (await node.get("/node"))["dead_letters"] == 1
