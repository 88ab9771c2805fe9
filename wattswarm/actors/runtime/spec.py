"""The supervision tree as data: what to run, in what order, and what to do when it fails.

The words are Erlang/OTP's: child specification, restart type, strategy, intensity, significant
child. A tree has groups in start order, a group has children in start order; a group is one
supervisor and lives either in the root process or in a worker process of its own, and the actors
cannot tell which. Everything here is plain data, because a worker gets its part of it over a
socket.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, Literal

import attrs

Plain = object
"""What an actor's arguments may be made of: bools, ints, floats, text, bytes, None, and tuples and
text-keyed mappings of these. `problems_of` checks it; lists arrive as tuples.
"""

ROOT: Final = "root"
"""Name of the process that holds the tree."""
INSTANCES_MAX: Final = 256
OPERATOR: Final = "operator"
"""Sender of messages that come from outside the tree."""


class Restart(StrEnum):
    """Which ends of a child bring it back. There is no "resume": state after an error is not
    trusted."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    """Only abnormal ends."""
    TEMPORARY = "temporary"
    """Never."""


class Strategy(StrEnum):
    """Who else is restarted when one child fails."""

    ONE_FOR_ONE = "one_for_one"
    REST_FOR_ONE = "rest_for_one"
    """Those started after it, too."""
    ONE_FOR_ALL = "one_for_all"


class AutoShutdown(StrEnum):
    """Which normal ends of significant children end their supervisor."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class Overflow(StrEnum):
    """What happens to a message for which the inbox has no room; every loss is counted."""

    BLOCK = "block"
    """The sender waits."""
    SHED_OLDEST = "shed_oldest"
    REFUSE = "refuse"
    """`tell` returns False, `ask` raises `Refused`."""


@attrs.frozen(kw_only=True)
class Backoff:
    """How long a restart waits: the first not at all, then full jitter under a doubling cap.

    The cap falls back only after `reset_after_s` of health, so that a crash loop of ten seconds
    is not taken for ten-second health.
    """

    base_s: float = 0.05
    cap_s: float = 30.0
    reset_after_s: float = 60.0


@attrs.frozen
class Intensity:
    """At most `restarts` within `period_s`; one more and the supervisor gives up."""

    restarts: int = 5
    period_s: float = 30.0


@attrs.frozen(kw_only=True)
class InboxSpec:
    """Bound of an inbox and what happens beyond it."""

    capacity: int = 1_024
    overflow: Overflow = Overflow.BLOCK


@attrs.frozen(kw_only=True)
class DialSpec:
    """A whole number that an operator may change while the actor runs; its unit is in its name."""

    name: str
    default: int
    minimum: int
    maximum: int
    is_live: bool = True
    """False when turning it starts the actor anew."""

    def __attrs_post_init__(self) -> None:
        assert self.minimum <= self.default <= self.maximum, self


@attrs.frozen(kw_only=True)
class ChildSpec:
    """One actor: what it is, and how it is run, bounded and restarted.

    `actor` is an import path `package.module:Class`; `args` are its keyword arguments. With
    `instances` above one, its children are called `id/0`, `id/1` …, and the name `id` stands for
    all of them: a message goes to the instance that owns its `shard_by` field, or to the emptiest
    inbox when it has none.
    """

    id: str
    actor: str
    args: Mapping[str, Plain] = attrs.field(factory=dict[str, Plain])
    restart: Restart = Restart.PERMANENT
    backoff: Backoff = Backoff()
    intensity: Intensity = Intensity()
    start_timeout_s: float = 30.0
    shutdown_s: float = 5.0
    """How long a stop may take before the actor is cancelled; 0 cancels at once."""
    inbox: InboxSpec = InboxSpec()
    concurrency: int = 1
    """Handlers at once; with `shard_by`, messages of one key stay in order."""
    batch: int = 1
    """Above 1, `handle_batch` gets what has queued, up to this many."""
    burst: int = 64
    """Messages handled before others in the process get their turn."""
    shard_by: str | None = None
    """Message field that names the key of a message."""
    instances: int = 1
    is_scalable: bool = False
    """Whether `instances` is a dial: it shares its work out by their number."""
    hang_after_s: float | None = None
    """A handler that takes longer is cancelled, and the incarnation counts as crashed."""
    controls_tree: bool = False
    """Whether it may look at the tree and turn it (`Context.tree`); only in the root process."""
    drain: bool = False
    """Whether a stop handles the mail that has already come, as far as `shutdown_s` allows."""
    talks_to: tuple[str, ...] = ()
    """Actors that it may tell."""
    asks: tuple[str, ...] = ()
    """Actors that it may ask as well; the graph of asks has no cycle."""
    dials: tuple[DialSpec, ...] = ()
    secrets: tuple[str, ...] = ()
    optional: bool = False
    """On give-up the tree goes on degraded, and the actor is tried again every five minutes."""
    significant: bool = False

    def ids(self) -> tuple[str, ...]:
        """Return the names of its children, one per instance."""
        if self.instances == 1:
            return (self.id,)
        return tuple(f"{self.id}/{index}" for index in range(self.instances))


@attrs.frozen(kw_only=True)
class GroupSpec:
    """A supervisor and its children in start order; `worker` gives it a process of its own."""

    name: str
    children: tuple[ChildSpec, ...]
    placement: Literal["root", "worker"] = "worker"
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: Intensity = Intensity(20, 60.0)
    """Restarts of all its children together."""
    restarts: Intensity = Intensity(3, 60.0)
    """Restarts of the group itself."""
    backoff: Backoff = Backoff()
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    start_timeout_s: float = 60.0
    shutdown_s: float = 10.0
    suspect_after_s: float = 5.0
    """Silence of a worker's loop after which it is under suspicion …"""
    hung_after_s: float = 7.0
    """… and after which its stacks are dumped and it is killed."""
    nice: int = 0
    rss_soft_bytes: int | None = None
    """A worker above this is asked to stop and is replaced."""


@attrs.frozen(kw_only=True)
class TreeSpec:
    """A whole node. `worker_setup` is an import path `package.module:function`, called in each
    worker with `worker_setup_args` before its first actor; it may return a `Logger`.
    """

    groups: tuple[GroupSpec, ...]
    intensity: Intensity = Intensity(10, 600.0)
    """Restarts of all groups together."""
    shutdown_s: float = 25.0
    """The whole tree has stopped by then, or what has not is killed."""
    worker_setup: str | None = None
    worker_setup_args: Mapping[str, Plain] = attrs.field(factory=dict[str, Plain])
    preload: tuple[str, ...] = ()
    """Modules that the spare worker imports while it waits."""
    spare: bool = True
    """Whether one worker process waits, started and imported, for another to die."""

    def children(self) -> Iterator[tuple[GroupSpec, ChildSpec]]:
        """Yield every child with its group, in start order."""
        for group in self.groups:
            for child in group.children:
                yield group, child

    def with_child(self, child: ChildSpec) -> "TreeSpec":
        """Return the same tree with another specification for the actor of that name."""
        groups = tuple(
            attrs.evolve(
                group,
                children=tuple(child if one.id == child.id else one for one in group.children),
            )
            for group in self.groups
        )
        return attrs.evolve(self, groups=groups)

    def compact(self) -> "TreeSpec":
        """Return the same tree in one process."""
        return attrs.evolve(
            self, groups=tuple(attrs.evolve(group, placement="root") for group in self.groups)
        )
