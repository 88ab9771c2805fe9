"""The routes of an executor as an ASGI application: bounded requests, remembered answers.

Work is done in a nursery that outlives requests: a caller that goes away and comes back with the
same `Idempotency-Key` finds the work done, or still going on.
"""

import hashlib
import hmac
import sys
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, contextmanager, suppress
from functools import partial
from typing import Final

import attrs
import outcome
import trio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from wattswarm.executors import decoding
from wattswarm.executors.abilities import Abilities
from wattswarm.executors.contract import (
    JSON,
    NDJSON,
    REQUEST_BYTES_MAX,
    ExecuteAnswer,
    Progress,
    VerifyAnswer,
)
from wattswarm.executors.fields import Json, parse, write
from wattswarm.executors.problem import PROBLEM, problem, problem_of
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.remembered import Key, KeyReused, OnProgress, Remembered, Reply, Work
from wattswarm.kernel.errors import Malformed

KEY_CHARS_MAX: Final = 256
PROGRESS_PENDING_MAX: Final = 64
"""Words of progress that a slow reader may be behind; further ones are lost to it."""

RETRY_AFTER_S: Final = "1"

Endpoint = Callable[[Request], Awaitable[Response]]
Do = Callable[["Service", Json, OnProgress], Awaitable[ExecuteAnswer | VerifyAnswer]]


@attrs.define
class Service:
    """One executor, as requests find it."""

    executor: Abilities
    nursery: trio.Nursery
    remembered: Remembered
    threads: trio.CapacityLimiter
    bearer_token: str | None = attrs.field(default=None, repr=False)
    calls: int = 0

    @contextmanager
    def place(self) -> Generator[None]:
        """Hold one of the places for requests.

        Raises:
            WorkRefused: All are taken.
        """
        if self.calls >= self.executor.calls_max:
            raise WorkRefused("too many requests at once", code="busy", status=503)
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1

    def check_token(self, request: Request) -> None:
        """Return when the request shows the token, or none is needed.

        Raises:
            WorkRefused: It shows none, or another.
        """
        if self.bearer_token is None:
            return
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.bearer_token}".encode()):
            raise WorkRefused("a bearer token is needed", code="unauthorized", status=401)

    def check_served(self, task_type: str, profile: str) -> None:
        """Return when this executor does such work.

        Raises:
            WorkRefused: It does not.
        """
        if not self.executor.capabilities.serves(task_type, profile):
            raise WorkRefused(
                f"no task type {task_type!r} under profile {profile!r} here", code="not_served"
            )


async def _execute(service: Service, document: Json, report: OnProgress) -> ExecuteAnswer:
    request = decoding.execute_request(document)
    service.check_served(request.task_type, request.profile)
    return await service.executor.answer_execute(request, report, service.threads)


async def _verify(service: Service, document: Json, report: OnProgress) -> VerifyAnswer:
    request = decoding.verify_request(document)
    return await service.executor.answer_verify(request, report, service.threads)


