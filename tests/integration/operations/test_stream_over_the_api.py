"""The live stream of a whole node: nothing is lost, and it ends with the node."""

from pathlib import Path

import trio

from tests.support.api_node import ApiNode, api_node
from wattswarm.store.connection import Database

COUNT = 40


async def test_every_event_and_every_task_is_told(node: ApiNode) -> None:
    made: list[str] = []

    async def submit() -> None:
        made.extend([(await node.submit())["task_id"] for _ in range(COUNT)])

    events: list[int] = []
    moved: set[str] = set()
    async with trio.open_nursery() as nursery, node.news(after=0) as told:
        nursery.start_soon(submit)
        while len(moved) < COUNT:
            item = await told.receive()
            if item.kind == "event":
                events.append(item.document["seq"])
            elif item.kind == "task":
                moved.add(item.document["task_id"])
    assert events == list(range(1, len(events) + 1))
    assert moved == set(made)


async def test_a_client_that_resumes_misses_nothing(node: ApiNode) -> None:
    for _ in range(COUNT):
        await node.submit()
    moved: set[str] = set()
    last = "0"
    while len(moved) < COUNT:
        async with node.news(last_id=last) as told:
            for _ in range(7):
                item = await told.receive()
                last = item.id or last
                if item.kind == "task":
                    moved.add(item.document["task_id"])
                if len(moved) == COUNT:
                    break


async def test_a_stream_of_one_task_tells_of_no_other(node: ApiNode) -> None:
    await node.submit()
    wanted = (await node.submit())["task_id"]
    await node.submit()
    async with node.news(task=wanted[:10], after=0) as told:
        first, second = await told.receive(), await told.receive()
    assert [first.kind, second.kind] == ["event", "task"]
    assert first.document["task_id"] == second.document["task_id"] == wanted


async def test_a_stream_of_an_unknown_name_ends(node: ApiNode) -> None:
    async with node.news(task="nobody") as told:
        assert [item async for item in told] == []


async def test_the_stream_ends_when_the_node_is_told_to_stop(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path) as node:
        async with node.news(after=0) as told:
            assert (await told.receive()).kind == "event"
            stopping = await node.post("/node/stop")
            assert stopping["stop_ms_max"] > 0
            rest = [item async for item in told]
        assert rest[-1].document["state"] == "stopping"
        await node.inside.tree.wait_stop_requested()
