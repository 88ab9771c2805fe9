"""Documents about actors and worker processes."""

from collections.abc import Mapping
from typing import Literal

import attrs

from wattswarm.surface.words import Time

ActorState = Literal[
    "idle",
    "starting",
    "waiting",
    "ready",
    "suspended",
    "restarting",
    "backing_off",
    "degraded",
    "crashed",
    "stopped",
]
"""The runtime's words; `waiting`: it starts, and something that it needs is not there yet."""

NodeKind = Literal["root", "supervisor", "group", "actor"]


@attrs.frozen(kw_only=True)
class TreeNode:
    """A node of the supervision tree."""

    name: str
    kind: NodeKind
    state: ActorState
    pid: int | None
    incarnation: int
    restart: str
    """permanent, transient or temporary; for a supervisor its strategy."""
    restarts: int
    uptime_ms: int | None
    last_error: str | None = None
    last_end: str | None = None
    """Why it was restarted last."""
    children: tuple["TreeNode", ...] = ()


@attrs.frozen(kw_only=True)
class DialView:
    """A dial: what was asked for, what is in effect, and what is allowed."""

    name: str
    wanted: int
    effective: int
    least: int
    most: int
    is_live: bool
    """False when turning it takes a rolling restart of the actor."""
    reverts_at: Time | None = None


@attrs.frozen(kw_only=True)
class ActorStats:
    """How one actor does; rates are over the last seconds, times over the last minute."""

    name: str
    placement: str
    pid: int | None
    state: ActorState
    incarnation: int
    restarts: int
    inbox_depth: int
    inbox_capacity: int
    oldest_ms: int
    in_hand: int
    handled: int
    in_per_s: float
    done_per_s: float
    busy_percent: float
    wait_p50_us: int
    wait_p99_us: int
    handle_p50_us: int
    handle_p99_us: int
    handle_max_us: int
    shed: int
    refused: int
    expired: int
    dead_letters: int
    last_error: str | None
    dials: tuple[DialView, ...]


@attrs.frozen(kw_only=True)
class WorkerStats:
    """How one process does; the root process is one of them."""

    group: str
    pid: int | None
    state: ActorState
    incarnation: int
    restarts: int
    rss_mib: float
    rss_soft_mib: int
    cpu_percent: float
    loop_lag_ms: float
    uptime_ms: int | None


@attrs.frozen(kw_only=True)
class ActorsTop:
    """All actors and processes at one moment."""

    at: Time
    actors: tuple[ActorStats, ...]
    workers: tuple[WorkerStats, ...]


@attrs.frozen(kw_only=True)
class CrashView:
    """One crash of an actor."""

    at: Time
    incarnation: int
    error: str
    message_type: str | None
    message_id: str | None
    traceback: str


@attrs.frozen(kw_only=True)
class ActorDetail:
    """Everything about one actor."""

    stats: ActorStats
    spec: Mapping[str, object]
    snapshot: Mapping[str, object]
    talks_to: tuple[str, ...]
    points: tuple[str, ...]
    crashes: tuple[CrashView, ...]


@attrs.frozen(kw_only=True)
class Tune:
    """A request to turn dials; with `for_ms` they turn back by themselves.

    With `save` they are written into the configuration file too, and outlast the node.
    """

    dials: Mapping[str, int]
    for_ms: int | None = None
    save: bool = False


@attrs.frozen(kw_only=True)
class DialChange:
    """A dial that was turned."""

    name: str
    old: int
    wanted: int
    effective: int
    is_live: bool
    reverts_at: Time | None = None


@attrs.frozen(kw_only=True)
class Tuned:
    """The dials of an actor after they were turned."""

    actor: str
    version: int
    changes: tuple[DialChange, ...]
    saved_to: str | None = None


@attrs.frozen(kw_only=True)
class ActorActed:
    """What was done to an actor, and how it is now."""

    actor: str
    action: Literal["restart", "kill", "suspend", "resume"]
    state: ActorState
    pid: int | None
    incarnation: int


@attrs.frozen(kw_only=True)
class DeadLetter:
    """A message that crashed its actor too often, kept for the operator."""

    letter_id: int
    actor: str
    message_type: str
    message_id: str
    sender: str
    crashes: int
    error: str
    traceback: str
    size_bytes: int
    at: Time
    body: Mapping[str, object] | None = None


@attrs.frozen(kw_only=True)
class DeadLetterPage:
    """Dead letters, newest first."""

    items: tuple[DeadLetter, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class LetterActed:
    """What became of a dead letter."""

    letter_id: int
    action: Literal["retried", "dropped"]
