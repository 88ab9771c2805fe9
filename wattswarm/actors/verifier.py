"""The gate for events of others: size, syntax, signature, date, admission; then the log.

Signatures are checked in threads, in chunks, since that is what bounds ingest. Nothing is kept but
events dated a little ahead, which wait in memory until their date has come; a crash forgets them,
and their senders bring them again.
"""

import heapq
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import ClassVar, Final

import attrs
import trio

from wattswarm.actors.foreign import genuine, parcels
from wattswarm.actors.governance_tail import GovernanceTail
from wattswarm.actors.messages import (
    Appended,
    AppendRefused,
    Ingested,
    Refusal,
    VerifierMessage,
)
from wattswarm.actors.outbox import EVENTS_MAX, REQUESTS_MAX, Outbox
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.actors.runtime.errors import Down, Refused, TooSlow
from wattswarm.actors.session import Session
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import FUTURE_REFUSED_MS, SKEW_TOLERANCE_MS
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.log_reader import LogReader

CHUNK: Final = 64
"""Events a thread checks at a time: long enough to be worth the hop, short enough to share."""


PAUSE_S: Final = 1.0
"""Before parked events that were not taken are brought again."""

PARKED_SHARE: Final = 8
"""One author's events fill at most this part of the places for parked ones."""


@attrs.define
class _Sorted:
    """Events of one request by what became of them, or what is to."""

    due: list[Event] = attrs.field(factory=list[Event])
    strangers: list[tuple[int, Event]] = attrs.field(factory=list[tuple[int, Event]])
    """Events, and where in the request, of authors who are not admitted as far as is known yet."""

    refused: list[Refusal] = attrs.field(factory=list[Refusal])
    accepted: int = 0
    already: int = 0
    parked: int = 0


