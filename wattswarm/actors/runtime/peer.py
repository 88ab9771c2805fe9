"""The other process, as seen from this one: channels to its actors, asks under way, and a link
that may change.

A peer outlives its process. While there is no link, tells wait and asks wait within their
deadlines; when a link ends, asks that were sent fail as `Down(maybe_executed)`, and what was
never sent goes by the next link.
"""

import socket
from collections.abc import Callable
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.boxing import unbox
from wattswarm.actors.runtime.credit import SendCredit
from wattswarm.actors.runtime.errors import BadWire, Down, Execution
from wattswarm.actors.runtime.frame import Frame, FrameType, encode_frame
from wattswarm.actors.runtime.incoming import Incoming
from wattswarm.actors.runtime.link import Link
from wattswarm.actors.runtime.pending import Pending
from wattswarm.actors.runtime.services import Services

TARGET_BITS: Final = 16
"""A channel's number: the sender's number above, the target's in the low bits."""
TARGET_MASK: Final = (1 << TARGET_BITS) - 1
REPLACED: Final = "replaced by a new link"


@attrs.define(eq=False)
class Outgoing:
    """The channel to one actor of the peer."""

    credit: SendCredit
    waiting: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)


@attrs.define(eq=False)
class Peer:
    """One other process of the node."""

    name: str
    services: Services
    on_lost: Callable[["Peer", str], None]
    """Called when a link to it has ended, with the reason."""
    link: Link | None = attrs.field(default=None, init=False)
    gone: str | None = attrs.field(default=None, init=False)
    """Why it will not come back."""
    late_answers: int = attrs.field(default=0, init=False)
    _channels: dict[int, Outgoing] = attrs.field(factory=dict[int, Outgoing], init=False)
    _asked: dict[int, Pending] = attrs.field(factory=dict[int, Pending], init=False)
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _incoming: Incoming | None = attrs.field(default=None, init=False)

    def channel(self, number: int, window: int) -> Outgoing:
        """Return the channel to the actor of that number."""
        if number not in self._channels:
            self._channels[number] = Outgoing(SendCredit(window))
        return self._channels[number]

    async def use(self, sock: socket.socket) -> None:
        """Use a socket as the link until it ends; a former link ends first."""
        if self.link is not None:
            self.link.close(REPLACED)
        async with self._turn:
            reason = await self._run(Link(sock, self.on_frame))
        if reason != REPLACED:
            self.on_lost(self, reason)

    async def _run(self, link: Link) -> str:
        reason = "cancelled"
        async with trio.open_nursery() as nursery:
            self._incoming = Incoming(self.name, link, self.services, nursery)
            self._attach(link)
            try:
                reason = await link.run()
            finally:
                self._detach(link.closed or "closed")
            nursery.cancel_scope.cancel()
        return reason

    def end(self, reason: str) -> None:
        """The process will not come back: whatever waits for it fails."""
        self.gone = reason
        for channel in self._channels.values():
            channel.waiting.unpark_all()

    # -- sending ---------------------------------------------------------------------------------

    def send(self, type_: FrameType, channel: int, number: int, body: bytes) -> None:
        """Queue a frame on the present link."""
        assert self.link is not None
        self.link.send(encode_frame(type_, channel, number, body))

    async def ask(self, channel: int, pending: Pending, body: bytes, deadline: float) -> object:
        """Send an ask whose credit was taken, and return its answer."""
        number = self.services.next_id()
        self._asked[number] = pending
        self._send_now(FrameType.ASK, channel, number, body)
        try:
            return await pending.wait(self.services.deadlines, deadline)
        finally:
            if self._asked.pop(number, None) is not None and self.link is not None:
                # Still in the table: nothing came, so the deadline passed or the asker was
                # cancelled.
                self.link.send_now(encode_frame(FrameType.CANCEL, channel, number))

    def _cancel(self, channel: int, number: int) -> None:
        """If nothing came, the deadline passed or the asker was cancelled: nobody waits any
        more."""
        if self._asked.pop(number, None) is not None and self.link is not None:
            self._send_now(FrameType.CANCEL, channel, number, b"")

    def _send_now(self, type_: FrameType, channel: int, number: int, body: bytes) -> None:
        assert self.link is not None
        self.link.send_now(encode_frame(type_, channel, number, body))

    def may_send(self, channel: Outgoing) -> bool:
        """Take a credit if there is a link; False if the caller has to wait."""
        return self.link is not None and not channel.waiting and channel.credit.take()

    async def wait_credit(self, channel: Outgoing) -> None:
        """Return with a credit taken, on a link that is there.

        Raises:
            Down: The process will not come back.
        """
        while True:
            if self.gone is not None:
                await trio.lowlevel.checkpoint()
                raise self.never()
            await channel.waiting.park()
            if self.link is not None and channel.credit.take():
                return

    def never(self) -> Down:
        """Return the error of what will not be sent."""
        reason = self.gone or "the process is away"
        return Down(actor=self.name, execution=Execution.NOT_STARTED, reason=reason)

    # -- the link --------------------------------------------------------------------------------

    def _attach(self, link: Link) -> None:
        self.link = link
        for channel in self._channels.values():
            channel.credit.renew()
            channel.waiting.unpark(count=channel.credit.left)

    def _detach(self, reason: str) -> None:
        self.link = None
        asked, self._asked = self._asked, {}
        for pending in asked.values():
            maybe = Execution.MAYBE_EXECUTED
            pending.fail(Down(actor=pending.actor, execution=maybe, reason=reason))
        if self._incoming is not None:
            self._incoming.cancel_all()
            self._incoming = None

    def on_frame(self, frame: Frame) -> None:
        """Take a frame of the present link.

        Raises:
            BadWire: It makes no sense: the link ends.
        """
        match frame.type:
            case FrameType.REPLY:
                self._on_reply(frame)
            case FrameType.FAIL:
                self._on_failure(frame)
            case FrameType.CREDIT:
                channel = self._channels.get(frame.channel)
                if channel is not None:
                    channel.credit.grant(frame.id)
                    channel.waiting.unpark(count=channel.credit.left)
            case FrameType.TELL | FrameType.ASK | FrameType.CANCEL:
                if self._incoming is not None:
                    self._incoming.on_frame(frame)
            case FrameType.CONTROL:
                raise BadWire(reason="a control frame on a link for messages")

    def _on_reply(self, frame: Frame) -> None:
        pending = self._asked.pop(frame.id, None)
        if pending is None:
            self.late_answers += 1
            return
        try:
            pending.answer_bytes(frame.body)
        except BadWire as error:
            maybe = Execution.MAYBE_EXECUTED
            pending.fail(Down(actor=pending.actor, execution=maybe, reason=error.reason))

    def _on_failure(self, frame: Frame) -> None:
        pending = self._asked.pop(frame.id, None)
        if pending is None:
            self.late_answers += 1
            return
        pending.fail(unbox(frame.body))
