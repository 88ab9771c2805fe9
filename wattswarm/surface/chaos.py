"""Documents about fault injection."""

from typing import Literal

import attrs

from wattswarm.surface.words import Time

Fault = Literal[
    "crash",
    "kill",
    "pause",
    "hang",
    "slow",
    "drop",
    "delay",
    "duplicate",
    "reorder",
    "corrupt",
    "restart",
]
"""`restart` is of the database, without a checkpoint: it is over when it is answered."""


@attrs.frozen(kw_only=True)
class FaultPoint:
    """A named place in an actor where a fault can be injected."""

    name: str
    actor: str
    placement: str
    passed: int | None = None
    """How often it was passed since the node started, where that is counted."""


@attrs.frozen(kw_only=True)
class FaultPoints:
    """All named places."""

    items: tuple[FaultPoint, ...]


@attrs.frozen(kw_only=True)
class FaultOrder:
    """A request to arm a fault; it ends after `for_ms`, or when it has struck `times`."""

    fault: Fault
    target: str
    """An actor, or a channel `from->to`."""
    point: str | None = None
    nth: int = 1
    times: int = 1
    percent: int = 100
    delay_ms: int = 0
    for_ms: int = 10_000
    seed: int = 0


@attrs.frozen(kw_only=True)
class ArmedFault:
    """A fault that is armed."""

    fault_id: int
    order: FaultOrder
    struck: int
    expires_at: Time


@attrs.frozen(kw_only=True)
class ChaosView:
    """What is armed, and how often something struck."""

    enabled: bool
    armed: tuple[ArmedFault, ...]
    struck_total: int


@attrs.frozen(kw_only=True)
class Disarmed:
    """How many faults were disarmed."""

    count: int