@attrs.define(kw_only=True)
class Verifier(Actor[VerifierMessage]):
    """Checks events of others, and appends those that are authentic."""

    points: ClassVar[tuple[str, ...]] = ("verify.before", "admit.before", "append.before")

    dsn: str = attrs.field(repr=False)
    schema: str
    network_id: str
    threads: int = 2
    parked_max: int = 1_024
    _session: Session = attrs.field(init=False)
    _tail: GovernanceTail = attrs.field(init=False)
    _limiter: trio.CapacityLimiter = attrs.field(init=False)
    _reading: trio.Lock = attrs.field(init=False, factory=trio.Lock)
    _parked: dict[EventId, Event] = attrs.field(init=False, factory=dict[EventId, Event])
    _dates: list[tuple[int, EventId]] = attrs.field(init=False, factory=list[tuple[int, EventId]])
    _parked_more: trio.Event = attrs.field(init=False, factory=trio.Event)
    _outbox: Outbox = attrs.field(init=False, factory=Outbox)

    async def recover(self, ctx: Context) -> None:
        """Learn who is admitted."""
        self._limiter = trio.CapacityLimiter(self.threads)
        self._tail = GovernanceTail(self.network_id)
        database = Database(self.dsn, self.schema)
        self._session = ctx.hold(closing(Session(database, Purpose.READER, ctx)))
        await self._read_governance()

    async def handle(self, msg: VerifierMessage, ctx: Context) -> Ingested:
        """Check and append a request's events."""
        return await self._ingest(msg.events, ctx)

    async def run(self, ctx: Context) -> None:
        """Take events to the writer, parked ones when their date has come."""
        async with trio.open_nursery() as nursery:
            for _ in range(REQUESTS_MAX):
                nursery.start_soon(self._outbox.deliver, ctx)
            await self._release_parked(ctx)

    async def _release_parked(self, ctx: Context) -> None:
        while True:
            await self._wait_due(ctx)
            due = self._take_due(ctx.clock.wall_ms() + SKEW_TOLERANCE_MS)
            try:
                for chunk in parcels([event.to_wire() for event in due], events_max=EVENTS_MAX):
                    await self._write(chunk)
            except (Down, TooSlow, Refused) as error:
                ctx.log.warning("parked events wait on", events=len(due), reason=str(error))
                for event in due:
                    self._park(event)
                await trio.sleep(PAUSE_S)

    def _take_due(self, now_ms: int) -> Sequence[Event]:
        """Take out the parked events whose date has come."""
        due: list[Event] = []
        while self._dates and self._dates[0][0] <= now_ms:
            _, name = heapq.heappop(self._dates)
            due.append(self._parked.pop(name))
        return due

    def snapshot(self) -> Mapping[str, object]:
        """Return how many events wait for their date."""
        return {"parked": len(self._parked)}

    async def _ingest(self, wires: Sequence[bytes], ctx: Context) -> Ingested:
        await ctx.point("verify.before")
        checked = await self._check(wires)
        await ctx.point("admit.before")
        found = _Sorted()
        for index, item in enumerate(checked):
            if isinstance(item, Event):
                found.strangers.append((index, item))
            else:
                found.refused.append(Refusal(index, item))
        while await self._admit(found, ctx):
            await self._append(found, ctx)
        found.refused += (Refusal(index, "not_admitted") for index, _ in found.strangers)
        return Ingested(
            accepted=found.accepted - found.already,
            already=found.already,
            parked=found.parked,
            refused=tuple(sorted(found.refused, key=lambda refusal: refusal.index)),
        )

    async def _admit(self, found: _Sorted, ctx: Context) -> bool:
        """Sort those out whose authors the log admits; tell whether some are to be appended.

        What is appended may admit others of the same request, so this is asked again after it.
        """
        if not all(self._admits(event) for _, event in found.strangers):
            await self._read_governance()
        now_ms = ctx.clock.wall_ms()
        admitted = [each for each in found.strangers if self._admits(each[1])]
        found.strangers = [each for each in found.strangers if not self._admits(each[1])]
        for index, event in admitted:
            if event.created_at <= now_ms + SKEW_TOLERANCE_MS:
                found.due.append(event)
            elif event.created_at <= now_ms + FUTURE_REFUSED_MS and self._park(event):
                found.parked += 1
            else:
                found.refused.append(Refusal(index, "from_the_future"))
        return bool(found.due)

    def _admits(self, event: Event) -> bool:
        return self._tail.governance.admits(event.author)

    async def _append(self, found: _Sorted, ctx: Context) -> None:
        await ctx.point("append.before")
        for request in parcels([event.to_wire() for event in found.due], events_max=EVENTS_MAX):
            answer = await self._write(request)
            found.accepted += len(request)
            found.already += sum(answer.already)
        found.due.clear()

    async def _write(self, wires: Sequence[bytes]) -> Appended:
        """Return the writer's answer for some events.

        Raises:
            Down, TooSlow, Refused: They may not be in the log.
        """
        answer = await self._outbox.send(wires)
        if isinstance(answer, AppendRefused):
            wait_ms = answer.retry_after_ms or 0
            raise Refused(reason=answer.message, retry_after_s=wait_ms / 1_000)
        return answer

    async def _check(self, wires: Sequence[bytes]) -> Sequence[Event | str]:
        """Return for each event itself, or the code of what is wrong with it."""
        chunks = [wires[at : at + CHUNK] for at in range(0, len(wires), CHUNK)]
        results: list[Sequence[Event | str]] = [()] * len(chunks)

        async def check(index: int, chunk: Sequence[bytes]) -> None:
            results[index] = await trio.to_thread.run_sync(
                genuine, chunk, self.network_id, limiter=self._limiter
            )

        async with trio.open_nursery() as nursery:
            for index, chunk in enumerate(chunks):
                nursery.start_soon(check, index, chunk)
        return [result for chunk in results for result in chunk]

    def _park(self, event: Event) -> bool:
        if event.event_id in self._parked:
            return True
        own = sum(each.author == event.author for each in self._parked.values())
        if len(self._parked) >= self.parked_max or own >= self.parked_max // PARKED_SHARE:
            return False
        self._parked[event.event_id] = event
        heapq.heappush(self._dates, (event.created_at, event.event_id))
        self._parked_more.set()
        return True

    async def _wait_due(self, ctx: Context) -> None:
        """Return when the earliest parked event may go on."""
        while True:
            if not self._dates:
                await self._parked_more.wait()
            self._parked_more = trio.Event()
            wait_ms = self._dates[0][0] - SKEW_TOLERANCE_MS - ctx.clock.wall_ms()
            if wait_ms <= 0:
                return
            with trio.move_on_after(wait_ms / 1_000):
                await self._parked_more.wait()

    async def _read_governance(self) -> None:
        """Take in what the log has of governance; requests side by side see it change at once."""
        async with self._reading:
            rows = await self._session.run(lambda held: self._tail.read(LogReader(held)))
            self._tail.learn(rows)
