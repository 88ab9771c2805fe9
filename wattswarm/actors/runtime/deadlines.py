"""One timer for all asks of a process.

A trio cancel scope per ask would cost as much as the rest of the ask. Deadlines are rounded up
to the next tick, so that a tick's asks expire together.
"""

from heapq import heappop, heappush
from math import ceil, inf
from typing import Final, Protocol

import trio

TICK_S: Final = 1 / 256


class Expiring(Protocol):
    """Something with a deadline."""

    def expire(self) -> None:
        """Be told, once, that the deadline has passed."""
        ...


class Deadlines:
    """What expires when. `run` must be running for anything to expire."""

    __slots__ = ("_nap", "_ticks", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[int, dict[Expiring, None]] = {}
        self._ticks: list[int] = []
        self._nap: trio.CancelScope | None = None

    def add(self, one: Expiring, deadline: float) -> int:
        """Have `one.expire` called at the deadline; returns what `remove` needs."""
        tick = ceil(deadline / TICK_S)
        waiting = self._waiting.get(tick)
        if waiting is None:
            waiting = self._waiting[tick] = {}
            heappush(self._ticks, tick)
            if self._nap is not None and tick * TICK_S < self._nap.deadline:
                self._nap.deadline = tick * TICK_S
        waiting[one] = None
        return tick

    def remove(self, one: Expiring, tick: int) -> None:
        """Forget one; nothing happens if it has expired."""
        waiting = self._waiting.get(tick)
        if waiting is not None:
            waiting.pop(one, None)

    async def run(self) -> None:
        """Expire what is due, for ever."""
        while True:
            deadline = self._ticks[0] * TICK_S if self._ticks else inf
            with trio.CancelScope(deadline=deadline) as self._nap:
                await trio.sleep_forever()
            self._expire(trio.current_time())

    def _expire(self, now: float) -> None:
        while self._ticks and self._ticks[0] * TICK_S <= now:
            for one in self._waiting.pop(heappop(self._ticks)):
                one.expire()
