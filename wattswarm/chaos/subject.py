"""The node under test: a real one, in processes of its own, started, killed, stopped and asked.

It is asked over its API, as any client would; what it did is read from its log and its tables.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import attrs
import httpx2
import trio

from wattswarm.actors.runtime.logs import STRIKES
from wattswarm.chaos.leftovers import MARK, marked_processes
from wattswarm.chaos.waiting import is_soon
from wattswarm.config.state_dir import StateDir
from wattswarm.surface.chaos import FaultOrder

API: Final = "/api/v1"
POLL_S: Final = 0.02
START_S: Final = 40.0
STOP_S: Final = 20.0
CALL_S: Final = 4.0
LOOK_S: Final = 1.0
GONE_S: Final = 5.0
UP: Final = ("-m", "wattswarm", "--state-dir")
UP_STATES: Final = frozenset({"ready", "stopped"})
"""States of actors of a node that works: genesis has ended, all others are ready."""

LIMITS: Final[Mapping[str, int | str]] = {
    "NODE__PROFILE": "test",
    "NODE__RESTARTS_MAX": 10_000,
    "CHAOS__ENABLED": "true",
    "INGEST__ENABLED": "true",
    "API__LISTEN": "127.0.0.1:0",
    "LOG__FORMAT": "json",
    "STORE__READERS": 2,
    **{
        f"GROUPS__{group}__{limit}": 1_000
        for group in ("ROOT", "LOG", "PROJECTION", "DISPATCH", "INGEST")
        for limit in ("RESTARTS_MAX", "ACTOR_RESTARTS_MAX")
    },
    **{
        f"ACTORS__{actor}__{setting}": value
        for actor in (
            *("POSTGRES", "SEL_WRITER", "PROJECTION_BUILDER"),
            *("EXECUTOR_DISPATCHER", "VERIFIER", "HTTP_API"),
        )
        for setting, value in (
            ("RESTARTS_MAX", 1_000),
            ("BACKOFF_MS_MAX", 20),
            ("START_MS", 2_000),
            ("STOP_MS", 1_500),
            ("HANG_AFTER_MS", 1_000),
        )
    },
    "ACTORS__POSTGRES__START_MS": 3_000,
    "ACTORS__POSTGRES__STOP_MS": 5_000,
    "ACTORS__POSTGRES__HANG_AFTER_MS": 0,
}
"""Settings of a node under test: waits are short, and hundreds of faults are not a failing node."""

COMPACT: Final[Mapping[str, int | str]] = {
    f"ACTORS__{actor}__PLACEMENT": "root"
    for actor in ("SEL_WRITER", "PROJECTION_BUILDER", "EXECUTOR_DISPATCHER", "VERIFIER")
}
"""Settings of a node that is one process, and so is soon up again."""


class NodeGaveUp(Exception):
    """The node ended though nobody had told it to."""


class Unreachable(Exception):
    """The node did not answer this request; it may answer the next one."""


@attrs.frozen
class Answer:
    """What the node answered: a status and a JSON document."""

    status: int
    document: Mapping[str, Any]

    @property
    def is_ok(self) -> bool:
        """Whether what was asked was done."""
        return self.status < 300


@attrs.frozen(kw_only=True)
class Strike:
    """An injected fault that struck, as the process that it struck said itself."""

    number: int
    fault: str
    at: str


@attrs.define(eq=False, kw_only=True)
class Node:
    """One node in a directory of its own.

    Args:
        mark: Tells its processes from all others. journal: Where it writes its log.
        settings: Further settings by name of their variable, without the prefix.
    """

    state: StateDir
    mark: str
    journal: Path
    settings: Mapping[str, int | str] = attrs.field(factory=dict[str, "int | str"])
    kills: int = attrs.field(default=0, init=False)
    orphans: list[str] = attrs.field(factory=list[str], init=False)
    """Workers that lived on after their root was killed."""
    _process: subprocess.Popen[bytes] | None = attrs.field(default=None, init=False)
    _client: httpx2.AsyncClient = attrs.field(init=False)
    _read_to: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        limits = httpx2.Limits(max_connections=16, keepalive_expiry=2.0)
        self._client = httpx2.AsyncClient(timeout=CALL_S, limits=limits, trust_env=False)

    # --- its life -------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The pid of the root process."""
        assert self._process is not None, "not started"
        return self._process.pid

    async def start(self, command: Sequence[str] = ()) -> None:
        """Start the node and return when it takes work.

        Args:
            command: What to run instead of `wattswarm up`.

        Raises:
            NodeGaveUp: It ended instead, or was not ready in time.
        """
        self.launch(command)
        await self.wait_ready()

    def launch(self, command: Sequence[str] = ()) -> None:
        """Start the node, and wait for nothing."""
        with self.journal.open("ab") as journal:
            self._process = subprocess.Popen(
                command or (sys.executable, *UP, str(self.state.path), "up"),
                env=self.environ(),
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=journal,
                start_new_session=True,
            )

    def environ(self) -> dict[str, str]:
        """Return the environment of the node."""
        wanted = {**LIMITS, **self.settings}
        ours = {name: value for name, value in os.environ.items() if "WATTSWARM" not in name}
        return {
            **ours,
            MARK: self.mark,
            **{f"WATTSWARM_{name}": str(value) for name, value in wanted.items()},
        }

    async def wait_ready(self) -> None:
        """Return when it takes work, every actor being ready.

        Raises:
            NodeGaveUp: It ended, or is not ready in time.
        """
        with trio.move_on_after(START_S):
            while not await self.is_well():
                self.check_alive()
                await trio.sleep(POLL_S)
            return
        raise NodeGaveUp(f"not ready after {START_S:g} s: {self.last_words()}")

    def check_alive(self) -> None:
        """Return while the root process lives.

        Raises:
            NodeGaveUp: It has ended by itself.
        """
        if self._process is not None and (status := self._process.poll()) is not None:
            raise NodeGaveUp(f"the node ended with status {status}: {self.last_words()}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the root process."""
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    async def kill(self) -> None:
        """End the root process at once and reap it, and see that its workers end with it."""
        self.signal(signal.SIGKILL)
        await self._wait_ended()
        self.kills += 1

        async def are_gone() -> bool:
            return not await trio.to_thread.run_sync(marked_processes, self.mark)

        if not await is_soon(are_gone, GONE_S):
            self.orphans += marked_processes(self.mark)

    async def stop(self) -> int:
        """Stop the node in order and return its exit status; no node: 0."""
        if self._process is None:
            return 0
        self.signal(signal.SIGTERM)
        return await self._wait_ended()

    async def _wait_ended(self) -> int:
        process, self._process = self._process, None
        assert process is not None, "not started"
        with trio.move_on_after(STOP_S):
            return await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
        process.kill()
        process.wait()
        raise NodeGaveUp(f"the node had not stopped after {STOP_S:g} s: {self.last_words()}")

    def discard(self) -> None:
        """End what is left of the root process, without manners."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def close(self) -> None:
        """End whatever is left of the node, and all connections to it."""
        self.discard()
        with trio.CancelScope(shield=True):
            await self._client.aclose()

    # --- asking it ------------------------------------------------------------------------------

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | bytes | None = None,
        key: str | None = None,
        timeout_s: float = CALL_S,
    ) -> Answer:
        """Ask the node something.

        Raises:
            Unreachable: It did not answer, or answered nonsense.
        """
        url = f"{self._url()}{path}"
        headers = {"authorization": f"Bearer {self.state.token()}", "accept": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        if isinstance(body, bytes):
            headers["content-type"] = "application/octet-stream"
            content = body
        else:
            headers["content-type"] = "application/json"
            content = None if body is None else json.dumps(body).encode()
        try:
            answer = await self._client.request(
                method, url, headers=headers, content=content, timeout=timeout_s
            )
            document = cast("Mapping[str, Any]", json.loads(answer.content or b"{}"))
        except (httpx2.HTTPError, ValueError, OSError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error
        return Answer(answer.status_code, document)

    def _url(self) -> str:
        node = self.state.node_file()
        if node is None or self._process is None or node.pid != self._process.pid:
            raise Unreachable("the node does not say where it is")
        return node.api_url

    async def is_well(self) -> bool:
        """Tell whether the node takes work and every actor of it is up."""
        return await self.ailment() is None

    async def ailment(self) -> str | None:
        """Return what keeps the node from being well, in words, or None when nothing does."""
        try:
            ready = await self.call("GET", "/readyz", timeout_s=LOOK_S)
            if not ready.is_ok:
                return f"not ready: {dict(ready.document)}"
            tree = await self.call("GET", f"{API}/actors", timeout_s=LOOK_S)
        except Unreachable as error:
            return f"not reachable: {error}"
        if not tree.is_ok:
            return f"shows no actors: {dict(tree.document)}"
        states = {actor["name"]: actor["state"] for actor in _actors(tree.document, "actor")}
        unwell = {name: state for name, state in states.items() if state not in UP_STATES}
        return f"actors are not up: {unwell}" if unwell else None

    async def pids(self) -> Mapping[str, int]:
        """Return the pid of each group's process.

        Raises:
            Unreachable: It does not say.
        """
        tree = await self.call("GET", f"{API}/actors")
        return {str(one["name"]): int(one["pid"] or 0) for one in _actors(tree.document, "group")}

    async def points(self) -> Sequence[tuple[str, str, str]]:
        """Return every fault point: actor, name, and where the actor lives."""
        found = await self.call("GET", f"{API}/chaos/points")
        return [(one["actor"], one["name"], one["placement"]) for one in found.document["items"]]

    async def arm(self, order: FaultOrder) -> int:
        """Arm a fault and return its number.

        Raises:
            Unreachable: The node did not say that it is armed.
        """
        answer = await self.call("POST", f"{API}/chaos/faults", body=attrs.asdict(order))
        if not answer.is_ok:
            raise Unreachable(f"not armed: {answer.document}")
        return int(answer.document["fault_id"])

    async def restart_actor(self, actor: str) -> None:
        """Have an actor restarted; whether it was is seen by what follows."""
        await self.try_call("POST", f"{API}/actors/{actor}/restart")

    async def try_call(
        self, method: str, path: str, *, body: Mapping[str, object] | None = None
    ) -> None:
        """Ask for something that a fault may keep from being answered."""
        try:
            await self.call(method, path, body=body)
        except Unreachable:
            return

    # --- what it wrote --------------------------------------------------------------------------

    def strikes(self) -> Iterator[Strike]:
        """Yield the faults that struck since the last call."""
        with self.journal.open("rb") as journal:
            journal.seek(self._read_to)
            for line in journal:
                if not line.endswith(b"\n"):
                    return
                self._read_to += len(line)
                if STRIKES.encode() in line:
                    yield _strike(line)

    def last_words(self) -> str:
        """Return the end of what the node wrote."""
        text = self.journal.read_text("utf-8", "replace") if self.journal.exists() else ""
        return text[-1_500:]


def _strike(line: bytes) -> Strike:
    entry = json.loads(line)
    return Strike(number=int(entry["number"]), fault=str(entry["fault"]), at=str(entry["at"]))


def _actors(tree: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    if tree.get("kind") == kind:
        yield tree
    for child in tree.get("children", ()):
        yield from _actors(child, kind)
