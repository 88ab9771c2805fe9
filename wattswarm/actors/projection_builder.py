"""Tails the log and writes the derived tables: rows and cursor in one transaction.

It may die at any instant: before the transaction nothing happened, after it the cursor says so. An
announcement that never came is made up for by a look from time to time.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from random import Random
from typing import ClassVar, Final

import attrs
import trio

from wattswarm.actors.announcing import announce
from wattswarm.actors.auditing import Audit, audit
from wattswarm.actors.backoff import until_available
from wattswarm.actors.deriving import Derived, Deriver
from wattswarm.actors.messages import ProjectionBuilderMessage, TasksChanged
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.kernel.hashing import Context as HashContext
from wattswarm.kernel.hashing import digest
from wattswarm.kernel.ids import Digest, EventId, NodeId, Seq, TaskId
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.errors import PositionConflict, StoreFull, StoreUnavailable
from wattswarm.store.log_reader import START, LogReader, last_seq
from wattswarm.store.log_record import LogRow
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.store.projections import Projections

LOOK_S: Final = 1.0
"""Longest time between two looks at the log, behind its announcements."""

GATHER_S: Final = 0.02
"""Between two batches that were not full: what comes closely behind is derived together, since a
batch costs more than an event.
"""

HOUR_S: Final = 3_600
ANNOUNCED_MAX: Final = 512
GOVERNANCE_PAGE: Final = 512


def cursor_name(shards: int) -> str:
    """Return the name of the cursors of so many shards: other shards are other tasks."""
    return f"tasks/{shards}"


@attrs.define(kw_only=True)
class ProjectionBuilder(Actor[ProjectionBuilderMessage]):
    """Derives one shard of the tasks, and, as the first, governance.

    Args:
        listeners: Who is told what changed.
        audits_per_hour: Tasks that are derived again and compared; 0 for none.
    """

    points: ClassVar[tuple[str, ...]] = (
        "read.before",
        "derive.before",
        "write.before",
        "write.after",
        "announce.before",
    )

    dsn: str = attrs.field(repr=False)
    schema: str
    network_id: str
    listeners: tuple[str, ...]
    audits_per_hour: int = 0
    _shard: int = attrs.field(init=False, default=0)
    _shards: int = attrs.field(init=False, default=1)
    _seq: Seq = attrs.field(init=False, default=START)
    _head: int = attrs.field(init=False, default=START)
    """As far as the log is known to go."""
    _is_behind: bool = attrs.field(init=False, default=False)
    """Whether the last batch was full."""
    _quarantined: int = attrs.field(init=False, default=0)
    _audited: int = attrs.field(init=False, default=0)
    _mended: int = attrs.field(init=False, default=0)
    _audit_at: float = attrs.field(init=False, default=math.inf)
    _dice: Random = attrs.field(init=False)
    _connection: Connection = attrs.field(init=False)
    _projections: Projections = attrs.field(init=False)
    _deriver: Deriver = attrs.field(init=False)
    _moved: trio.Event = attrs.field(init=False, factory=trio.Event)

    async def recover(self, ctx: Context) -> None:
        """Go on from the cursor."""
        _, _, instance = ctx.me.name.partition("/")
        self._shard, self._shards = int(instance or 0), ctx.instances
        self._dice = ctx.rng("audit")
        database = Database(self.dsn, self.schema)
        self._projections = ctx.hold(closing(Projections(database)))
        await self._connect(ctx)

    async def handle(self, msg: ProjectionBuilderMessage, ctx: Context) -> None:
        """Look at the log now, if it goes on beyond the cursor."""
        self._head = max(self._head, msg.seq)
        if self._seq < self._head:
            self._moved.set()

    async def run(self, ctx: Context) -> None:
        """Derive what the log has beyond the cursor, whenever there is more."""
        self._set_audit()
        while True:
            self._moved = trio.Event()
            while await self._advance(ctx):
                pass
            if trio.current_time() >= self._audit_at:
                await self._audit(ctx)
            with trio.move_on_after(LOOK_S):
                await self._moved.wait()
                await trio.sleep(GATHER_S)

    def snapshot(self) -> Mapping[str, object]:
        """Return the cursor."""
        return {
            "seq": self._seq,
            "shard": self._shard,
            "quarantined": self._quarantined,
            "audited": self._audited,
            "mended": self._mended,
        }

    def _begin(self) -> None:
        """Read the cursor, and have a deriver that knows the governance before it."""
        name = cursor_name(self._shards)
        self._projections.share(name, self._shards)
        self._seq = self._projections.cursor(name, self._shard)
        log = LogReader(self._connection)
        self._deriver = Deriver(
            network_id=self.network_id,
            shard=self._shard,
            shards=self._shards,
            shard_key=digest(HashContext.DIGEST, log.head().feed_epoch),
            history=self._history,
            pinned=self._pinned,
            touched=self._touched,
            posted=self._posted,
        )
        seq = START
        while rows := log.governance_events(seq, limit=GOVERNANCE_PAGE):
            self._deriver.learn_governance([row.event() for row in rows if row.seq <= self._seq])
            seq = last_seq(rows, seq)

    async def _advance(self, ctx: Context) -> bool:
        """Derive one batch; tell whether to go on at once, since there may be as much again."""
        limit = ctx.dials["batch"]
        try:
            derived = await trio.to_thread.run_sync(self._derive_next, limit, ctx.point_sync)
        except (PositionConflict, StoreUnavailable) as error:
            ctx.log.warning("reading the cursor again", reason=str(error))
            await self._again(ctx)
            return True
        except StoreFull as error:
            ctx.log.error("the projections stand still", reason=str(error))
            await trio.sleep(LOOK_S)
            await self._again(ctx)
            return True
        if derived is None:
            return False
        await ctx.point("write.after")
        await self._announce(derived, ctx)
        return self._is_behind

    async def _again(self, ctx: Context) -> None:
        """Forget what is cached, and go on from where the cursor is."""
        await trio.to_thread.run_sync(self._connection.close)
        await self._connect(ctx)

    async def _connect(self, ctx: Context) -> None:
        self._connection = ctx.hold(closing(await until_available(ctx, self._begun)))

    def _begun(self) -> Connection:
        """Return a new session that the cursor was read by: each try has one of its own."""
        self._connection = Database(self.dsn, self.schema).connect(Purpose.READER)
        try:
            self._begin()
        except StoreUnavailable:
            self._connection.close()
            raise
        return self._connection

    def _set_audit(self) -> None:
        """Draw when the next task is audited."""
        if self.audits_per_hour:
            pause_s = self._dice.expovariate(self.audits_per_hour / HOUR_S)
            self._audit_at = trio.current_time() + pause_s

    async def _audit(self, ctx: Context) -> None:
        """Derive one task again; when its rows are not what the log makes of it, mend them."""
        self._set_audit()
        start = self._dice.randbytes(32)
        try:
            found = await trio.to_thread.run_sync(self._audit_next, start)
        except (PositionConflict, StoreUnavailable, StoreFull) as error:
            ctx.log.warning("a task could not be audited", reason=str(error))
            await self._again(ctx)
            return
        if found is None:
            return
        self._audited += 1
        if found.differing:
            self._mended += 1
            ctx.log.error(
                "the rows of a task were not those of the log, and were written anew",
                task=found.task_id.hex(),
                tables=", ".join(found.differing),
            )
            announce(ctx, self.listeners, TasksChanged((found.task_id,), self._seq))

    def _audit_next(self, start: bytes) -> Audit | None:
        found = audit(self._connection, self._deriver, start, self._seq)
        if found is not None and found.differing:
            self._projections.forget(found.task_id)
            self._write(Derived((found.group,), ()), self._seq)
        return found

    async def _announce(self, derived: Derived, ctx: Context) -> None:
        for item in derived.quarantined:
            self._quarantined += 1
            ctx.log.error("group quarantined", group=item.group_id.hex(), reason=item.error)
        changed = derived.tasks
        await ctx.point("announce.before")
        # Without a task there is still news: whoever waits for the projections hears of it.
        for at in range(0, max(len(changed), bool(derived.groups)), ANNOUNCED_MAX):
            news = TasksChanged(changed[at : at + ANNOUNCED_MAX], self._seq)
            announce(ctx, self.listeners, news)

    def _derive_next(self, limit: int, point: Callable[[str], None]) -> Derived | None:
        """Derive and write the next rows of the log; None when there are none."""
        point("read.before")
        batch = LogReader(self._connection).read(self._seq, limit=limit)
        if not batch:
            return None
        point("derive.before")
        derived = self._deriver.derive(batch)
        point("write.before")
        self._write(derived, batch[-1].seq)
        self._is_behind = len(batch) == limit
        return derived

    def _write(self, derived: Derived, seq: Seq) -> None:
        self._projections.advance(
            cursor_name(self._shards),
            self._shard,
            expected=self._seq,
            seq=seq,
            groups=derived.groups,
            quarantined=derived.quarantined,
        )
        self._seq = seq

    def _history(
        self, task_ids: Collection[TaskId], up_to: Seq
    ) -> Mapping[TaskId, Sequence[LogRow]]:
        return LogReader(self._connection).events_of_tasks(task_ids, up_to)

    def _touched(
        self, events: Collection[EventId], authors: Collection[NodeId], up_to: Seq
    ) -> Collection[TaskId]:
        return LogReader(self._connection).tasks_about(events, authors, up_to)

    def _posted(
        self, events: Collection[EventId], authors: Collection[NodeId], up_to: Seq
    ) -> Iterable[Sequence[LogRow]]:
        return LogReader(self._connection).taskless_about(events, authors, up_to)

    def _pinned(self, pins: Collection[Digest]) -> Collection[TaskId]:
        return ProjectionReader(self._connection).tasks_waiting_for(pins)
