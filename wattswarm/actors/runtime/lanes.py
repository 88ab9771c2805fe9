"""Handlers side by side: at most so many, and in order per key.

A key's messages wait in a lane of their own while one of them is being handled. The lanes hold
at most `WAITING_PER_HANDLER` messages per allowed handler; then the inbox is held until there is
room again.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.inbox import Inbox

WAITING_PER_HANDLER: Final = 4


class Lanes:
    """The handlers of one incarnation that run beside its loop."""

    __slots__ = (
        "_handle",
        "_idle",
        "_inbox",
        "_lanes",
        "_limit",
        "_nursery",
        "_shard_by",
        "_waiting",
        "active",
    )

    def __init__(
        self,
        inbox: Inbox,
        shard_by: str | None,
        nursery: trio.Nursery,
        handle: Callable[[Envelope], Awaitable[None]],
    ) -> None:
        self._inbox = inbox
        self._shard_by = shard_by
        self._nursery = nursery
        self._handle = handle
        self._lanes: dict[object, deque[Envelope]] = {}
        self._limit = 1
        self._waiting = 0
        self._idle = trio.Event()
        self.active = 0

    def dispatch(self, limit: int) -> None:
        """Start handlers for the waiting mail as far as the limit allows; hold the inbox beyond
        it."""
        self._limit = limit
        inbox = self._inbox
        while inbox.has_mail():
            if self._is_full():
                inbox.hold(True)
                return
            self._dispatch_one(inbox.pop())

    async def settle(self) -> None:
        """Wait for the handlers under way; what waits behind them goes back to the inbox."""
        rest = [envelope for lane in self._lanes.values() for envelope in lane]
        self._lanes = {key: deque() for key in self._lanes}
        self._waiting = 0
        self._inbox.put_back(sorted(rest, key=lambda envelope: envelope.id))
        while self.active:
            self._idle = trio.Event()
            await self._idle.wait()
        self._inbox.hold(False)

    def waiting(self) -> list[Envelope]:
        """Return what waits for an earlier message of its key, in order."""
        rest = [envelope for lane in self._lanes.values() for envelope in lane]
        return sorted(rest, key=lambda envelope: envelope.id)

    def _is_full(self) -> bool:
        return self.active >= self._limit or self._waiting >= WAITING_PER_HANDLER * self._limit

    def _dispatch_one(self, envelope: Envelope) -> None:
        key = None if self._shard_by is None else getattr(envelope.message, self._shard_by, None)
        if key is None:
            self._start(envelope, None)
        elif key in self._lanes:
            self._lanes[key].append(envelope)
            self._waiting += 1
        else:
            self._lanes[key] = deque()
            self._start(envelope, key)

    def _start(self, envelope: Envelope, key: object) -> None:
        self.active += 1
        self._nursery.start_soon(self._run, envelope, key)

    async def _run(self, envelope: Envelope, key: object) -> None:
        await self._handle(envelope)
        while key is not None:
            lane = self._lanes[key]
            if not lane:
                del self._lanes[key]
                break
            self._waiting -= 1
            await self._handle(lane.popleft())
        self.active -= 1
        self._idle.set()
        self._inbox.hold(False)
