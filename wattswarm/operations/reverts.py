"""Dials that turn back by themselves when the time that they were turned for is over."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import attrs
import trio

from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.errors import ActorError
from wattswarm.surface.words import Time, when

Turn: TypeAlias = Callable[[str, str, int], Awaitable[int]]


@attrs.frozen
class Revert:
    """A dial, the value that it goes back to, and when."""

    actor: str
    dial: str
    value: int
    at_ms: int


@attrs.define(eq=False)
class Reverts:
    """What has to be turned back; `run` does it. A dial that is turned again is forgotten here."""

    turn: Turn
    log: Logger
    _due: dict[tuple[str, str], tuple[Revert, float]] = attrs.field(
        factory=dict[tuple[str, str], "tuple[Revert, float]"], init=False
    )
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)

    def add(self, revert: Revert, after_ms: int) -> None:
        """Have a dial turned back after so long."""
        key = revert.actor, revert.dial
        self._due[key] = revert, trio.current_time() + after_ms / 1_000
        self._changed.set()

    def forget(self, actor: str, dial: str) -> None:
        """Leave a dial as it is from now on."""
        self._due.pop((actor, dial), None)

    def times(self, *actors: str) -> Mapping[str, Time]:
        """Return when dials of an actor turn back, by dial; of any of its names."""
        return {
            dial: when(revert.at_ms)
            for (actor, dial), (revert, _) in self._due.items()
            if actor in actors
        }

    async def run(self) -> None:
        """Turn dials back, each when its time is over."""
        while True:
            self._changed = trio.Event()
            first = min((at_s for _, at_s in self._due.values()), default=float("inf"))
            with trio.move_on_at(first):
                await self._changed.wait()
            await self._turn_back(trio.current_time())

    async def _turn_back(self, now_s: float) -> None:
        for key, (revert, at_s) in list(self._due.items()):
            if at_s > now_s:
                continue
            self.forget(*key)
            try:
                await self.turn(revert.actor, revert.dial, revert.value)
            except ActorError as error:
                self.log.warning("a dial was not turned back", dial=key, reason=str(error))
