"""The way to an actor of another process."""

import attrs
import trio

from wattswarm.actors.runtime.chaos_route import with_damage
from wattswarm.actors.runtime.credit import window_of
from wattswarm.actors.runtime.errors import Down, Execution, TooSlow
from wattswarm.actors.runtime.frame import FrameType, encode_frame
from wattswarm.actors.runtime.incoming import ask_body
from wattswarm.actors.runtime.message import encode
from wattswarm.actors.runtime.peer import TARGET_BITS, Outgoing, Peer
from wattswarm.actors.runtime.pending import Pending


@attrs.define(eq=False)
class RemoteRoute:
    """Messages to one actor of a peer."""

    actor: str
    number: int
    capacity: int
    peer: Peer
    _channel: Outgoing = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._channel = self.peer.channel(self.number, window_of(self.capacity))

    def load(self) -> int:
        """Return how many messages are under way to it."""
        credit = self._channel.credit
        return credit.window - credit.left + len(self._channel.waiting)

    async def tell(self, msg: object, sender: str) -> bool:
        body = encode(msg)
        if not self.peer.may_send(self._channel):
            await self.peer.wait_credit(self._channel)
        self.peer.send(FrameType.TELL, self._number(sender), 0, body)
        return True

    def offer(self, msg: object, sender: str) -> bool:
        body = encode(msg)
        if self.peer.gone is not None:
            raise self.peer.never()
        if not self.peer.may_send(self._channel):
            return False
        self.peer.send(FrameType.TELL, self._number(sender), 0, body)
        return True

    async def ask(self, msg: object, sender: str, deadline_s: float) -> object:
        body = encode(msg)
        deadline = trio.current_time() + deadline_s
        if not self.peer.may_send(self._channel):
            await self._wait_credit(deadline, deadline_s)
        remaining_ms = max(0, int((deadline - trio.current_time()) * 1_000))
        pending = Pending(self.actor, deadline_s, request=type(msg))
        return await self.peer.ask(
            self._number(sender), pending, ask_body(body, remaining_ms), deadline
        )

    def damage(self, msg: object, sender: str) -> None:
        if self.peer.link is not None:
            frame = encode_frame(FrameType.TELL, self._number(sender), 0, encode(msg))
            self.peer.link.send(with_damage(frame))

    async def _wait_credit(self, deadline: float, deadline_s: float) -> None:
        """Wait for room, and for the process itself, no longer than the deadline.

        Raises:
            TooSlow: There was no room. Down: There was no process. Nothing was sent in either case.
        """
        with trio.CancelScope(deadline=deadline) as scope:
            await self.peer.wait_credit(self._channel)
        if not scope.cancelled_caught:
            return
        never = Execution.NOT_STARTED
        if self.peer.link is None:
            raise Down(actor=self.actor, execution=never, reason=f"{self.peer.name} is away")
        raise TooSlow(actor=self.actor, deadline_s=deadline_s, execution=never)

    def _number(self, sender: str) -> int:
        return self.peer.services.number_of(sender) << TARGET_BITS | self.number
