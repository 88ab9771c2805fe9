"""What root and workers say to each other, on a socket of its own that user messages cannot delay.

One closed union per direction. Commands carry a number and are answered under it.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from wattswarm.actors.runtime.exit import CrashReport, DeadLetter
from wattswarm.actors.runtime.message import message
from wattswarm.actors.runtime.rule import FaultRule
from wattswarm.actors.runtime.spec import TreeSpec
from wattswarm.actors.runtime.system import TargetDown
from wattswarm.actors.runtime.view import ActorView

PROTOCOL: Final = 1
EXIT_GAVE_UP: Final = 70
"""Exit status of a worker whose supervisor reached its restart limit (EX_SOFTWARE)."""
HEARTBEAT_S: Final = 0.5


@message(tag=0xFF01)
class Hello:
    """Worker → root, first of all: started, imported, waiting."""

    pid: int
    protocol: int


@message(tag=0xFF02)
class Boot:
    """Root → worker: which group to be."""

    group: str
    tree: TreeSpec
    seed: bytes = attrs.field(repr=False)
    secrets: Mapping[str, bytes] = attrs.field(repr=False)
    rules: tuple[tuple[int, FaultRule], ...]
    is_wire: bool
    chaos_enabled: bool


@message(tag=0xFF03)
class Ready:
    """Worker → root: every actor of the group has been ready."""


@message(tag=0xFF04)
class GaveUp:
    """Worker → root, before it ends with `EXIT_GAVE_UP`."""

    reason: str
    causes: tuple[str, ...]


@message(tag=0xFF05)
class UseLink:
    """Root → worker: a socket to another process comes with this frame."""

    peer: str


@message(tag=0xFF06)
class LinkLost:
    """Worker → root: the link to that process broke."""

    peer: str
    reason: str


@message(tag=0xFF07)
class Halt:
    """Root → worker: stop everything in order, then end."""


@message(tag=0xFF08)
class Ping:
    """Worker → root, twice a second, from the loop that runs the actors."""

    lag_ms: int
    rss_bytes: int


@message(tag=0xFF09)
class Seen:
    """Worker → root: the states of its actors, after each change."""

    actors: tuple[ActorView, ...]


@message(tag=0xFF0A)
class Crashed:
    """Worker → root."""

    report: CrashReport


@message(tag=0xFF0B)
class Dead:
    """Worker → root: a message was put aside."""

    letter: DeadLetter


@message(tag=0xFF0C)
class Ended:
    """Both ways: an incarnation ended; root passes it on to the other workers."""

    notice: TargetDown


@message(tag=0xFF0D)
class Pause:
    """Worker → root: stop this process for so long; the fault plane asks for it."""

    duration_s: float


@message(tag=0xFF10)
class StatsOf:
    """Command: readings of all actors."""


@message(tag=0xFF11)
class TuneOne:
    """Command: turn a dial; answered with the version."""

    actor: str
    dial: str
    value: int


@message(tag=0xFF12)
class RestartOne:
    """Command: a fresh start for an actor."""

    actor: str


@message(tag=0xFF13)
class SuspendOne:
    """Command: hold an actor's mail back, or let it through."""

    actor: str
    is_suspended: bool


@message(tag=0xFF14)
class InspectOne:
    """Command: an actor's own snapshot, as plain values."""

    actor: str


@message(tag=0xFF15)
class ArmOne:
    """Command: arm a fault rule."""

    number: int
    rule: FaultRule


@message(tag=0xFF16)
class Disarm:
    """Command: disarm a rule, or all."""

    number: int | None


@message(tag=0xFF17)
class ResizeOne:
    """Command: an actor has so many instances now, with these arguments."""

    actor: str
    instances: int
    args: Mapping[str, Any]


Command = StatsOf | TuneOne | RestartOne | SuspendOne | InspectOne | ArmOne | Disarm | ResizeOne


@message(tag=0xFF20)
class Call:
    """Root → worker."""

    number: int
    command: StatsOf | TuneOne | RestartOne | SuspendOne | InspectOne | ArmOne | Disarm | ResizeOne


@message(tag=0xFF21)
class Answer:
    """Worker → root: what a command came to, or why it did not."""

    number: int
    value: Any
    problem: str | None
