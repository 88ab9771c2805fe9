"""Documents about the node: how it is, whether it is ready, what ails it, how it is set."""

from collections.abc import Mapping
from typing import Literal

import attrs

from wattswarm.surface.words import Hex, Time

NodeState = Literal["starting", "ready", "degraded", "read_only", "stopping"]
Level = Literal["ok", "warning", "error"]
SigningWord = Literal["free", "suspected", "cloned"]


@attrs.frozen(kw_only=True)
class LogPosition:
    """Where the log stands, and how far the projections have come."""

    head_seq: int
    projected_seq: int
    chain: Hex
    writer_term: int


@attrs.frozen(kw_only=True)
class DatabaseView:
    """The node's database."""

    kind: Literal["embedded", "external"]
    version: str
    schema_version: int


@attrs.frozen(kw_only=True)
class SigningView:
    """Whether this node signs.

    `suspected`: an event of its key came that its log did not hold, and nothing is signed until an
    operator says why. `cloned`: the operator said that somebody else has the key.
    """

    state: SigningWord = "free"
    since: Time | None = None
    event_id: Hex | None = None
    """The first such event."""
    restored_at: Time | None = None
    """Nothing is signed for what was opened by then."""


@attrs.frozen(kw_only=True)
class NodeView:
    """A running node on one page."""

    node_id: Hex
    network_id: str
    mode: str
    profile: str
    version: str
    state: NodeState
    started_at: Time
    uptime_ms: int
    pid: int
    api_url: str
    state_dir: str
    log: LogPosition
    database: DatabaseView
    tasks: Mapping[str, int]
    """Tasks by state word."""
    executors: int
    actors_running: int
    actors_restarting: int
    restarts: int
    """Of actors and of worker processes, since the node started."""
    dead_letters: int
    faults_armed: int
    signing: SigningView = SigningView()
    warnings: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Readiness:
    """Whether the node takes work, and if not, why."""

    ready: bool
    state: NodeState
    reasons: tuple[str, ...] = ()
    faults_armed: int = 0


@attrs.frozen(kw_only=True)
class Stopping:
    """The node has begun to stop."""

    pid: int
    stop_ms_max: int


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that was looked at: what was found, and how to mend it."""

    area: str
    level: Level
    message: str
    remedy: str = ""


@attrs.frozen(kw_only=True)
class Diagnosis:
    """All findings; `ok` when none is an error."""

    ok: bool
    findings: tuple[Finding, ...]


@attrs.frozen(kw_only=True)
class SettingView:
    """One setting: its value in force and where that came from."""

    path: str
    value: bool | int | str | tuple[str, ...]
    source: str
    range: str
    meaning: str


@attrs.frozen(kw_only=True)
class ConfigView:
    """Every setting, in the order of the default file."""

    settings: tuple[SettingView, ...]
