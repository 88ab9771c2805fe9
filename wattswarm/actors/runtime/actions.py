"""What a supervisor knows of a child, and what it may decide to do: the vocabulary of its core."""

from enum import StrEnum
from typing import Final

import attrs

from wattswarm.actors.runtime.exit import Exit
from wattswarm.actors.runtime.spec import Backoff, Intensity, Restart


@attrs.frozen
class Start:
    """Begin an incarnation of the child now."""

    child: str


@attrs.frozen
class Halt:
    """Make the child end, within its own deadline."""

    child: str


@attrs.frozen
class Wake:
    """Call `tick` at this time."""

    at_s: float


@attrs.frozen
class Restarting:
    """Tell people: a child failed and is started again in `delay_s`."""

    child: str
    exit: Exit
    delay_s: float


@attrs.frozen
class Degraded:
    """Tell people: an optional child was given up, to be tried again later."""

    child: str
    exit: Exit


@attrs.frozen
class Finished:
    """Nothing is left running: the supervisor itself ends like this."""

    exit: Exit


Action = Start | Halt | Wake | Restarting | Degraded | Finished


class Phase(StrEnum):
    """Where a child is."""

    IDLE = "idle"
    """To be started when its turn comes, or stopped."""
    BACKING_OFF = "backing off"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    DEGRADED = "degraded"
    DONE = "done"
    """Ended, and not to be started again."""


@attrs.frozen(kw_only=True)
class Rules:
    """What a supervisor must know of one child."""

    id: str
    restart: Restart = Restart.PERMANENT
    backoff: Backoff = attrs.field(factory=Backoff)
    intensity: Intensity = attrs.field(factory=Intensity)
    optional: bool = False
    significant: bool = False


RUNNING: Final = (Phase.STARTING, Phase.READY, Phase.STOPPING)
