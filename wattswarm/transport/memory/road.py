"""What lies between two nodes in one direction, and when something that is sent now is there."""

from collections.abc import Callable
from typing import Final

import attrs
import trio

from wattswarm.transport.links import LinkLost
from wattswarm.transport.proto.dice import Dice


@attrs.frozen
class Weather:
    """How a road is while it is open: delays in s, one way, and bytes per s (None: no limit)."""

    delay_s: tuple[float, float] = (0.0, 0.0)
    bytes_per_s: float | None = None


CALM: Final = Weather()


@attrs.define(eq=False)
class Ending:
    """Whether a link has ended, for both sides, and who has to hear of it."""

    reason: str | None = None
    over: trio.Event = attrs.field(factory=trio.Event)
    heard: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]])

    def come(self, reason: str) -> None:
        """End the link; the first reason stands."""
        if self.reason is None:
            self.reason = reason
            self.over.set()
            self.wake()

    def wake(self) -> None:
        """Have all who wait on the link look again."""
        for hear in self.heard:
            hear()

    def check(self) -> None:
        """Return while the link stands.

        Raises:
            LinkLost: It has ended.
        """
        if self.reason is not None:
            raise LinkLost(self.reason)


@attrs.define(eq=False)
class Road:
    """One direction of one link."""

    weather: Callable[[], Weather]
    is_blocked: Callable[[], bool]
    dice: Dice
    ending: Ending
    _free_at: float = 0.0

    def arrival(self, size_bytes: int) -> float:
        """Return when something that is sent now is there; what is large takes its time."""
        weather = self.weather()
        self._free_at = max(trio.current_time(), self._free_at)
        if weather.bytes_per_s is not None:
            self._free_at += size_bytes / weather.bytes_per_s
        return self._free_at + self.dice.uniform(*weather.delay_s)
