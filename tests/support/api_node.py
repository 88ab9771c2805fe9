"""A whole node in this process, API included, on a database of the test's own."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx2
import msgspec
import trio

from tests.support.actor_tree import ActorTree, actor_tree
from wattswarm.config.state_dir import StateDir
from wattswarm.store.connection import Database

PREFIX = "/api/v1"
NEWS_MAX = 100_000
"""More than any test makes: a reader that waited for room could not be cancelled cleanly."""
SAMPLE: Mapping[str, object] = {"task_type": "summarize", "inputs": {"text": "One. Two."}}


@attrs.frozen(kw_only=True)
class ApiNode:
    """A running node, and a client of its API."""

    inside: ActorTree
    client: httpx2.AsyncClient
    state: StateDir

    async def get(self, path: str, **query: str | int | bool) -> Any:
        """Return the document at a path."""
        answer = await self.client.get(f"{PREFIX}{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, document: object = None, **headers: str) -> Any:
        """Return the answer to a document."""
        answer = await self.client.post(
            f"{PREFIX}{path}", json={} if document is None else document, headers=headers
        )
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    async def refusal(self, method: str, path: str, **options: Any) -> Any:
        """Return the problem that a request is answered with."""
        answer = await self.client.request(method, f"{PREFIX}{path}", **options)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.json()

    async def submit(self, document: Mapping[str, object] = SAMPLE, **headers: str) -> Any:
        """Make a task."""
        return await self.post("/tasks", {"contract": document}, **headers)

    async def wait_final(self, task_id: str) -> Any:
        """Return a task once it is final, as told by the stream."""
        async with self.news(task=task_id, after=0) as told:
            async for item in told:
                if item.kind == "task" and item.document["state"] == "final":
                    return await self.get(f"/tasks/{task_id}")
        raise AssertionError("the stream ended before the task was final")

    @asynccontextmanager
    async def news(
        self, *, last_id: str | None = None, **query: str | int | bool
    ) -> AsyncGenerator[trio.MemoryReceiveChannel["Told"]]:
        """Follow the live stream inside the block; it ends when the node ends it."""
        into, told = trio.open_memory_channel["Told"](NEWS_MAX)
        headers = {} if last_id is None else {"last-event-id": last_id}

        async def read() -> None:
            path = f"{PREFIX}/stream"
            async with (
                into,
                self.client.stream("GET", path, params=query, headers=headers) as answer,
            ):
                frame: dict[str, str] = {}
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(": ")
                    if not line and "data" in frame:
                        into.send_nowait(Told.of(frame))
                    frame = {} if not line else {**frame, name: value}

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            yield told
            # Cancelled within the client, which so closes its generators from the inside out.
            nursery.cancel_scope.cancel()


@attrs.frozen
class Told:
    """One server-sent event."""

    kind: str
    id: str | None
    document: Any

    @classmethod
    def of(cls, frame: Mapping[str, str]) -> "Told":
        """Return the event of a frame's fields."""
        return cls(frame["event"], frame.get("id"), msgspec.json.decode(frame["data"]))


@asynccontextmanager
async def api_node(
    database: Database,
    folder: Path,
    *,
    is_compact: bool = True,
    chaos: bool = False,
    settings: Mapping[str, object] | None = None,
) -> AsyncGenerator[ApiNode]:
    """Run a node for as long as the block lasts; it answers inside the block."""
    chosen = {
        "API__LISTEN": "127.0.0.1:0",
        "CHAOS__ENABLED": str(chaos).lower(),
        **(settings or {}),
    }
    state = StateDir(folder / "node")
    async with actor_tree(
        database, folder, is_compact=is_compact, without=(), settings=chosen, chaos=chaos
    ) as inside:
        url = str((await inside.tree.inspect("http_api"))["url"])
        headers = {"authorization": f"Bearer {state.known_token()}"}
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            yield ApiNode(inside=inside, client=client, state=state)
