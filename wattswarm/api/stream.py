"""The live stream: news as server-sent events, resumable, with a heartbeat, ended by either side.

An id is sent with what completes a seq (news of a task, or an event without a task), so that a
client that resumes after the last id it saw may get something twice and misses nothing.
Source: HTML Living Standard §9.2, "Server-sent events".
"""

from collections.abc import AsyncIterator
from typing import Final

import attrs
import msgspec
import trio
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from wattswarm.api.operation import Parameter
from wattswarm.api.problems import Problem, response
from wattswarm.api.reading import read_query
from wattswarm.surface.backend import NodeApi
from wattswarm.surface.stream import KINDS, EventNews, News, TaskNews

HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),
]
BEAT: Final = b": alive\n\n"

PARAMETERS: Final = (
    Parameter(name="after", meaning="Resume after this seq; left out: from now on.", kind=int),
    Parameter(name="task", meaning="Only news of this task.", kind=str),
)


def encode(news: News) -> bytes:
    """Return one server-sent event."""
    match news:
        case TaskNews(seq=seq) | EventNews(seq=seq, task_id=None):
            mark = f"id: {seq}\n"
        case _:
            mark = ""
    body = msgspec.json.encode(news).decode()
    return f"{mark}event: {KINDS[type(news)]}\ndata: {body}\n\n".encode()


def resume_point(request: Request) -> tuple[int | None, str | None]:
    """Return (after, task): Last-Event-ID wins over the parameter, since browsers send it again.

    Raises:
        Problem: One of them makes no sense.
    """
    query = read_query(PARAMETERS, request)
    last = request.headers.get("last-event-id")
    if last is None:
        return query["after"], query["task"]
    if not (last.isascii() and last.isdigit() and len(last) < 17):
        raise Problem(code="bad_parameter", message="Last-Event-ID is a seq")
    return int(last), query["task"]


@attrs.define(eq=False)
class EventStream:
    """An ASGI response that goes on until the client leaves or the node stops."""

    api: NodeApi
    after: int | None
    task: str | None
    heartbeat_s: float
    _sent_at: float = 0
    _turn: trio.Lock = attrs.field(factory=trio.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send news until one side ends."""
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._await_end, receive, nursery.cancel_scope)
            nursery.start_soon(self._beat, send)
            async with self.api.stream(after=self.after, task=self.task) as news:
                await self._send(send, BEAT)
                await self._pump(send, news)
            nursery.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, send: Send, news: AsyncIterator[News]) -> None:
        async for item in news:
            await self._send(send, encode(item))

    async def _beat(self, send: Send) -> None:
        while True:
            await trio.sleep_until(self._sent_at + self.heartbeat_s)
            if trio.current_time() >= self._sent_at + self.heartbeat_s:
                await self._send(send, BEAT)

    async def _send(self, send: Send, body: bytes) -> None:
        async with self._turn:
            self._sent_at = trio.current_time()
            await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _await_end(self, receive: Receive, scope: trio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


@attrs.frozen
class StreamEndpoint:
    """The ASGI endpoint of the live stream."""

    api: NodeApi
    heartbeat_s: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a stream, or with the problem of the request."""
        try:
            after, task = resume_point(Request(scope))
        except Problem as problem:
            await response(problem)(scope, receive, send)
        else:
            await EventStream(self.api, after, task, self.heartbeat_s)(scope, receive, send)
