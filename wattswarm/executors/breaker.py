"""A circuit breaker: an executor that fails again and again is left alone for a while.

Closed, it lets every call through and counts failures in a row. Open, it lets none through until a
moment that doubles with every trip. Half-open, it lets a few through: one success closes it, one
failure opens it again. Pure: time comes in as `now_ms`; the answer to a call is judged only in the
phase that permitted it, so that a straggler of an earlier phase changes nothing.

Source: M. Nygard, Release It!, second edition, chapter 5.
"""

import enum
from typing import Final

import attrs


class Phase(enum.StrEnum):
    """What the breaker does with calls."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@attrs.frozen(kw_only=True)
class BreakerLimits:
    """When the breaker opens, and for how long."""

    failures_max: int = 5
    """Failures in a row that open it."""
    open_ms_min: int = 1_000
    open_ms_max: int = 60_000
    probes_max: int = 1
    """Calls in flight while half-open."""


@attrs.frozen
class Permit:
    """Leave to call, to be given back by `succeeded`, `failed` or `abandoned`."""

    generation: int


@attrs.frozen
class Spared:
    """No leave to call before `until_ms`."""

    until_ms: int


@attrs.frozen(kw_only=True)
class BreakerStatistics:
    """The breaker as others see it."""

    phase: Phase
    failures: int
    trips: int
    open_until_ms: int | None


SHIFT_MAX: Final = 32
"""Doublings beyond this are cut by `open_ms_max` whatever it is."""


@attrs.define
class Breaker:
    """The machine; one per executor."""

    limits: BreakerLimits = attrs.field(factory=BreakerLimits)
    _phase: Phase = attrs.field(default=Phase.CLOSED, init=False)
    _generation: int = attrs.field(default=0, init=False)
    _failures: int = attrs.field(default=0, init=False)
    _trips: int = attrs.field(default=0, init=False)
    _probes: int = attrs.field(default=0, init=False)
    _open_until_ms: int = attrs.field(default=0, init=False)

    def ask(self, now_ms: int) -> Permit | Spared:
        """Return leave to call, or the time before which to ask again is in vain."""
        if self._phase is Phase.OPEN and now_ms >= self._open_until_ms:
            self._enter(Phase.HALF_OPEN)
        match self._phase:
            case Phase.CLOSED:
                return Permit(self._generation)
            case Phase.OPEN:
                return Spared(self._open_until_ms)
            case Phase.HALF_OPEN:
                return self._probe(now_ms)

    def succeeded(self, permit: Permit, now_ms: int) -> None:
        """Take note that the executor answered; a success while half-open closes the breaker."""
        del now_ms
        if permit.generation != self._generation:
            return
        self._failures = 0
        if self._phase is Phase.HALF_OPEN:
            self.reset()

    def failed(self, permit: Permit, now_ms: int) -> None:
        """Take note that the executor did not answer."""
        if permit.generation != self._generation:
            return
        self._failures += 1
        if self._phase is Phase.HALF_OPEN or self._failures >= self.limits.failures_max:
            self._trip(now_ms)

    def abandoned(self, permit: Permit, now_ms: int) -> None:
        """Take note that the call was given up before its answer said anything."""
        del now_ms
        if permit.generation == self._generation and self._phase is Phase.HALF_OPEN:
            self._probes -= 1

    def reset(self) -> None:
        """Close the breaker and forget: the executor was away, and is back."""
        self._failures = self._trips = 0
        self._enter(Phase.CLOSED)

    def statistics(self, now_ms: int) -> BreakerStatistics:
        """Return what the breaker would do now, and why."""
        is_open = self._phase is Phase.OPEN
        is_over = is_open and now_ms >= self._open_until_ms
        return BreakerStatistics(
            phase=Phase.HALF_OPEN if is_over else self._phase,
            failures=self._failures,
            trips=self._trips,
            open_until_ms=self._open_until_ms if is_open and not is_over else None,
        )

    def _probe(self, now_ms: int) -> Permit | Spared:
        if self._probes >= self.limits.probes_max:
            return Spared(now_ms + self.limits.open_ms_min)
        self._probes += 1
        return Permit(self._generation)

    def _trip(self, now_ms: int) -> None:
        open_ms = self.limits.open_ms_min << min(self._trips, SHIFT_MAX)
        self._open_until_ms = now_ms + min(open_ms, self.limits.open_ms_max)
        self._trips += 1
        self._enter(Phase.OPEN)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._generation += 1
        self._probes = 0
