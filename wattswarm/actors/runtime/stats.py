"""What an operator may want to know about one actor, counted as it goes."""

import attrs

from wattswarm.actors.runtime.histogram import Histogram, Quantiles


@attrs.frozen(kw_only=True)
class ActorStats:
    """One reading. Rates and busy share are over the time since the reading before, at least a
    second."""

    actor: str
    state: str
    """`starting`, `ready`, `waiting for …`, `suspended`, `backing off`, `degraded`, `stopped`."""
    incarnation: int
    restarts: int
    depth: int
    capacity: int
    oldest_age_s: float
    received: int
    handled: int
    in_per_s: float
    out_per_s: float
    busy_share: float
    wait: Quantiles
    handle: Quantiles
    in_hand: int
    refused: int
    shed: int
    expired: int
    cancelled: int
    late_answers: int
    dead_letters: int
    last_error: str | None
    dials: dict[str, int]
    dials_wanted: int
    """Version of the last change that was asked for; `dials_effective` follows between two
    messages."""
    dials_effective: int


class Meter:
    """The rate of a growing count between two readings."""

    __slots__ = ("_at", "_count", "rate")

    def __init__(self, now_s: float) -> None:
        self._at = now_s
        self._count = 0.0
        self.rate = 0.0

    def read(self, count: float, now_s: float) -> float:
        """Return the rate since the last reading that is at least a second old, per second."""
        elapsed = now_s - self._at
        if elapsed >= 1.0:
            self.rate = (count - self._count) / elapsed
            self._at, self._count = now_s, count
        return self.rate


@attrs.define
class Counters:
    """Running totals of one actor; they survive its incarnations."""

    handled: int = 0
    expired: int = 0
    cancelled: int = 0
    late_answers: int = 0
    dead_letters: int = 0
    restarts: int = 0
    busy_s: float = 0.0
    last_error: str | None = None
    wait: Histogram = attrs.field(factory=Histogram)
    handle: Histogram = attrs.field(factory=Histogram)
