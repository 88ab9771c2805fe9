"""One HTTP exchange with an executor: one request, one bounded answer, typed errors.

Nothing is read beyond what may be kept, redirects are not followed, and bodies come as they are
(no content coding), so that a small answer cannot become a large one.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import attrs
import httpx2
import trio

from wattswarm.executors.contract import NDJSON, Progress
from wattswarm.executors.errors import (
    EXCERPT_CHARS_MAX,
    ExecutorContractBroken,
    ExecutorRefused,
    ExecutorUnavailable,
)
from wattswarm.executors.fields import Fields, Json, parse, write
from wattswarm.executors.line_stream import Failed, LineStream
from wattswarm.kernel.errors import Malformed

THREAD_BYTES_MIN: Final = 65_536
"""Documents from this size on are read in a thread: they would hold up everybody else."""

EXCERPT_BYTES_MAX: Final = 8 * EXCERPT_CHARS_MAX

T = TypeVar("T")
OnProgress = Callable[[Progress], None]
Decode = Callable[[Json, str], T]
"""Makes a value of the contract of a document and its path, or raises Malformed."""


@attrs.frozen(kw_only=True)
class Request:
    """What is sent."""

    call: str
    method: str
    path: str
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: Mapping[str, Json] | None = None


@attrs.frozen
class Exchange:
    """The connections to one executor; turns what HTTP does into the errors of the contract."""

    executor: str
    http: httpx2.AsyncClient

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncGenerator[httpx2.Response]:
        """Yield the response to `request` once its status says success; its body is not yet read.

        Raises:
            ExecutorUnavailable: Not reached, or cut off, also while the caller reads the body.
            ExecutorRefused: The status is no 2xx.
        """
        content = None if request.body is None else write(request.body)
        try:
            async with self.http.stream(
                request.method, request.path, headers=dict(request.headers), content=content
            ) as response:
                if not response.is_success:
                    raise await self._refusal(request.call, response)
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise self.broken(request.call, "encoded", "a content coding nobody asked for")
                yield response
        except (httpx2.TransportError, httpx2.InvalidURL, UnicodeError) as error:
            raise ExecutorUnavailable(
                executor=self.executor, call=request.call, reason=_reason(error)
            ) from error

    async def status(self, request: Request) -> None:
        """Return when the executor answers with success; what it says beyond that is ignored."""
        async with self.open(request) as response:
            await _start_of(response)

    async def document(self, request: Request, decode: Decode[T], *, bytes_max: int) -> T:
        """Return what `decode` makes of the answer's body.

        Raises:
            ExecutorContractBroken: The body is too large, no JSON, or `decode` refuses it.
        """
        async with self.open(request) as response:
            body = await self.body(request.call, response, bytes_max)
        return await self._decoded(request.call, body, lambda text: decode(_parsed(text), "$"))

    async def result(
        self, request: Request, decode: Decode[T], *, bytes_max: int, on_progress: OnProgress
    ) -> T:
        """Return what `decode` makes of the answer: one document, or the last of many lines."""
        async with self.open(request) as response:
            if _media_type(response) != NDJSON:
                body = await self.body(request.call, response, bytes_max)
                return await self._decoded(
                    request.call, body, lambda text: decode(_parsed(text), "$")
                )
            line = await self._last_line(request.call, response, bytes_max, on_progress)
        return await self._decoded(request.call, line, lambda text: _decoded_result(text, decode))

    def broken(self, call: str, rule: str, message: str, path: str = "$") -> ExecutorContractBroken:
        """Return the error that says how an answer breaks the contract."""
        return ExecutorContractBroken(
            executor=self.executor, call=call, rule=rule, path=path, message=message
        )

    async def body(self, call: str, response: httpx2.Response, bytes_max: int) -> bytes:
        """Return the body of a response, of at most `bytes_max` bytes.

        Raises:
            ExecutorContractBroken: There is more; the rest is not read.
        """
        body = await _read(response, bytes_max + 1)
        if len(body) > bytes_max:
            raise self.broken(call, "too_large", f"an answer of more than {bytes_max} bytes")
        return body

    async def _last_line(
        self, call: str, response: httpx2.Response, bytes_max: int, on_progress: OnProgress
    ) -> bytes:
        listener = _Listener(LineStream(bytes_max), on_progress)
        await _feed(response, listener.hear)
        match listener.end:
            case Malformed() as error:
                raise self.broken(call, error.code, error.message, error.path) from error
            case Failed(status, detail):
                raise ExecutorRefused(
                    executor=self.executor, call=call, status=status, excerpt=_excerpt(detail)
                )
            case line:
                return line

    async def _decoded(self, call: str, text: bytes, read: Callable[[bytes], T]) -> T:
        try:
            if len(text) < THREAD_BYTES_MIN:
                return read(text)
            return await trio.to_thread.run_sync(read, text, abandon_on_cancel=True)
        except Malformed as error:
            raise self.broken(call, error.code, error.message, error.path) from error

    async def _refusal(self, call: str, response: httpx2.Response) -> ExecutorRefused:
        return ExecutorRefused(
            executor=self.executor,
            call=call,
            status=response.status_code,
            excerpt=_told(await _start_of(response)),
            retry_after_ms=_retry_after_ms(response),
        )


@attrs.define
class _Listener:
    """Hears an answer that comes line by line."""

    lines: LineStream
    on_progress: OnProgress
    fault: Malformed | Failed | None = None

    def hear(self, chunk: bytes) -> bool:
        """Take in what comes, and tell whether to go on listening."""
        try:
            for said in self.lines.feed(chunk):
                self._take(said)
        except Malformed as error:
            self.fault = error
        return self.fault is None

    def _take(self, said: Progress | Failed) -> None:
        match said:
            case Progress():
                self.on_progress(said)
            case Failed():
                self.fault = said

    @property
    def end(self) -> bytes | Malformed | Failed:
        """The result line, or what came instead of one."""
        try:
            return self.fault or self.lines.end()
        except Malformed as error:
            return error


async def _feed(response: httpx2.Response, take: Callable[[bytes], bool]) -> None:
    """Hand over a body chunk by chunk until `take` has had enough.

    Reading is then cancelled, not left: iterators that are left half-way stay open until they are
    collected.
    """
    with trio.CancelScope() as reading:
        async for chunk in response.aiter_raw():
            if not reading.cancel_called and not take(chunk):
                reading.cancel()


async def _read(response: httpx2.Response, bytes_max: int) -> bytes:
    """Return a body, or the first `bytes_max` bytes of it."""
    body = bytearray()

    def take(chunk: bytes) -> bool:
        body.extend(chunk)
        return len(body) < bytes_max

    await _feed(response, take)
    return bytes(body[:bytes_max])


async def _start_of(response: httpx2.Response) -> str:
    """Return the first part of a body; a short one is read to its end, and its connection kept."""
    return (await _read(response, EXCERPT_BYTES_MAX)).decode("utf-8", errors="replace")


def _parsed(text: bytes) -> Json:
    return parse(text, bytes_max=len(text))


def _decoded_result(line: bytes, decode: Decode[T]) -> T:
    fields = Fields.of(_parsed(line))
    return decode(fields.value("result"), "$.result")


def _media_type(response: httpx2.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _told(text: str) -> str:
    """Return what the body of a refusal says: a problem's code and detail, or its start."""
    try:
        fields = Fields.of(parse(text.encode(), bytes_max=EXCERPT_BYTES_MAX))
        code = fields.text("code", chars_max=EXCERPT_CHARS_MAX)
        return _excerpt(f"{code}: {fields.text('detail', chars_max=EXCERPT_BYTES_MAX)}")
    except Malformed:
        return _excerpt(text)


def _excerpt(text: str) -> str:
    """Return the first part of a body as one printable line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= EXCERPT_CHARS_MAX else f"{line[:EXCERPT_CHARS_MAX]}…"


def _retry_after_ms(response: httpx2.Response) -> int | None:
    seconds = str(response.headers.get("retry-after", ""))
    return int(seconds) * 1_000 if seconds.isdecimal() and len(seconds) <= 6 else None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
