"""The API on a real socket: serving, streaming, stopping, and the port."""

import json
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import trio

from tests.support.small_node import SmallNode
from wattswarm.api.app import ApiSettings, create_app
from wattswarm.api.endpoint import Bounds
from wattswarm.api.server import bind, serve
from wattswarm.config.check import Address
from wattswarm.config.errors import ConfigError

TOKEN = "token-of-the-test"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
BOUNDS = Bounds(body_bytes_max=4_096, archive_bytes_max=64, request_ms=5_000, page_items=50)
LOOPBACK = Address("127.0.0.1", 0)


@pytest.fixture
def node() -> SmallNode:
    return SmallNode()


@pytest.fixture
async def client(node: SmallNode, nursery: trio.Nursery) -> AsyncIterator[httpx2.AsyncClient]:
    settings = ApiSettings(
        token=TOKEN, host="127.0.0.1", bounds=BOUNDS, heartbeat_ms=50, streams_max=2
    )
    app = create_app(node, settings)
    listener = bind(LOOPBACK, may_move=False)
    url: str = await nursery.start(serve, app, listener, node.stopping.wait)
    async with httpx2.AsyncClient(base_url=url, headers=HEADERS, timeout=5) as client:
        yield client
    node.stopping.set()


async def submit(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/api/v1/tasks", json={"contract": {"task_type": "summarize"}})
    return answer.json()["task_id"]


async def frames(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield the server-sent events of an answer; a comment is {"comment": …}."""
    frame: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        if not line:
            yield frame
            frame = {}
            continue
        name, _, value = line.partition(": ")
        frame[name or "comment"] = json.loads(value) if name == "data" else value


async def test_a_request_is_served_over_a_socket(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/node")
    assert answer.status_code == 200
    assert answer.json()["state"] == "ready"
    assert "server" not in answer.headers


async def test_the_socket_is_not_passed_on_to_children(client: httpx2.AsyncClient) -> None:
    await client.get("/healthz")
    port = client.base_url.port
    for name in os.listdir("/proc/self/fd"):
        try:
            sock = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        with sock:
            if sock.family == socket.AF_INET and sock.getsockname()[1] == port:
                assert not os.get_inheritable(int(name))


async def test_news_arrive_as_they_happen_and_a_quiet_stream_shows_life(
    client: httpx2.AsyncClient, node: SmallNode
) -> None:
    with trio.fail_after(5):
        async with client.stream("GET", "/api/v1/stream") as answer:
            news = frames(answer)
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert await anext(news) == {"comment": "alive"}
            assert await anext(news) == {"comment": "alive"}
            task_id = await submit(client)
            event = await anext(news)
            task = await anext(news)
            await news.aclose()
    assert (event["event"], event["data"]["event_kind"]) == ("event", "TASK_CREATED")
    assert "id" not in event
    assert (task["event"], task["id"], task["data"]["task_id"]) == ("task", "1", task_id)


async def test_a_stream_resumes_after_the_last_id_without_a_gap(
    client: httpx2.AsyncClient, node: SmallNode
) -> None:
    task_id = await submit(client)
    await node.append("TASK_CLAIMED", task_id)
    await node.finish(task_id)
    with trio.fail_after(5):
        async with client.stream(
            "GET", "/api/v1/stream?after=0", headers={"last-event-id": "1"}
        ) as answer:
            news = frames(answer)
            await anext(news)
            seqs = [(await anext(news))["data"]["seq"] for _ in range(4)]
            await news.aclose()
    assert seqs == [2, 2, 3, 3]


async def test_a_stream_of_one_task_tells_of_no_other(
    client: httpx2.AsyncClient, node: SmallNode
) -> None:
    first, second = await submit(client), await submit(client)
    with trio.fail_after(5):
        async with client.stream(
            "GET", "/api/v1/stream", params={"after": 0, "task": second}
        ) as answer:
            news = frames(answer)
            await anext(news)
            seen = [(await anext(news))["data"]["task_id"] for _ in range(2)]
            await news.aclose()
    assert seen == [second, second]
    assert first != second


async def test_streams_end_when_the_node_stops(client: httpx2.AsyncClient, node: SmallNode) -> None:
    with trio.fail_after(5):
        async with client.stream("GET", "/api/v1/stream") as answer:
            news = frames(answer)
            await anext(news)
            stopped = await client.post("/api/v1/node/stop")
            assert stopped.status_code == 202
            assert [frame async for frame in news if "comment" not in frame] == []


async def test_a_client_that_leaves_frees_its_place(client: httpx2.AsyncClient) -> None:
    with trio.fail_after(5):
        for _ in range(6):
            while True:
                async with client.stream("GET", "/api/v1/stream") as answer:
                    if answer.status_code == 200:
                        break
                await trio.sleep(0.01)


async def test_streams_are_bounded(client: httpx2.AsyncClient) -> None:
    with trio.fail_after(5):
        async with (
            client.stream("GET", "/api/v1/stream") as one,
            client.stream("GET", "/api/v1/stream") as two,
            client.stream("GET", "/api/v1/stream") as three,
        ):
            assert [answer.status_code for answer in (one, two, three)] == [200, 200, 503]
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("last", ["x", "-1", "9" * 20, "١"])
async def test_a_senseless_last_event_id_gets_a_problem(
    client: httpx2.AsyncClient, last: str
) -> None:
    answer = await client.get("/api/v1/stream", headers={"last-event-id": last.encode()})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


def test_a_busy_port_is_left_only_when_nobody_chose_it() -> None:
    with bind(LOOPBACK, may_move=False) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with bind(address, may_move=True) as moved:
            assert moved.getsockname()[1] != address.port
        with pytest.raises(ConfigError) as caught:
            bind(address, may_move=False)
    assert caught.value.code == "address_unavailable"
    assert caught.value.problems[0].remedy
