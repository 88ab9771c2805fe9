"""The only way into the log: takes events from everyone, and answers after the commit.

There is no timer: a batch is what queued while the previous commit ran. This actor may die at any
instant. Before the commit nothing happened; during it the outcome is unknown; after it the answer
is lost. In each case the senders append the same events again, and the log answers "already there".
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import ClassVar, Final, TypeAlias

import attrs
import trio

from wattswarm.actors.announcing import announce
from wattswarm.actors.backoff import until_available
from wattswarm.actors.messages import Append, Appended, AppendRefused, HeadMoved, SelWriterMessage
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, decode_again
from wattswarm.kernel.ids import NodeId, short
from wattswarm.kernel.limits import APPEND_BYTES_MAX, BATCH_BYTES_MAX, BATCH_EVENTS_MAX
from wattswarm.store.connection import Database
from wattswarm.store.errors import StoreFull, StoreUnavailable
from wattswarm.store.event_log import POINTS, LogWriter
from wattswarm.store.log_record import Appended as Written
from wattswarm.store.log_record import (
    Entry,
    Forgotten,
    Group,
    LockRefused,
    Outcome,
    SigningStopped,
    Stored,
    Unstorable,
)

Answer: TypeAlias = Appended | AppendRefused

MIB: Final = 1_048_576
FULL_PAUSE_MS: Final = 1_000
"""How long a full disk refuses everything before the next batch tries it again."""

AWAY_S_MAX: Final = 15.0
"""A batch waits so long for a database that went away; then this is a crash, and recovery waits."""

AWAY_PAUSE_S: Final = 0.05


@attrs.define(kw_only=True)
class SelWriter(Actor[SelWriterMessage]):
    """Owner of the log's one writing session.

    Args:
        own: The id of this node.
        readers: Actors that are told where the log ends.
        disk: A path on the disk of the database; empty when that is elsewhere.
        disk_free_mib_min: With less room than this nothing is taken: a server that runs out of room
            for its write-ahead log ends.
    """

    points: ClassVar[tuple[str, ...]] = (*POINTS, "announce.before", "answer.before")

    dsn: str = attrs.field(repr=False)
    schema: str
    network_id: str
    own: bytes
    readers: tuple[str, ...] = ()
    disk: str = ""
    disk_free_mib_min: int = 0
    _writer: LogWriter = attrs.field(init=False)
    _head: int = attrs.field(init=False, default=0)
    _term: int = attrs.field(init=False, default=0)
    _full_until_ms: int = attrs.field(init=False, default=0)
    _filled: trio.Event = attrs.field(init=False, factory=trio.Event)
    _writing: trio.Lock = attrs.field(init=False, factory=trio.Lock)

    async def recover(self, ctx: Context) -> None:
        """Take the log over from whoever wrote before, and say where it ends."""
        writer = LogWriter(
            Database(self.dsn, self.schema),
            point=ctx.point_sync,
            own=NodeId(self.own),
            alarm=lambda event: _alarm(event, ctx),
        )
        self._writer = ctx.hold(closing(writer))
        head = await until_available(ctx, self._writer.open)
        self._head, self._term = head.seq, head.term
        announce(ctx, self.readers, HeadMoved(head.seq))

    async def handle(self, msg: SelWriterMessage, ctx: Context) -> Answer:
        """Write one request."""
        return (await self.handle_batch((msg,), ctx))[0]

    async def handle_batch(self, batch: Sequence[Append], ctx: Context) -> Sequence[Answer]:
        """Write what queued, this node's own events first: answers[i] ↔ batch[i]."""
        answers: dict[int, Answer] = {}
        groups: dict[int, Group] = {}
        now_ms = ctx.clock.wall_ms()
        for index, request in enumerate(batch):
            try:
                groups[index] = self._group(request, now_ms)
            except Malformed as error:
                answers[index] = AppendRefused(error.code, str(error))
        for chosen in transactions(batch, {index: len(group) for index, group in groups.items()}):
            written = await self._write([groups[index] for index in chosen], ctx)
            answers.update(zip(chosen, written, strict=True))
        await ctx.point("announce.before")
        announce(ctx, self.readers, HeadMoved(self._head))
        await ctx.point("answer.before")
        return [answers[index] for index in range(len(batch))]

    async def run(self, ctx: Context) -> None:
        """While the disk is full, look from time to time whether there is room again."""
        while True:
            await self._filled.wait()
            self._filled = trio.Event()
            while self._full_until_ms:
                await trio.sleep(FULL_PAUSE_MS / 1_000)
                await self._probe(ctx)

    def snapshot(self) -> Mapping[str, object]:
        """Return where the log ends, and the writer's term."""
        return {"head": self._head, "term": self._term, "read_only": self._full_until_ms > 0}

    def _group(self, request: Append, now_ms: int) -> Group:
        """Check sizes, syntax and ids again; that each event is genuine, and in its one encoding,
        the sender has seen to.
        """
        size = sum(map(len, request.events))
        if not request.events or size > APPEND_BYTES_MAX:
            raise Malformed(code="too_large", message=f"{size} bytes of events in one request")
        events = [decode_again(wire, network_id=self.network_id) for wire in request.events]
        entries = [
            Entry(event=event, received_at=now_ms, is_own=request.is_own) for event in events
        ]
        first = attrs.evolve(entries[0], locks=request.locks, opened_at=request.opened_at)
        return [first, *entries[1:]]

    async def _write(self, groups: Sequence[Group], ctx: Context) -> Sequence[Answer]:
        """Write one transaction; wait for a database that is away, refuse on a full disk."""
        if ctx.clock.wall_ms() < self._full_until_ms:
            return [_full("there was no room a moment ago")] * len(groups)
        if (free_mib := self._free_mib()) < self.disk_free_mib_min:
            return self._refuse(f"{free_mib} MiB are free", len(groups), ctx)
        give_up = trio.current_time() + AWAY_S_MAX
        while True:
            try:
                async with self._writing:
                    written = await trio.to_thread.run_sync(self._writer.append, groups)
            except StoreFull as error:
                return self._refuse(str(error), len(groups), ctx)
            except StoreUnavailable as error:
                if trio.current_time() >= give_up:
                    raise
                ctx.log.warning("waiting for the database", reason=str(error))
            else:
                self._full_until_ms = 0
                self._head, self._term = written.head.seq, written.head.term
                return [_answer(outcome, written) for outcome in written.outcomes]
            await trio.sleep(AWAY_PAUSE_S)

    def _free_mib(self) -> int:
        if not self.disk:
            return self.disk_free_mib_min
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize // MIB

    def _refuse(self, reason: str, requests: int, ctx: Context) -> Sequence[Answer]:
        """Refuse these requests, and for a moment all that come."""
        ctx.log.error("the log is read-only", reason=reason)
        self._full_until_ms = ctx.clock.wall_ms() + FULL_PAUSE_MS
        self._filled.set()
        return [_full(reason)] * requests

    async def _probe(self, ctx: Context) -> None:
        """Take requests again if a transaction that writes can be committed."""
        if self._free_mib() < self.disk_free_mib_min:
            return
        try:
            async with self._writing:
                await trio.to_thread.run_sync(self._writer.probe)
        except (StoreFull, StoreUnavailable) as error:
            ctx.log.warning("the log is still read-only", reason=str(error))
        else:
            self._full_until_ms = 0
            ctx.log.info("the log takes events again")


