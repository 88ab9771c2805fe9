"""Requests and records that mean ill, against a node with a real database."""

import pytest

from tests.support.api_node import ApiNode
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.local import Executors


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks?state=%00"),
        ("GET", "/tasks?task_type=a%00b"),
        ("GET", "/tasks/%00"),
        ("GET", "/dead-letters?actor=%00"),
        ("GET", "/actors/%00"),
        ("GET", "/artifacts/%00"),
        ("GET", "/log/events/%00"),
        ("DELETE", "/executors/%00"),
        ("POST", "/executors/%00/check"),
    ],
)
async def test_what_no_text_of_the_database_can_hold_is_refused(
    node: ApiNode, method: str, path: str
) -> None:
    problem = await node.refusal(method, path)
    assert (problem["status"], problem["code"]) == (400, "bad_parameter")


async def test_a_record_that_cannot_be_read_hides_no_other_and_can_be_removed(
    node: ApiNode, database: Database
) -> None:
    url = "http://127.0.0.1:1"
    with database.connect(Purpose.LOCAL) as connection:
        Executors(connection).put("bad", {"name": "bad", "base_url": 7})
        Executors(connection).put("worse", {"name": "worse", "base_url": "http://.."})
        Executors(connection).put("good", {"name": "good", "base_url": url})
    assert [item["name"] for item in (await node.get("/executors"))["items"]] == ["good"]
    await node.post("/executors", {"name": "bad", "base_url": url})
    assert (await node.client.delete("/api/v1/executors/worse")).status_code == 200
    assert [item["name"] for item in (await node.get("/executors"))["items"]] == ["bad", "good"]
    assert node.inside.crashes == []


@pytest.mark.parametrize("host", ["..", "a" * 64, "[v1.x]", "a b"])
async def test_an_executor_at_no_possible_address_is_refused(node: ApiNode, host: str) -> None:
    document = {"name": "one", "base_url": f"http://{host}/"}
    problem = await node.refusal("POST", "/executors", json=document)
    assert (problem["code"], problem["path"]) == ("executor_invalid", "$.base_url")
