"""Routes inside one process: straight into an inbox, and the choice among several instances."""

from collections.abc import Coroutine, Sequence
from typing import Any

import attrs
import trio

from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.errors import Execution, Refused
from wattswarm.actors.runtime.inbox import Inbox
from wattswarm.actors.runtime.message import copy_by_wire
from wattswarm.actors.runtime.pending import Pending
from wattswarm.actors.runtime.pool import shard_of
from wattswarm.actors.runtime.ref import Route
from wattswarm.actors.runtime.services import Services


class LocalRoute:
    """The way to an actor of this process. With `is_wire` each message makes the trip through
    bytes."""

    __slots__ = ("_actor", "_deadlines", "_faults", "_inbox", "_is_wire", "_monotonic", "_next_id")

    def __init__(self, actor: str, inbox: Inbox, services: Services) -> None:
        self._actor = actor
        self._inbox = inbox
        self._deadlines = services.deadlines
        self._faults = services.faults
        self._is_wire = services.is_wire
        self._monotonic = services.world.monotonic
        self._next_id = services.next_id

    def tell(self, msg: object, sender: str) -> Coroutine[Any, Any, bool]:
        return self._inbox.put(self._envelope(msg, sender))

    def offer(self, msg: object, sender: str) -> bool:
        return self._inbox.offer(self._envelope(msg, sender))

    async def ask(self, msg: object, sender: str, deadline_s: float) -> object:
        envelope = self._envelope(msg, sender)
        pending = Pending(self._actor, deadline_s, request=type(msg), is_wire=self._is_wire)
        envelope.reply = pending
        pending.envelope = envelope
        envelope.deadline = trio.current_time() + deadline_s
        if not self._inbox.accept(envelope):
            await self._put(envelope, pending)
        return await pending.wait(self._deadlines, envelope.deadline)

    def load(self) -> int:
        return len(self._inbox.user)

    def damage(self, msg: object, sender: str) -> None:
        """Lose it: on a link the checksum would have caught the damage."""

    def _envelope(self, msg: object, sender: str) -> Envelope:
        if self._is_wire:
            msg = copy_by_wire(msg)
        return Envelope(msg, sender, self._next_id(), self._monotonic())

    async def _put(self, envelope: Envelope, pending: Pending) -> None:
        """Get an ask into a full inbox before its deadline."""
        is_in = False
        with trio.CancelScope(deadline=envelope.deadline) as deadline:
            is_in = await self._inbox.put(envelope)
        if deadline.cancelled_caught:
            raise pending.too_slow(Execution.NOT_STARTED)
        if not is_in:
            raise Refused(actor=self._actor, reason="inbox full")


@attrs.frozen(eq=False)
class PoolRoute:
    """The way to one of several instances: by key, or to the one with the least waiting."""

    routes: Sequence[Route]
    shard_by: str | None

    def tell(self, msg: object, sender: str) -> Coroutine[Any, Any, bool]:
        return self._choose(msg).tell(msg, sender)

    def offer(self, msg: object, sender: str) -> bool:
        return self._choose(msg).offer(msg, sender)

    def ask(self, msg: object, sender: str, deadline_s: float) -> Coroutine[Any, Any, object]:
        return self._choose(msg).ask(msg, sender, deadline_s)

    def load(self) -> int:
        return sum(route.load() for route in self.routes)

    def damage(self, msg: object, sender: str) -> None:
        self._choose(msg).damage(msg, sender)

    def _choose(self, msg: object) -> Route:
        key = None if self.shard_by is None else getattr(msg, self.shard_by, None)
        if key is not None:
            return self.routes[shard_of(key, len(self.routes))]
        return min(self.routes, key=lambda route: route.load())
