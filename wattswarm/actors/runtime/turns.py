"""The loop of one actor incarnation: takes mail out of the inbox and has it handled.

One message at a time, or up to `batch` at once, or up to `concurrency` side by side; system
messages come between any two. The loop yields after every burst and at latest every two
milliseconds, so that an actor with much mail does not starve the process. What is in hand when
it crashes stays in `in_hand`, for the supervisor to decide about.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import trio

from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.actors.runtime.dials import Dials
from wattswarm.actors.runtime.envelope import Envelope, Reply
from wattswarm.actors.runtime.errors import BadWire, Refused, RemoteFailure
from wattswarm.actors.runtime.faults import FaultPlane
from wattswarm.actors.runtime.inbox import Inbox
from wattswarm.actors.runtime.lanes import Lanes
from wattswarm.actors.runtime.stats import Counters
from wattswarm.actors.runtime.system import Inspect, TargetDown, Tune

BURST_S: Final = 0.002
"""Others get their turn at latest after this much of uninterrupted handling."""
RECENT: Final = 32
"""Messages that a crash report names."""


class Hung(Exception):
    """A handler took longer than `hang_after` and was cancelled."""


@attrs.define(eq=False)
class Turns:
    """The messages of one incarnation. `serve` returns when a stop was asked for."""

    actor: Actor[Any]
    ctx: Context
    inbox: Inbox
    dials: Dials
    counters: Counters
    faults: FaultPlane
    monotonic: Callable[[], float]
    recent: deque[tuple[type, int, str]]
    drain: bool
    shard_by: str | None
    in_hand: dict[Envelope, float] = attrs.field(factory=dict[Envelope, float], init=False)
    """What is being handled, with the time it began."""
    culprit: Envelope | None = attrs.field(default=None, init=False)
    is_hung: bool = attrs.field(default=False, init=False)
    lanes: Lanes | None = attrs.field(default=None, init=False)
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    async def serve(self, nursery: trio.Nursery) -> None:
        """Handle mail until a stop is asked for.

        Raises:
            Hung: A handler was cancelled for taking too long. Stop, and whatever a handler raises.
        """
        lanes = self.lanes = Lanes(self.inbox, self.shard_by, nursery, self._turn_in_own_scope)
        while not self._is_over():
            # The scope outlives many messages: entering one costs as much as handling a small
            # message.
            with trio.CancelScope() as self._scope:
                await self._serve_under(self._scope, lanes)
            self._after_cancel()
        await lanes.settle()

    def cancel_hung(self, now: float) -> bool:
        """Cancel what has been in hand for longer than `hang_after`; tell whether there was any."""
        limit_s = self.dials["hang_after_ms"] / 1_000
        hung = [envelope for envelope, began in self.in_hand.items() if now - began > limit_s]
        for envelope in hung:
            self.is_hung = True
            (envelope.running or self._scope).cancel()
        return bool(hung)

    def waiting(self) -> list[Envelope]:
        """Return what was taken out of the inbox and not begun."""
        return self.lanes.waiting() if self.lanes is not None else []

    def _is_over(self) -> bool:
        return bool(self.inbox.halt) and not (self.drain and self.inbox.has_mail())

    def _after_cancel(self) -> None:
        """A scope has ended: nothing was wrong if the asker wanted that."""
        if self.is_hung:
            raise Hung(f"no end after {self.dials['hang_after_ms']} ms")
        if self.culprit is not None:
            self.counters.cancelled += 1
            self.in_hand.pop(self.culprit, None)
            self.culprit = None

    async def _serve_under(self, scope: trio.CancelScope, lanes: Lanes) -> None:
        inbox = self.inbox
        while not scope.cancel_called:
            await inbox.wait()
            while inbox.system:
                await self._on_system()
            if inbox.halt and self._is_over():
                return
            if self.dials["batch"] > 1:
                await self._batch(scope)
            elif self.dials["concurrency"] > 1 or lanes.active:
                lanes.dispatch(self.dials["concurrency"])
            else:
                await self._burst(scope)
            if inbox.has_mail() and not scope.cancel_called:
                await trio.lowlevel.checkpoint()

    async def _burst(self, scope: trio.CancelScope) -> None:
        """Handle messages one by one until the burst is over or something else is due."""
        inbox = self.inbox
        began = now = self.monotonic()
        left = self.dials["burst"]
        while inbox.user and left and now - began < BURST_S:
            if inbox.system or inbox.is_held or (inbox.halt and not self.drain):
                return
            now = await self._turn(inbox.pop(), scope, now)
            left -= 1
            if scope.cancel_called:
                return

    async def _turn(self, envelope: Envelope, scope: trio.CancelScope, now: float) -> float:
        """Handle one message and return the time at its end."""
        if envelope.reply is not None and self._is_void(envelope):
            return now
        counters = self.counters
        self.culprit = envelope
        self.in_hand[envelope] = now
        envelope.running = scope
        self.recent.append((type(envelope.message), envelope.id, envelope.sender))
        counters.wait.record(now - envelope.put_s)
        try:
            if self.faults.armed:
                answer = await self._handle_under_faults(envelope)
            else:
                answer = await self.actor.handle(envelope.message, self.ctx)
        except Refused as refusal:
            answer = refusal
        end = self.monotonic()
        envelope.running = None
        self.culprit = None
        del self.in_hand[envelope]
        counters.handled += 1
        counters.busy_s += end - now
        counters.handle.record(end - now)
        if envelope.reply is not None:
            self._answer(envelope, answer)
        return end

    async def _turn_in_own_scope(self, envelope: Envelope) -> None:
        """Handle one message beside others; it can be cancelled without them."""
        with trio.CancelScope() as scope:
            try:
                await self._turn(envelope, scope, self.monotonic())
            except Exception:
                self.culprit = envelope  # another may have begun since
                raise
        if scope.cancelled_caught:
            self.culprit = envelope
            self._after_cancel()

    async def _batch(self, scope: trio.CancelScope) -> None:
        """Handle what has queued at once, in order."""
        batch = self._take_batch(self.dials["batch"])
        if not batch:
            return
        began = self.monotonic()
        for envelope in batch:
            self.in_hand[envelope] = began
            self.recent.append((type(envelope.message), envelope.id, envelope.sender))
            self.counters.wait.record(began - envelope.put_s)
        self.culprit = batch[0] if len(batch) == 1 else None
        # A hang ends the batch; an asker that has gone does not, since it is not the only one.
        batch[0].running = scope if len(batch) == 1 else None
        answers = await self._handle_batch([envelope.message for envelope in batch], batch, scope)
        self._end_batch(batch, answers, began)

    async def _handle_batch(
        self, messages: list[object], batch: list[Envelope], scope: trio.CancelScope
    ) -> Sequence[object]:
        try:
            if self.faults.armed:
                await self.faults.before_handle(self.ctx.me.name, messages[0])
            answers = await self.actor.handle_batch(messages, self.ctx)
            if self.faults.armed:
                await self.faults.after_handle(self.ctx.me.name, messages[0])
        except Refused as refusal:
            return [refusal] * len(batch)
        assert len(answers) == len(batch), "handle_batch owes an answer per message"
        return answers

    def _end_batch(self, batch: list[Envelope], answers: Sequence[object], began: float) -> None:
        took = self.monotonic() - began
        self.culprit = None
        self.counters.handled += len(batch)
        self.counters.busy_s += took
        self.counters.handle.record(took)
        self.in_hand.clear()
        for envelope, answer in zip(batch, answers, strict=True):
            envelope.running = None
            if envelope.reply is not None:
                self._answer(envelope, answer)

    def _take_batch(self, limit: int) -> list[Envelope]:
        """Take up to `limit` messages; one that has been in a crash comes alone."""
        batch: list[Envelope] = []
        inbox = self.inbox
        while inbox.user and len(batch) < limit:
            if batch and inbox.user[0].crashes:
                break
            envelope = inbox.pop()
            if envelope.reply is None or not self._is_void(envelope):
                batch.append(envelope)
            if envelope.crashes:
                break
        return batch

    def _is_void(self, envelope: Envelope) -> bool:
        """Tell whether nobody waits for this ask any more; such are counted and not run."""
        if envelope.is_cancelled:
            self.counters.cancelled += 1
            return True
        if envelope.deadline <= trio.current_time():
            self.counters.expired += 1
            return True
        return False

    def _answer(self, envelope: Envelope, answer: object) -> None:
        assert envelope.reply is not None
        match answer:
            case Refused():
                refusal = attrs.evolve(answer, actor=answer.actor or self.ctx.me.name)
                in_time = envelope.reply.fail(refusal)
            case _:
                in_time = self._send_answer(envelope.reply, answer)
        if not in_time:
            self.counters.late_answers += 1

    def _send_answer(self, reply: Reply, answer: object) -> bool:
        """Send an answer; one that cannot travel is the actor's bug, and its asker hears of it."""
        try:
            return reply.answer(answer)
        except (TypeError, BadWire) as error:
            failure = RemoteFailure(
                actor=self.ctx.me.name,
                incarnation=self.ctx.incarnation,
                kind=type(error).__name__,
                message=str(error),
                traceback="",
            )
            reply.fail(failure)
            raise

    async def _handle_under_faults(self, envelope: Envelope) -> object:
        await self.faults.before_handle(self.ctx.me.name, envelope.message)
        answer = await self.actor.handle(envelope.message, self.ctx)
        await self.faults.after_handle(self.ctx.me.name, envelope.message)
        return answer

    async def _on_system(self) -> None:
        match self.inbox.system.popleft():
            case Tune(dial, value, version):
                self.dials.apply(dial, value, version)
                if dial == "inbox":
                    self.inbox.resize(value)
            case TargetDown() as notice:
                await self.actor.down(notice, self.ctx)
            case Inspect(answer):
                answer(self.actor.snapshot())
