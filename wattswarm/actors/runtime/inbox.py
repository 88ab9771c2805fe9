"""An actor's inbox: bounded, counted, in three priorities, and older than any incarnation of the
actor.

Stop before system before user mail. The supervisor owns it, so that a crash of the actor loses
nothing that was waiting. It is a deque with parked tasks at both ends instead of a trio memory
channel, since a channel pays a checkpoint per item at each end; the price is that the loop that
empties it owes the checkpoints.

A sender that finds it full waits until half of it is free again: waking it for every single place
would make each message of a full inbox cost two task switches.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Final

import trio

from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.errors import Down, Execution, Refused
from wattswarm.actors.runtime.spec import InboxSpec, Overflow
from wattswarm.actors.runtime.system import SystemMessage

SYSTEM_CAPACITY: Final = 256
"""System messages are few; an actor that has not looked at this many is not going to."""


class Halt(IntEnum):
    """How far the owner has been asked to stop."""

    NO = 0
    STOP = 1
    """After the message in hand."""


class Inbox:
    """One consumer, any number of senders, all in one trio loop."""

    __slots__ = (
        "_clock",
        "_senders",
        "_taker",
        "capacity",
        "closed",
        "halt",
        "is_held",
        "is_suspended",
        "moved",
        "overflow",
        "owner",
        "received",
        "refused",
        "shed",
        "system",
        "user",
    )

    def __init__(self, owner: str, spec: InboxSpec, clock: Callable[[], float]) -> None:
        self.owner = owner
        self._clock = clock
        self._senders = trio.lowlevel.ParkingLot()
        self._taker: trio.lowlevel.Task | None = None
        self.capacity = spec.capacity
        self.overflow = spec.overflow
        self.system: deque[SystemMessage] = deque(maxlen=SYSTEM_CAPACITY)
        self.user: deque[Envelope] = deque()
        self.halt = Halt.NO
        self.is_suspended = False
        self.is_held = False
        """Whether user mail stays where it is: suspended, or as many handlers run as may."""
        self.closed: str | None = None
        """Why nothing can be put in it any more."""
        self.moved: Callable[[Envelope], Inbox] | None = None
        """Where its mail goes now that its owner is no more, if that is so."""
        self.received = self.refused = self.shed = 0

    # -- senders ---------------------------------------------------------------------------------

    def accept(self, envelope: Envelope) -> bool:
        """Put a message in if there is room; tell whether it is in, and count nothing if it is
        not."""
        if len(self.user) >= self.capacity or self._senders or self.closed or self.moved:
            return False
        self._accept(envelope)
        return True

    def offer(self, envelope: Envelope) -> bool:
        """Put a message in if that needs no waiting; tell whether it is in.

        Raises:
            Down: The inbox is closed.
        """
        if self.moved is not None:
            return self.moved(envelope).offer(envelope)
        if self.closed is not None:
            raise self._down()
        if len(self.user) >= self.capacity or self._senders:
            return self._overflow(envelope)
        self._accept(envelope)
        return True

    async def put(self, envelope: Envelope) -> bool:
        """Put a message in, waiting for room if the policy is to wait; tell whether it is in.

        Yields to other tasks only when it has to wait, or does not get in: whoever tries again
        and again must not keep the actor itself from running.

        Raises:
            Down: The inbox is closed, or was closed meanwhile.
        """
        is_woken = False
        while self.moved is None:
            if self.closed is not None:
                await trio.lowlevel.checkpoint()
                raise self._down()
            # Who was woken because there is room may take it, whoever else waits.
            if len(self.user) < self.capacity and (is_woken or not self._senders):
                self._accept(envelope)
                return True
            if self.overflow is not Overflow.BLOCK:
                if not self._overflow(envelope):
                    await trio.lowlevel.checkpoint()
                    return False
                return True
            await self._senders.park()
            is_woken = True
        return await self.moved(envelope).put(envelope)

    def put_system(self, notice: SystemMessage) -> None:
        """Put a system message in; the oldest makes room when even that lane is full."""
        if self.closed is None:
            self.system.append(notice)
            self._wake_taker()

    def _accept(self, envelope: Envelope) -> None:
        self.user.append(envelope)
        self.received += 1
        if self._taker is not None and not self.is_held:
            self._wake_taker()

    def _overflow(self, envelope: Envelope) -> bool:
        match self.overflow:
            case Overflow.SHED_OLDEST:
                self.shed += 1
                self._drop(self.user.popleft(), Refused(actor=self.owner, reason="shed"))
                self._accept(envelope)
                return True
            case Overflow.BLOCK | Overflow.REFUSE:
                self.refused += 1
                return False

    def _drop(self, envelope: Envelope, error: Refused | Down) -> None:
        if envelope.reply is not None:
            envelope.reply.fail(error)

    # -- the one consumer ------------------------------------------------------------------------

    async def wait(self) -> None:
        """Return when there is something to do: mail, a system message or a request to stop.

        Yields to other tasks only when it has to wait, and takes nothing out: nothing can get lost
        when the wait is cancelled.
        """
        while not (self.system or self.halt or (self.user and not self.is_held)):
            assert self._taker is None, "an inbox has one consumer"
            self._taker = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._forget_taker)

    def pop(self) -> Envelope:
        """Take the oldest message out; the caller has seen that there is one."""
        envelope = self.user.popleft()
        if self._senders and len(self.user) <= self.capacity // 2:
            self._senders.unpark(count=max(1, self.capacity - len(self.user)))
        return envelope

    def has_mail(self) -> bool:
        """Tell whether a user message may be taken."""
        return bool(self.user) and not self.is_held

    def put_back(self, envelopes: list[Envelope]) -> None:
        """Return messages that were in hand, in their order, to the head; their room was not
        given away."""
        self.user.extendleft(reversed(envelopes))
        self._wake_taker()

    def _wake_taker(self) -> None:
        if self._taker is not None:
            trio.lowlevel.reschedule(self._taker)
            self._taker = None

    def _forget_taker(self, _: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        self._taker = None
        return trio.lowlevel.Abort.SUCCEEDED

    # -- the owner's supervisor ------------------------------------------------------------------

    def stop(self) -> None:
        """Ask the consumer to end after the message in hand."""
        self.halt = Halt.STOP
        self._wake_taker()

    def reopen(self) -> None:
        """Make it usable for the next incarnation: not halted, not closed, held only if
        suspended."""
        self.halt = Halt.NO
        self.is_held = self.is_suspended
        self.closed = None

    def suspend(self, is_suspended: bool) -> None:
        """Hold user mail back, or let it through again; senders feel it as a full inbox in the
        end."""
        self.is_suspended = is_suspended
        self.hold(False)

    def hold(self, is_held: bool) -> None:
        """Keep user mail where it is for now; a suspended inbox stays held."""
        self.is_held = is_held or self.is_suspended
        if not self.is_held:
            self._wake_taker()

    def resize(self, capacity: int) -> None:
        """Change the bound; a smaller one takes effect as the inbox drains."""
        self.capacity = capacity
        if self._senders and len(self.user) < capacity:
            self._senders.unpark(count=capacity - len(self.user))

    def empty(self) -> list[Envelope]:
        """Take everything out, for another inbox."""
        envelopes = list(self.user)
        self.user.clear()
        return envelopes

    def move(self, to: "Callable[[Envelope], Inbox]") -> None:
        """Send whoever waits to get in, or comes later, to another inbox."""
        self.moved = to
        self._senders.unpark_all()

    def close(self, reason: str) -> None:
        """Fail what is waiting in it or to get in it; nothing was started of any of that."""
        self.closed = reason
        self._senders.unpark_all()
        self.system.clear()
        while self.user:
            self._drop(self.user.popleft(), self._down())

    def oldest_age_s(self) -> float:
        """Return how long the oldest message has waited."""
        return self._clock() - self.user[0].put_s if self.user else 0.0

    def _down(self) -> Down:
        reason = self.closed or "stopped"
        return Down(actor=self.owner, execution=Execution.NOT_STARTED, reason=reason)

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self.user)
