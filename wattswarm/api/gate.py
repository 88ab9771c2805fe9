"""What every request passes first: Host, Origin, token, and the bound on requests at one time.

Browsers are the danger on loopback: a page of another site can reach this port, so that Host
(against DNS rebinding) and Origin (against cross-site requests) are checked before anything else,
and CORS is off.
"""

import hmac
import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

import attrs
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wattswarm.api.problems import Problem, response

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
METRICS_PATH: Final = "/metrics"
STREAM_PATH: Final = "/api/v1/stream"
HOST: Final = re.compile(r"(?:\[(?P<address>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::[0-9]{0,5})?\Z")
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@attrs.define(eq=False)
class Traffic:
    """What is being served, and what was."""

    running: int = 0
    streams: int = 0
    served: dict[str, int] = attrs.field(factory=dict[str, int])
    """Answers by status."""


@attrs.define(eq=False, kw_only=True)
class Gate:
    """ASGI middleware that lets a request through or answers with a problem."""

    app: ASGIApp
    token: str = attrs.field(repr=False)
    hosts: Collection[str]
    is_metrics_open: bool
    requests_max: int
    streams_max: int
    traffic: Traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        counted = self._counted(send)
        problem = self._refusal(scope["path"], Headers(scope=scope))
        if problem is None:
            await self._serve(scope, receive, counted)
        else:
            await response(problem)(scope, receive, counted)

    def _refusal(self, path: str, headers: Headers) -> Problem | None:
        if _host_name(headers.get("host", "")) not in self.hosts:
            return Problem(code="forbidden_host", message="this node does not answer to that Host")
        origin = headers.get("origin")
        if origin is not None and _origin_host(origin) != headers.get("host"):
            return Problem(code="forbidden_origin", message="requests of other sites are refused")
        if path in OPEN_PATHS or (path == METRICS_PATH and self.is_metrics_open):
            return None
        if not self._knows(headers.get("authorization", "")):
            return Problem(
                code="unauthorized",
                message="a bearer token is needed: it is in api_token of the state directory",
                headers={"www-authenticate": "Bearer"},
            )
        return self._crowded(path)

    def _knows(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        is_equal = hmac.compare_digest(given.strip().encode(), self.token.encode())
        return scheme.lower() == "bearer" and is_equal

    def _crowded(self, path: str) -> Problem | None:
        traffic = self.traffic
        running, most = traffic.running - traffic.streams, self.requests_max
        if path == STREAM_PATH:
            running, most = traffic.streams, self.streams_max
        if running < most:
            return None
        return Problem(code="overloaded", message=f"{running} requests of this kind are running")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = int(scope["path"] == STREAM_PATH)
        self.traffic.running += 1
        self.traffic.streams += is_stream
        try:
            await self.app(scope, receive, send)
        finally:
            self.traffic.running -= 1
            self.traffic.streams -= is_stream

    def _counted(self, send: Send) -> Send:
        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = str(message["status"])
                self.traffic.served[status] = self.traffic.served.get(status, 0) + 1
                headers = MutableHeaders(raw=message["headers"])
                headers["x-content-type-options"] = "nosniff"
                headers["cache-control"] = "no-store"
            await send(message)

        return count


def _host_name(host: str) -> str:
    """Return the name in a Host header, without the port; what is no such header has none."""
    found = HOST.match(host)
    return "" if found is None else (found["address"] or found["name"]).lower()


def _origin_host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def known_hosts(listen_host: str, allowed: Iterable[str]) -> frozenset[str]:
    """Return the host names that the node answers to."""
    return LOOPBACK_HOSTS | {listen_host, *(name.lower() for name in allowed)}
