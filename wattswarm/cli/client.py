"""The node's API from a command's side: where it is, the token, and answers as typed documents."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import attrs
import httpx2
import msgspec

from wattswarm.cli.failure import Failure
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.archive import MEDIA_TYPE
from wattswarm.surface.log import Ingested
from wattswarm.surface.stream import EventNews, News, NodeNews, TaskNews

URL_VARIABLE: Final = "WATTSWARM_API_URL"
TOKEN_VARIABLE: Final = "WATTSWARM_API_TOKEN"
PREFIX: Final = "/api/v1"
TIMEOUT_S: Final = 70.0
"""A little more than the node gives a request."""
CONNECT_TIMEOUT_S: Final = 3.0
INGEST_TIMEOUT_S: Final = 150.0
"""A little more than the node gives its verifier for one request."""
SILENCE_S: Final = 30.0
"""Longest silence of a live stream; the node sends a sign of life more often."""

D = TypeVar("D")

NEWS: Final[Mapping[str, type[News]]] = {"event": EventNews, "task": TaskNews, "node": NodeNews}


@attrs.frozen
class Access:
    """How to reach a node."""

    url: str
    token: str = attrs.field(repr=False, default="")
    """Empty: only what needs none can be asked."""


def find_access(state: StateDir, environment: Mapping[str, str]) -> Access:
    """Return how to reach the node of a state directory, or the one that the environment names.

    Raises:
        Failure: `not_reachable`: no node says where it is.
        ConfigError: The token file cannot be used.
    """
    url = environment.get(URL_VARIABLE)
    token = environment.get(TOKEN_VARIABLE)
    if url is None:
        node = state.node_file()
        if node is None:
            raise Failure(
                code="not_reachable",
                message=f"no node runs on {state.path}",
                remedy="wattswarm up --detach",
            )
        url = node.api_url
    return Access(url.rstrip("/"), token or state.known_token())


@attrs.frozen
class Client:
    """Requests to one node; every failure is a `Failure` that says what to do."""

    access: Access
    http: httpx2.Client

    def get(self, kind: type[D], path: str, **query: object) -> D:
        """Return the document at a path."""
        return self._ask(kind, "GET", path, params=_given(query))

    def post(
        self,
        kind: type[D],
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> D:
        """Return the answer to a command.

        Args:
            key: The Idempotency-Key. timeout_s: Longest wait for the answer.
        """
        headers = {} if key is None else {"idempotency-key": key}
        timeout = httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
        return self._ask(kind, "POST", path, json=body, headers=headers, timeout=timeout)

    def delete(self, kind: type[D], path: str, **query: object) -> D:
        """Return the answer to a removal."""
        return self._ask(kind, "DELETE", path, params=_given(query))

    def content(self, path: str) -> bytes:
        """Return the body at a path as it stands."""
        return self._send("GET", path).content

    def bring(self, content: bytes) -> Ingested:
        """Return what became of an archive of events."""
        timeout = httpx2.Timeout(INGEST_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        headers = {"content-type": MEDIA_TYPE}
        return self._ask(
            Ingested, "POST", "/events", content=content, headers=headers, timeout=timeout
        )

    @contextmanager
    def archive(self, **query: object) -> Generator[Iterator[bytes]]:
        """Give a part of the log as it comes; a connection that breaks ends it early."""
        timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_TIMEOUT_S)
        path = f"{PREFIX}/log/archive"
        with (
            reported(self.access.url),
            self.http.stream("GET", path, params=_given(query), timeout=timeout) as answer,
        ):
            if answer.is_error:
                answer.read()
                raise of_problem(answer)
            yield answer.iter_bytes()

    def _ask(self, kind: type[D], method: str, path: str, **request: Any) -> D:
        answer = self._send(method, path, **request)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.DecodeError as error:
            raise Failure(
                code="bad_answer",
                message=f"{self.access.url} answered what is not understood: {error}",
                remedy="use the `wattswarm` that the node was started with",
            ) from error

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        if request.get("json") is None:
            request.pop("json", None)
        with reported(self.access.url):
            answer = self.http.request(method, f"{PREFIX}{path}", **request)
        if answer.is_error:
            raise of_problem(answer)
        return answer

    def readiness(self) -> tuple[bool, tuple[str, ...]]:
        """Tell whether the node takes work, and if not, why."""
        with reported(self.access.url):
            answer = self.http.get("/readyz")
        document = msgspec.json.decode(answer.content)
        return bool(document.get("ready")), tuple(document.get("reasons", ()))

    @contextmanager
    def stream(
        self, *, after: int | None = None, task: str | None = None
    ) -> Generator[Generator[News]]:
        """Follow the node's news until it stops."""
        query = _given({"after": after, "task": task})
        timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_TIMEOUT_S)
        with (
            reported(self.access.url),
            self.http.stream("GET", f"{PREFIX}/stream", params=query, timeout=timeout) as answer,
        ):
            if answer.is_error:
                answer.read()
                raise of_problem(answer)
            yield read_news(answer)


def read_news(answer: httpx2.Response) -> Generator[News]:
    """Yield the server-sent events of an answer; what this version does not know is skipped."""
    kind = ""
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind in NEWS:
            yield msgspec.json.decode(value, type=NEWS[kind])


@contextmanager
def open_client(access: Access) -> Generator[Client]:
    """Open the connection to a node; proxies of the environment are not asked."""
    with httpx2.Client(
        base_url=access.url,
        headers={"authorization": f"Bearer {access.token}"} if access.token else {},
        timeout=httpx2.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        trust_env=False,
        verify=access.url.startswith("https:"),  # reading the certificates takes 100 ms
    ) as http:
        yield Client(access, http)


@contextmanager
def reported(url: str) -> Generator[None]:
    """Turn what goes wrong on the way into a failure that says what to do."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise Failure(
            code="timed_out",
            message=f"the node at {url} did not answer in time",
            remedy="`wattswarm actors top` and `wattswarm doctor` show what it is doing",
        ) from error
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise Failure(
            code="not_reachable",
            message=f"the node at {url} does not answer: {error}",
            remedy="wattswarm up --detach",
        ) from error


def of_problem(answer: httpx2.Response) -> Failure:
    """Return the failure that a problem document tells of."""
    try:
        document = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        document = {}
    standard = ("type", "title", "status", "code", "detail")
    return Failure(
        code=str(document.get("code", "bad_answer")),
        message=str(document.get("detail", f"HTTP status {answer.status_code}")),
        status=answer.status_code,
        details={name: value for name, value in document.items() if name not in standard},
    )


def _given(query: Mapping[str, object]) -> dict[str, str]:
    words = {True: "true", False: "false"}
    return {
        name: words[value] if isinstance(value, bool) else str(value)
        for name, value in query.items()
        if value is not None
    }
