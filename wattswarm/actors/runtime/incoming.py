"""What another process sends to the actors of this one: from frames into inboxes, and answers back.

A message whose inbox is full waits in its actor's stage, whose length the sender's credits
bound; a task per stage moves it on. The credit of a message goes back when it has found
its place.
"""

from collections import deque
from collections.abc import Callable
from typing import cast

import attrs
import cbor2
import trio

from wattswarm.actors.runtime.boxing import box
from wattswarm.actors.runtime.credit import ReceiveCredit, window_of
from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.errors import (
    ActorError,
    BadWire,
    Down,
    Refused,
    RemoteFailure,
)
from wattswarm.actors.runtime.frame import Frame, FrameType, encode_frame
from wattswarm.actors.runtime.inbox import Inbox
from wattswarm.actors.runtime.link import Link
from wattswarm.actors.runtime.message import build, decode, decode_plain, encode_answer
from wattswarm.actors.runtime.pool import LocalPool, block_of
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.spec import Overflow

TARGET_MASK = 0xFFFF


@attrs.define(eq=False)
class RemoteReply:
    """The way back to an asker in another process; the envelope it belongs to can be cancelled
    from there."""

    link: Link
    number: int
    forget: Callable[[int], None]
    is_settled: bool = attrs.field(default=False, init=False)

    def answer(self, value: object) -> bool:
        if self.is_settled:
            return False
        body = encode_answer(value)  # raises before anything is settled, if the value cannot travel
        return self._settle(FrameType.REPLY, body)

    def fail(self, error: ActorError) -> bool:
        return not self.is_settled and self._settle(FrameType.FAIL, box(error))

    def _settle(self, type_: FrameType, body: bytes) -> bool:
        self.is_settled = True
        self.forget(self.number)
        self.link.send_now(encode_frame(type_, 0, self.number, body))
        return self.link.closed is None


@attrs.define(eq=False)
class _Stage:
    """What waits for room at one actor. One queue for all of its instances: a message never
    overtakes an earlier one of its key, even while the instances change.
    """

    pool: LocalPool
    waiting: "deque[tuple[_Channel, Envelope]]" = attrs.field(
        factory=lambda: deque[tuple["_Channel", Envelope]]()
    )


@attrs.define(eq=False)
class _Channel:
    """Messages from one process to one instance of an actor of this."""

    number: int
    stage: _Stage
    credit: ReceiveCredit

    @property
    def pool(self) -> LocalPool:
        return self.stage.pool

    def inbox_of(self, envelope: Envelope) -> Inbox:
        """Return the inbox that a message belongs to now."""
        return self.pool.owner_of(envelope.message, block_of(self.number)[1])

    @property
    def actor(self) -> str:
        return self.pool.inboxes[0].owner


