"""The API on a real socket: serving, streaming, stopping, and the port."""

import json
import os
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from tests.support.served_node import TOKEN, ServedNode, served_node
from wattswarm.api.server import bind
from wattswarm.cli.client import Access, open_client
from wattswarm.config.check import Address
from wattswarm.config.errors import ConfigError
from wattswarm.surface.stream import EventNews, TaskNews

HEADERS = {"authorization": f"Bearer {TOKEN}"}
LOOPBACK = Address("127.0.0.1", 0)


@pytest.fixture
def served() -> Iterator[ServedNode]:
    with served_node(streams_max=2) as served:
        yield served


@pytest.fixture
def client(served: ServedNode) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=served.url, headers=HEADERS, timeout=5) as client:
        yield client


def submit(client: httpx2.Client) -> str:
    answer = client.post("/api/v1/tasks", json={"contract": {"task_type": "summarize"}})
    return answer.json()["task_id"]


@contextmanager
def follow(client: httpx2.Client, **request: Any) -> Generator[Iterator[dict[str, Any]]]:
    """Give the server-sent events of a stream; a comment is {"comment": …}."""
    with client.stream("GET", "/api/v1/stream", **request) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield frames(answer)


def frames(answer: httpx2.Response) -> Iterator[dict[str, Any]]:
    frame: dict[str, Any] = {}
    for line in answer.iter_lines():
        if not line:
            yield frame
            frame = {}
            continue
        name, _, value = line.partition(": ")
        frame[name or "comment"] = json.loads(value) if name == "data" else value


def news_of(frames: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (frame for frame in frames if "comment" not in frame)


def test_a_request_is_served_over_a_socket(client: httpx2.Client) -> None:
    answer = client.get("/api/v1/node")
    assert answer.status_code == 200
    assert answer.json()["state"] == "ready"
    assert "server" not in answer.headers


def test_the_listening_socket_is_not_passed_on_to_children(client: httpx2.Client) -> None:
    client.get("/healthz")
    mine = [fd for fd in map(int, os.listdir("/proc/self/fd")) if _port(fd) == client.base_url.port]
    assert mine
    assert not any(map(os.get_inheritable, mine))


def _port(fd: int) -> int | None:
    try:
        with socket.socket(fileno=os.dup(fd)) as sock:
            name = sock.getsockname()
            return name[1] if sock.family == socket.AF_INET else None
    except OSError:
        return None


def test_news_arrive_as_they_happen_and_a_quiet_stream_shows_life(client: httpx2.Client) -> None:
    with follow(client) as stream:
        assert next(stream) == {"comment": "alive"}
        assert next(stream) == {"comment": "alive"}
        task_id = submit(client)
        news = news_of(stream)
        event, task = next(news), next(news)
    assert (event["event"], event["data"]["event_kind"]) == ("event", "TASK_CREATED")
    assert "id" not in event
    assert (task["event"], task["id"], task["data"]["task_id"]) == ("task", "1", task_id)


def test_a_stream_resumes_after_the_last_id_without_a_gap(
    client: httpx2.Client, served: ServedNode
) -> None:
    task_id = submit(client)
    served.run(served.node.append, "TASK_CLAIMED", task_id)
    served.run(served.node.finish, task_id)
    with follow(client, params={"after": 0}, headers={"last-event-id": "1"}) as stream:
        news = news_of(stream)
        seqs = [next(news)["data"]["seq"] for _ in range(4)]
    assert seqs == [2, 2, 3, 3]


def test_a_stream_of_one_task_tells_of_no_other(client: httpx2.Client) -> None:
    first, second = submit(client), submit(client)
    with follow(client, params={"after": 0, "task": second}) as stream:
        news = news_of(stream)
        seen = [next(news)["data"]["task_id"] for _ in range(2)]
    assert seen == [second, second]
    assert first != second


def test_the_command_line_reads_news_as_documents(
    client: httpx2.Client, served: ServedNode
) -> None:
    task_id = submit(client)
    access = Access(served.url, TOKEN)
    with open_client(access) as reader, reader.stream(after=0, task=task_id) as news:
        event, task = next(news), next(news)
    assert isinstance(event, EventNews)
    assert task == TaskNews(seq=1, task_id=task_id, state="open")


def test_streams_end_when_the_node_stops(client: httpx2.Client) -> None:
    with follow(client) as stream:
        next(stream)
        assert client.post("/api/v1/node/stop").status_code == 202
        assert list(news_of(stream)) == []


def test_streams_are_bounded_and_a_client_that_leaves_frees_its_place(
    client: httpx2.Client,
) -> None:
    with follow(client), follow(client):
        assert client.get("/api/v1/stream").status_code == 503
        assert client.get("/healthz").status_code == 200
    while True:
        with client.stream("GET", "/api/v1/stream") as answer:
            if answer.status_code == 200:
                break


@pytest.mark.parametrize("last", ["x", "-1", "9" * 20, "١"])
def test_a_senseless_last_event_id_gets_a_problem(client: httpx2.Client, last: str) -> None:
    answer = client.get("/api/v1/stream", headers={"last-event-id": last.encode()})
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
