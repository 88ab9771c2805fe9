"""The other side of the executor contract, for tests: real servers on loopback, good and bad."""

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any

import h11
import trio

from wattswarm.executors import Executor
from wattswarm.executors.breaker import BreakerLimits
from wattswarm.executors.client import ExecutorClient, connect
from wattswarm.executors.contract import CandidateView, ExecuteRequest, Policy, VerifyRequest
from wattswarm.executors.fields import Json
from wattswarm.executors.policy_check import policy_of
from wattswarm.executors.retry import RetryLimits
from wattswarm.executors.settings import read
from wattswarm.kernel.policy import CROSSCHECK, SCHEMA_ONLY, bind

_numbers = itertools.count()

PROMPTLY = RetryLimits(backoff_ms_min=1, backoff_ms_max=1)
"""Back-off that a test need not wait for."""


@asynccontextmanager
async def serving(executor: Executor, bearer_token: str | None = None) -> AsyncGenerator[str]:
    """Yield the URL at which an executor is served."""
    async with trio.open_nursery() as nursery:
        serve = partial(executor.serve, "127.0.0.1:0", bearer_token=bearer_token)
        yield await nursery.start(serve)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def connected(
    url: str,
    *,
    environ: dict[str, str] | None = None,
    breaker: BreakerLimits | None = None,
    retries: RetryLimits = PROMPTLY,
    **settings: Json,
) -> AsyncGenerator[ExecutorClient]:
    """Yield a client of whatever listens at `url`."""
    plain: Json = {"name": "one", "base_url": url, **settings}
    async with connect(
        read(plain), environ=environ or {}, dice=Random(1), breaker=breaker, retries=retries
    ) as client:
        yield client


Behave = Callable[[trio.SocketStream, "Seen"], Awaitable[None]]


class Seen:
    """One request that a bare server got."""

    def __init__(self, request: h11.Request, body: bytes) -> None:
        self.target = request.target.decode()
        self.headers = {name.decode(): value.decode() for name, value in request.headers}
        self.body = body


class BareServer:
    """A server that reads one request of a connection and then behaves as it is told."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.seen: list[Seen] = []
        self.arrived = trio.Event()

    async def talk(self, stream: trio.SocketStream) -> None:
        """Answer one connection."""
        async with stream:
            try:
                seen = await _read_request(stream)
                self.seen.append(seen)
                self.arrived.set()
                await self.behave(stream, seen)
            except trio.BrokenResourceError:
                return  # the client has had enough


async def _read_request(stream: trio.SocketStream) -> Seen:
    machine = h11.Connection(h11.SERVER)
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = machine.next_event()
        match event:
            case h11.NEED_DATA:
                machine.receive_data(bytes(await stream.receive_some(65_536)))
            case h11.Request():
                request = event
            case h11.Data():
                body += event.data
            case _:
                assert request is not None, event
                return Seen(request, bytes(body))


@asynccontextmanager
async def bare_server(behave: Behave) -> AsyncGenerator[tuple[str, BareServer]]:
    """Yield a URL and the server behind it."""
    server = BareServer(behave)
    async with trio.open_nursery() as nursery:
        listeners: list[trio.SocketListener] = await nursery.start(
            partial(trio.serve_tcp, server.talk, 0, host="127.0.0.1")
        )
        port = listeners[0].socket.getsockname()[1]
        yield f"http://127.0.0.1:{port}", server
        nursery.cancel_scope.cancel()


def says(
    body: bytes, *, status: str = "200 OK", media_type: str = "application/json", more: str = ""
) -> Behave:
    """Return the behaviour of answering with this body."""

    async def behave(stream: trio.SocketStream, seen: Seen) -> None:
        del seen
        head = (
            f"HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n{more}\r\n"
        )
        await stream.send_all(head.encode() + body)

    return behave


def work(**changes: Any) -> ExecuteRequest:
    """Return a request for work."""
    fields: dict[str, Any] = {
        "task_id": "t",
        "execution_id": "e1",
        "task_type": "echo",
        "profile": "default",
        "inputs": {"text": "hello"},
    }
    return ExecuteRequest(**{**fields, **changes})


CROSSCHECKED: Policy = policy_of(bind(CROSSCHECK))
SCHEMA_CHECKED: Policy = policy_of(bind(SCHEMA_ONLY))


def verification(
    output: Json,
    *,
    inputs: dict[str, Json] | None = None,
    policy: Policy = CROSSCHECKED,
    output_schema: Json = None,
    task_type: str = "summarize",
) -> VerifyRequest:
    """Return a request to verify an output."""
    return VerifyRequest(
        task_id="t",
        execution_id=f"v{next(_numbers)}",
        task_type=task_type,
        profile="default",
        candidate=CandidateView(candidate_id="c", execution_id="e1", output=output),
        output_schema={} if output_schema is None else output_schema,
        policy=policy,
        inputs=inputs or {},
    )
