"""The matrix: every fault at every named point of every actor, and some that have no point.

How a node is made to pass a point, and how long a hang lasts there, is a function of the point.
"""

import enum
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

import attrs

from wattswarm.surface.chaos import FaultOrder

ROOT: Final = "root"
PAUSE_MS: Final = 400
HANG_MS: Final = 700
EXPIRY_MS: Final = 60_000


class Kind(enum.StrEnum):
    """What happens at a point."""

    CRASH = "crash"
    KILL = "kill"
    PAUSE = "pause"
    HANG = "hang"


class Drive(enum.Enum):
    """How a point is passed."""

    LOAD = "the load passes it"
    RESTART = "the actor is restarted"
    REPLAY = "the projections are rebuilt"
    RELOAD = "the configuration is read again"
    POISON = "a message crashes its actor until it is buried"
    DATABASE = "the database is restarted"
    FIRST_START = "a node starts for the first time"


class Special(enum.StrEnum):
    """Faults that strike from outside, at no point."""

    DATABASE_RESTART = "database:restarted at once"
    DATABASE_KILL = "database:killed"
    SESSION_KILL = "database:session of the writer killed"
    OLD_WRITER = "log:stopped old writer woken up"
    STOPPED_WORKER = "log:stopped worker replaced"


IN_RECOVERY: Final = frozenset(
    {
        *("recover.before", "recover.after", "start.before", "start.after", "migrate.before"),
        *("bind.before", "stopping.before"),
    }
)
"""Points within a start or a stop, which have a deadline."""

WATCHED: Final = frozenset({"sel_writer", "verifier"})
"""Actors all of whose own points are within a handler, which must not take longer than a limit."""

WATCHED_HANDLERS: Final = WATCHED | {"projection_builder", "executor_dispatcher", "http_api"}
OWN_DRIVES: Final = {
    "projection_rebuilder": Drive.REPLAY,
    "config_watcher": Drive.RELOAD,
    "dead_letters": Drive.POISON,
    "postgres": Drive.DATABASE,
}
FIRST_START: Final = frozenset({("genesis", "append.before"), ("genesis", "append.after")})
"""Points that a node passes once in its life."""


@attrs.frozen(kw_only=True)
class Case:
    """One fault at one point."""

    actor: str
    point: str
    kind: Kind
    is_in_root: bool

    @property
    def place(self) -> str:
        """The point by its whole name."""
        return f"{self.actor}:{self.point}"

    def __str__(self) -> str:
        return f"{self.place} {self.kind.value}"

    @property
    def drive(self) -> Drive:
        """How the node is made to pass the point."""
        if (self.actor, self.point) in FIRST_START:
            return Drive.FIRST_START
        if self.point in IN_RECOVERY or self.point == "serve.before":
            return Drive.RESTART
        return OWN_DRIVES.get(self.actor, Drive.LOAD)

    @property
    def is_watched(self) -> bool:
        """Whether the runtime itself ends a hang there; elsewhere a hang is one of limited time."""
        if self.point in IN_RECOVERY or self.actor in WATCHED:
            return True
        is_handler = self.point.startswith("handle.")
        return self.drive is Drive.FIRST_START or (is_handler and self.actor in WATCHED_HANDLERS)

    @property
    def order(self) -> FaultOrder:
        """What is armed. The root is killed and stopped from outside, while it stands there."""
        fault, delay_ms = self.kind.value, 0
        match self.kind:
            case Kind.KILL if self.is_in_root:
                fault = Kind.HANG.value
            case Kind.PAUSE:
                fault = Kind.HANG.value if self.is_in_root else fault
                delay_ms = PAUSE_MS
            case Kind.HANG if not self.is_watched:
                delay_ms = HANG_MS
            case _:
                pass
        return FaultOrder(
            fault=fault,
            target=self.actor,
            point=self.point,
            nth=1,
            times=1,
            delay_ms=delay_ms,
            for_ms=EXPIRY_MS,
        )


Step = Case | Special


def matrix(
    points: Sequence[tuple[str, str, str]], dice: Random, only: str | None
) -> tuple[Step, ...]:
    """Return all faults of a round in the order in which they strike.

    Args:
        points: Actor, name and placement of every point.
        only: Only what has this text in its name.
    """
    steps = [*_cases(points), *Special]
    chosen = [step for step in steps if only is None or only in str(step)]
    dice.shuffle(chosen)
    return tuple(chosen)


def _cases(points: Sequence[tuple[str, str, str]]) -> Iterator[Case]:
    for actor, point, placement in points:
        for kind in Kind:
            yield Case(actor=actor, point=point, kind=kind, is_in_root=placement == ROOT)