def transactions(batch: Sequence[Append], counts: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield indices of requests, own ones first, in sets that fit one transaction.

    Args:
        counts: How many events each request has; those that were refused are left out.
    """
    chosen: list[int] = []
    events = size = 0
    for index in sorted(counts, key=lambda index: not batch[index].is_own):
        more = sum(map(len, batch[index].events))
        if chosen and (events + counts[index] > BATCH_EVENTS_MAX or size + more > BATCH_BYTES_MAX):
            yield chosen
            chosen, events, size = [], 0, 0
        chosen.append(index)
        events, size = events + counts[index], size + more
    if chosen:
        yield chosen


def _alarm(event: Event, ctx: Context) -> None:
    ctx.log.error(
        "this node's key has signed what its log does not hold: nothing is signed any more",
        event_id=short(event.event_id),
        event_kind=event.kind,
        remedy="`wattswarm node restored` or `wattswarm node cloned`",
    )


def _answer(outcome: Outcome, written: Written) -> Answer:
    match outcome:
        case Stored(positions):
            return Appended(
                seqs=tuple(position.seq for position in positions),
                already=tuple(position.is_known for position in positions),
                head=written.head.seq,
                term=written.head.term,
            )
        case LockRefused(_, lock, held):
            return AppendRefused(
                "lock_held",
                f"this node has signed {short(held)} for the same {lock.kind}: it signs no other",
            )
        case SigningStopped():
            return AppendRefused("signing_stopped", CODES["signing_stopped"])
        case Forgotten():
            return AppendRefused("restored_since", CODES["restored_since"])
        case Unstorable(reason):
            return AppendRefused("unstorable", f"the database refuses these events: {reason}")


def _full(reason: str) -> AppendRefused:
    return AppendRefused(
        "log_read_only",
        f"the disk is full ({reason}): the log takes nothing until there is room again",
        retry_after_ms=FULL_PAUSE_MS,
    )