@attrs.define(eq=False)
class Incoming:
    """Everything that comes by one link."""

    peer: str
    link: Link
    services: Services
    nursery: trio.Nursery
    _stages: dict[int, _Stage] = attrs.field(factory=dict[int, _Stage], init=False)
    _channels: dict[int, _Channel] = attrs.field(factory=dict[int, _Channel], init=False)
    _serving: dict[int, Envelope] = attrs.field(factory=dict[int, Envelope], init=False)

    def on_frame(self, frame: Frame) -> None:
        """Take a TELL, an ASK or a CANCEL.

        Raises:
            BadWire: There is no such actor here, or the sender had no credit.
        """
        if frame.type is FrameType.CANCEL:
            envelope = self._serving.pop(frame.id, None)
            if envelope is not None:
                envelope.cancel()
            return
        channel = self._channel(frame.channel & TARGET_MASK)
        if not channel.credit.come():
            raise BadWire(reason="more messages than there was credit for")
        try:
            envelope = self._envelope(frame)
        except BadWire as error:
            self._on_garbage(frame, channel, error)
            return
        self._place(channel, envelope)

    def cancel_all(self) -> None:
        """The askers are gone: nobody waits for what is in hand for them."""
        for envelope in self._serving.values():
            envelope.cancel()
        self._serving.clear()

    def _channel(self, number: int) -> _Channel:
        channel = self._channels.get(number)
        if channel is None:
            stage = self._stage(number)
            credit = ReceiveCredit(window_of(stage.pool.capacity))
            channel = self._channels[number] = _Channel(number, stage, credit)
        return channel

    def _stage(self, number: int) -> _Stage:
        block, _ = block_of(number)
        stage = self._stages.get(block)
        if stage is None:
            pool = self.services.pools.get(block)
            if pool is None:
                raise BadWire(reason=f"no actor here has the number {number}")
            stage = self._stages[block] = _Stage(pool)
        return stage

    def _envelope(self, frame: Frame) -> Envelope:
        sender = self.services.name_of(frame.channel >> 16)
        now = self.services.world.monotonic()
        if frame.type is FrameType.TELL:
            return Envelope(decode(frame.body), sender, self.services.next_id(), now)
        fields, remaining_ms = _ask_body(frame.body)
        envelope = Envelope(build(fields), sender, self.services.next_id(), now)
        envelope.reply = RemoteReply(self.link, frame.id, self._forget)
        envelope.deadline = trio.current_time() + remaining_ms / 1_000
        self._serving[frame.id] = envelope
        return envelope

    def _place(self, channel: _Channel, envelope: Envelope) -> None:
        inbox = channel.inbox_of(envelope)
        waiting = channel.stage.waiting
        if not waiting and inbox.accept(envelope):
            self._settle(channel)
        elif inbox.closed is None and inbox.overflow is Overflow.BLOCK:
            waiting.append((channel, envelope))
            if len(waiting) == 1:
                self.nursery.start_soon(self._move_on, channel.stage)
        else:
            self._offer(channel, inbox, envelope)

    def _offer(self, channel: _Channel, inbox: Inbox, envelope: Envelope) -> None:
        error: ActorError | None = None
        try:
            if not inbox.offer(envelope):
                error = Refused(actor=inbox.owner, reason="inbox full")
        except Down as down:
            error = down
        if error is not None and envelope.reply is not None:
            envelope.reply.fail(error)
        self._settle(channel)

    async def _move_on(self, stage: _Stage) -> None:
        """Move what waits into the inboxes, in order, as there is room."""
        while stage.waiting:
            channel, envelope = stage.waiting[0]
            try:
                await channel.inbox_of(envelope).put(envelope)
            except Down as down:
                if envelope.reply is not None:
                    envelope.reply.fail(down)
            stage.waiting.popleft()
            self._settle(channel)

    def _settle(self, channel: _Channel) -> None:
        granted = channel.credit.settle()
        if granted:
            self.link.send(encode_frame(FrameType.CREDIT, channel.number, granted))

    def _on_garbage(self, frame: Frame, channel: _Channel, error: BadWire) -> None:
        """The frame was whole and the message is not one of ours: the two sides do not match."""
        self.services.base_logger.error(
            "message dropped", peer=self.peer, actor=channel.actor, reason=error.reason
        )
        if frame.type is FrameType.ASK:
            failure = RemoteFailure(
                actor=channel.actor,
                incarnation=0,
                kind="BadWire",
                message=error.reason,
                traceback="",
            )
            RemoteReply(self.link, frame.id, self._forget).fail(failure)
        self._settle(channel)

    def _forget(self, number: int) -> None:
        self._serving.pop(number, None)


def ask_body(message: bytes, remaining_ms: int) -> bytes:
    """Return the body of an ASK frame: an array of the message's own array and the time left."""
    return b"\x82" + message + cbor2.dumps(remaining_ms)


def _ask_body(body: bytes) -> tuple[object, int]:
    match cast("list[object]", decode_plain(body)):
        case [fields, int(remaining_ms)] if remaining_ms >= 0:
            return fields, remaining_ms
        case _:
            raise BadWire(reason="an ask is a message and the time left for it")