def application(service: Service) -> Starlette:
    """Return the ASGI application that answers for `service`."""
    return Starlette(
        routes=[
            Route("/health", partial(_health, service)),
            Route("/capabilities", partial(_capabilities, service)),
            Route("/execute", partial(_post, service, "execute", _execute), methods=["POST"]),
            Route("/verify", partial(_post, service, "verify", _verify), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _no_route, WorkRefused: _refusal},
    )


async def _health(service: Service, request: Request) -> Response:
    del request
    return _json({"status": "ok", "name": service.executor.name, "calls": service.calls})


async def _capabilities(service: Service, request: Request) -> Response:
    service.check_token(request)
    return _json(service.executor.capabilities.to_json())


async def _post(service: Service, call: str, do: Do, request: Request) -> Response:
    service.check_token(request)
    service.executor.on_request(call, request.headers.get("idempotency-key", ""))
    with service.place():
        try:
            body = await _body(request)
        except Malformed as error:
            return _response(problem_of(error))
        reply = partial(_reply, service, call, do, body, request.headers.get("idempotency-key"))
        if NDJSON in request.headers.get("accept", "") and service.executor.streams(call):
            return StreamingResponse(_lines(service, reply), media_type=NDJSON)
        return _response(await reply(_ignore))


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > REQUEST_BYTES_MAX:
                    break
    except ClientDisconnect as error:
        raise Malformed(code="cut_off", message="the request ended before its body") from error
    if len(body) > REQUEST_BYTES_MAX:
        most = f"a request of more than {REQUEST_BYTES_MAX} bytes"
        raise Malformed(code="too_large", message=most)
    return bytes(body)


async def _reply(
    service: Service, call: str, do: Do, body: bytes, key: str | None, report: OnProgress
) -> Reply:
    """Return the reply to one request, done now or remembered."""
    work: Work = partial(_work, service, do, body)
    if key is None:
        return await work(report)
    if not (1 <= len(key) <= KEY_CHARS_MAX and key.isprintable()):
        return problem(400, "bad_key", f"an Idempotency-Key has 1 to {KEY_CHARS_MAX} characters")
    try:
        return await service.remembered.reply(
            Key(call, key), hashlib.sha256(body).digest(), work, report
        )
    except KeyReused as error:
        return problem_of(error)


async def _work(service: Service, do: Do, body: bytes, report: OnProgress) -> Reply:
    """Return the reply that the user's function gives, whatever it does."""
    match await outcome.acapture(_answer, service, do, body, report):
        case outcome.Value(value=text):
            return Reply(200, text)
        case outcome.Error(error=Exception() as error):
            return _failure(error)
        case cancelled:
            return Reply(200, cancelled.unwrap())  # raises: whoever cancels wants to know


async def _answer(service: Service, do: Do, body: bytes, report: OnProgress) -> bytes:
    answer = await do(service, parse(body, bytes_max=REQUEST_BYTES_MAX), report)
    try:
        return write(answer.to_json())
    except Malformed as error:
        raise WorkRefused(
            f"the executor's answer is no JSON: {error}", code="bad_answer", status=500
        ) from error


def _failure(error: Exception) -> Reply:
    if not isinstance(error, WorkRefused | Malformed):
        sys.stderr.write("".join(traceback.format_exception(error)))  # for whoever wrote it
    return problem_of(error)


async def _lines(
    service: Service, reply: Callable[[OnProgress], Awaitable[Reply]]
) -> AsyncGenerator[bytes]:
    """Yield progress as it comes, then the result or what went wrong."""
    send, receive = trio.open_memory_channel[bytes](PROGRESS_PENDING_MAX)
    service.nursery.start_soon(_feed, send, reply)
    async with receive:
        async for line in receive:
            yield line


async def _feed(
    send: trio.MemorySendChannel[bytes], reply: Callable[[OnProgress], Awaitable[Reply]]
) -> None:
    def report(progress: Progress) -> None:
        # A reader that is behind, or gone, loses words of progress and nothing else.
        with suppress(trio.WouldBlock, trio.BrokenResourceError):
            send.send_nowait(_line("progress", write(progress.to_json())))

    async with send:
        done = await reply(report)
        with suppress(trio.BrokenResourceError):  # the reader is gone; the answer is remembered
            await send.send(_line("result" if done.is_success else "error", done.body))


def _line(kind: str, document: bytes) -> bytes:
    return b'{"%b":%b}\n' % (kind.encode(), document)


def _ignore(progress: Progress) -> None:
    del progress


def _json(document: Json) -> Response:
    return Response(write(document), media_type=JSON)


def _response(reply: Reply) -> Response:
    headers = {"retry-after": RETRY_AFTER_S} if reply.status == 503 else None
    return Response(
        reply.body, reply.status, headers, media_type=JSON if reply.is_success else PROBLEM
    )


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _response(problem(error.status_code, "no_route", f"{request.method} {request.url.path}"))


async def _refusal(request: Request, error: Exception) -> Response:
    del request
    return _response(problem_of(error))
