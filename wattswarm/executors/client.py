"""The node's side of the executor contract: one client per executor.

Every call has a deadline that covers waiting for a free place, retries and pauses; every answer is
bounded while it is read; every failure is an `ExecutorError`. A call is made again only where that
is safe: questions always, work only under the same `Idempotency-Key`.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import attrs
import httpx2
import trio

from wattswarm.executors import decoding, evidence
from wattswarm.executors.breaker import Breaker, BreakerLimits, BreakerStatistics, Permit, Spared
from wattswarm.executors.contract import (
    ANSWER_BYTES_MAX,
    CAPABILITIES_BYTES_MAX,
    JSON,
    NDJSON,
    VERIFY_ANSWER_BYTES_MAX,
    BodyRef,
    Capabilities,
    ExecuteAnswer,
    ExecuteRequest,
    Progress,
    VerifyAnswer,
    VerifyRequest,
)
from wattswarm.executors.errors import (
    SERVER_ERRORS,
    EvidenceRefused,
    ExecutorError,
    ExecutorRefused,
    ExecutorTooSlow,
    ExecutorUnavailable,
)
from wattswarm.executors.exchange import Exchange, OnProgress, Request
from wattswarm.executors.fields import Json
from wattswarm.executors.retry import Dice, RetryLimits, pause_ms
from wattswarm.executors.settings import ExecutorSettings, bearer_token
from wattswarm.kernel.limits import ARTIFACT_BYTES_MAX

AUTH_STATUSES: Final = frozenset({401, 403})

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class ClientStatistics:
    """What one client is doing, and how its executor did."""

    calls_in_flight: int
    calls_waiting: int
    calls_done: int
    calls_failed: int
    last_error: str | None
    breaker: BreakerStatistics


def ignore_progress(progress: Progress) -> None:
    """Let a word of progress pass."""
    del progress


@attrs.define
class ExecutorClient:
    """Calls one executor; made by `connect`."""

    settings: ExecutorSettings
    _exchange: Exchange
    _breaker: Breaker
    _places: trio.CapacityLimiter
    _dice: Dice
    _retries: RetryLimits
    _done: int = attrs.field(default=0, init=False)
    _failed: int = attrs.field(default=0, init=False)
    _last_error: str | None = attrs.field(default=None, init=False)
    _is_away: bool = attrs.field(default=False, init=False)

    async def health(self) -> None:
        """Return when the executor says that it is well.

        Raises:
            ExecutorError: It does not, or is being spared.
        """
        await self._call("health", self._health, self.settings.probe_timeout_ms)

    async def capabilities(self) -> Capabilities:
        """Return what the executor says that it can do.

        Raises:
            ExecutorError: It does not say, or is being spared.
        """
        return await self._call("capabilities", self._capabilities, self.settings.probe_timeout_ms)

    async def check(self) -> Capabilities:
        """Ask for health and capabilities even when the executor is being spared.

        A good answer ends the sparing of an executor that could not be reached; one that answers
        this but fails at its work stays spared for as long as that takes.

        Raises:
            ExecutorError: The executor is not well.
        """
        try:
            await self._within("health", self._health, self.settings.probe_timeout_ms)
            found = await self._within(
                "capabilities", self._capabilities, self.settings.probe_timeout_ms
            )
        except (ExecutorUnavailable, ExecutorTooSlow):
            self._is_away = True
            raise
        if self._is_away:
            self._is_away = False
            self._breaker.reset()
        return found

    async def execute(
        self,
        request: ExecuteRequest,
        *,
        timeout_ms: int | None = None,
        traceparent: str | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> ExecuteAnswer:
        """Return the executor's answer to a piece of work.

        Args:
            timeout_ms: Shortens the deadline of the settings, never lengthens it.
            traceparent: Passed on as it is. Source: W3C Trace Context.
            on_progress: Called with each word of progress; must not block.

        Raises:
            ExecutorError: There is no usable answer.
        """
        sent = _post("execute", request.to_json(), request.execution_id, traceparent)
        return await self._call(
            "execute",
            lambda: self._exchange.result(
                sent,
                decoding.execute_answer,
                bytes_max=ANSWER_BYTES_MAX,
                on_progress=on_progress,
            ),
            self._deadline_ms(timeout_ms),
        )

    async def verify(
        self,
        request: VerifyRequest,
        *,
        timeout_ms: int | None = None,
        traceparent: str | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> VerifyAnswer:
        """Return what the executor finds about a candidate; see `execute`."""
        sent = _post("verify", request.to_json(), request.execution_id, traceparent)
        return await self._call(
            "verify",
            lambda: self._exchange.result(
                sent,
                decoding.verify_answer,
                bytes_max=VERIFY_ANSWER_BYTES_MAX,
                on_progress=on_progress,
            ),
            self._deadline_ms(timeout_ms, self.settings.verify_timeout_ms),
        )

    async def fetch_evidence(
        self, ref: BodyRef, *, bytes_max: int = ARTIFACT_BYTES_MAX, timeout_ms: int | None = None
    ) -> bytes:
        """Return the body that `ref` names, which has the size and the digest that it says.

        Raises:
            EvidenceRefused: It is not at the executor, larger than `bytes_max`, or another body.
            ExecutorError: The executor gave no answer.
        """
        url = evidence.local_url(self.settings.base_url, ref.uri)
        if url is None:
            raise self._refused(ref, "foreign_origin", "not at the executor's own address")
        if ref.size_bytes > bytes_max:
            raise self._refused(ref, "too_large", f"more than {bytes_max} bytes")
        body = await self._call(
            "evidence", lambda: self._fetch(ref, url), self._deadline_ms(timeout_ms)
        )
        if len(body) != ref.size_bytes:
            raise self._refused(ref, "size_mismatch", f"{len(body)} bytes, not {ref.size_bytes}")
        if not evidence.has_digest(ref, body):
            raise self._refused(ref, "digest_mismatch", f"the body is not {ref.digest}")
        return body

    def tune(self, concurrency: int) -> None:
        """Let this many calls be under way at once from now on."""
        self._places.total_tokens = concurrency

    def statistics(self) -> ClientStatistics:
        """Return what this client is doing now."""
        places = self._places.statistics()
        return ClientStatistics(
            calls_in_flight=places.borrowed_tokens,
            calls_waiting=places.tasks_waiting,
            calls_done=self._done,
            calls_failed=self._failed,
            last_error=self._last_error,
            breaker=self._breaker.statistics(_now_ms()),
        )

    def _deadline_ms(self, timeout_ms: int | None, longest: int | None = None) -> int:
        longest = longest or self.settings.timeout_ms
        return longest if timeout_ms is None else min(longest, timeout_ms)

    async def _health(self) -> None:
        await self._exchange.status(Request(call="health", method="GET", path="health"))

    async def _capabilities(self) -> Capabilities:
        return await self._exchange.document(
            Request(call="capabilities", method="GET", path="capabilities"),
            decoding.capabilities,
            bytes_max=CAPABILITIES_BYTES_MAX,
        )

    async def _fetch(self, ref: BodyRef, url: str) -> bytes:
        request = Request(call="evidence", method="GET", path=url)
        try:
            async with self._exchange.open(request) as response:
                return await self._exchange.body("evidence", response, ref.size_bytes)
        except ExecutorRefused as error:
            if error.status in AUTH_STATUSES:
                raise self._refused(ref, "auth_denied", str(error)) from error
            raise

    def _refused(self, ref: BodyRef, rule: str, message: str) -> EvidenceRefused:
        return EvidenceRefused(
            executor=self.settings.name, call="evidence", rule=rule, uri=ref.uri, message=message
        )

    async def _call(self, call: str, attempt: Callable[[], Awaitable[T]], timeout_ms: int) -> T:
        """Return the answer of `attempt`, and let the breaker know how the call went."""
        permit = self._permit(call)
        learn = self._breaker.abandoned
        try:
            answer = await self._within(call, attempt, timeout_ms)
            learn = self._breaker.succeeded
        except ExecutorError as error:
            learn = self._breaker.failed if _is_outage(error) else self._breaker.succeeded
            self._is_away = self._is_away or isinstance(error, ExecutorUnavailable)
            self._failed += 1
            self._last_error = str(error)
            raise
        finally:
            learn(permit, _now_ms())
        self._done += 1
        return answer

    def _permit(self, call: str) -> Permit:
        now_ms = _now_ms()
        match self._breaker.ask(now_ms):
            case Permit() as permit:
                return permit
            case Spared(until_ms):
                raise ExecutorUnavailable(
                    executor=self.settings.name,
                    call=call,
                    reason=f"it failed repeatedly and is spared for {until_ms - now_ms} ms more",
                    retry_after_ms=until_ms - now_ms,
                )

    async def _within(self, call: str, attempt: Callable[[], Awaitable[T]], timeout_ms: int) -> T:
        with trio.move_on_after(timeout_ms / 1_000):
            async with self._places:
                return await self._attempts(attempt)
        raise ExecutorTooSlow(executor=self.settings.name, call=call, waited_ms=timeout_ms)

    async def _attempts(self, attempt: Callable[[], Awaitable[T]]) -> T:
        made = 0
        while True:
            made += 1
            try:
                return await attempt()
            except ExecutorError as error:
                wait_ms = pause_ms(error, made, self._retries, self._dice)
                if wait_ms is None:
                    raise
            await trio.sleep(wait_ms / 1_000)


def _now_ms() -> int:
    return int(trio.current_time() * 1_000)


def _is_outage(error: ExecutorError) -> bool:
    """Tell whether the executor itself is in trouble, rather than this one answer."""
    match error:
        case ExecutorUnavailable() | ExecutorTooSlow():
            return True
        case ExecutorRefused(status=status):
            return status in SERVER_ERRORS
        case _:
            return False


def _post(call: str, body: Mapping[str, Json], key: str, traceparent: str | None) -> Request:
    headers = {
        "content-type": JSON,
        "accept": f"{NDJSON}, {JSON}",
        "idempotency-key": key,
    }
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return Request(call=call, method="POST", path=call, headers=headers, body=body)


@asynccontextmanager
async def connect(
    settings: ExecutorSettings,
    *,
    environ: Mapping[str, str],
    dice: Dice,
    breaker: BreakerLimits | None = None,
    retries: RetryLimits | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> AsyncGenerator[ExecutorClient]:
    """Yield a client of the executor; its connections are closed on leaving.

    Args:
        environ: Where a bearer token that is named by a variable is looked up.
        transport: Instead of the network, for an executor in the same process.

    Raises:
        ExecutorUnavailable: The token that the settings name cannot be read.
    """
    headers = {"accept-encoding": "identity", **settings.headers}
    token = bearer_token(settings, environ)
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    async with httpx2.AsyncClient(
        base_url=f"{settings.base_url}/",
        headers=headers,
        timeout=None,
        trust_env=False,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=settings.concurrency),
        transport=transport,
    ) as http:
        yield ExecutorClient(
            settings,
            Exchange(settings.name, http),
            Breaker(breaker or BreakerLimits()),
            trio.CapacityLimiter(settings.concurrency),
            dice,
            _limits(retries or RetryLimits(), settings),
        )


def _limits(retries: RetryLimits, settings: ExecutorSettings) -> RetryLimits:
    """Return how often calls are made, as the settings of this one executor have it."""
    return retries if settings.tries is None else attrs.evolve(retries, attempts_max=settings.tries)
