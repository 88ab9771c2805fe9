"""Following the log: news by cursor, woken by announcements; a slow reader loses nothing."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Final

import attrs

from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import Seq, TaskId
from wattswarm.operations.announcements import LOOK_S, Announcements
from wattswarm.operations.health import Health
from wattswarm.operations.naming import as_task_id, find_task
from wattswarm.operations.reading import projected_seq
from wattswarm.operations.unfolding import Unfolding
from wattswarm.store.connection import Connection
from wattswarm.store.errors import StoreUnavailable
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import LogRow
from wattswarm.store.pool import Reads
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.stream import News, NodeNews

ROWS_PER_LOOK: Final = 256
OWED_LOOK_S: Final = 0.25
"""Longest wait for projections that were announced, before looking again."""


@attrs.frozen(eq=False, kw_only=True)
class Stream:
    """Makes followers."""

    reads: Reads
    announcements: Announcements
    health: Health
    clock: Clock

    def stream(
        self, *, after: int | None, task: str | None
    ) -> AbstractAsyncContextManager[AsyncIterator[News]]:
        """Follow the log: news from after that seq (None: from now on), of one task if named."""
        return self._follow(after, task)

    @asynccontextmanager
    async def _follow(
        self, after: int | None, task: str | None
    ) -> AsyncGenerator[AsyncIterator[News]]:
        start = await self.reads.run(lambda connection: _start(connection, after, task))
        follower = Follower(
            reads=self.reads,
            announcements=self.announcements,
            health=self.health,
            clock=self.clock,
            unfolding=Unfolding(start.seq),
            task=start.task,
        )
        async with aclosing(follower.news() if start.is_found else _silence()) as news:
            yield news


@attrs.frozen
class _Start:
    seq: Seq
    task: TaskId | None
    is_found: bool


def _start(connection: Connection, after: int | None, name: str | None) -> _Start:
    """Return where to begin; a task that is not known yet may come, if its name is complete."""
    seq = LogReader(connection).head().seq if after is None else Seq(after)
    if name is None:
        return _Start(seq, None, True)
    found = as_task_id(name) or find_task(connection, name)
    return _Start(seq, None, False) if isinstance(found, Rejection) else _Start(seq, found, True)


async def _silence() -> AsyncGenerator[News]:
    """End at once."""
    return
    yield


@attrs.define(eq=False, kw_only=True)
class Follower:
    """One stream's way through the log."""

    reads: Reads
    announcements: Announcements
    health: Health
    clock: Clock
    unfolding: Unfolding
    task: TaskId | None

    async def news(self) -> AsyncGenerator[News]:
        """Yield what happens until the node stops; a database that is away is waited for."""
        state = self.health.state()
        while not self.announcements.is_stopping:
            found = await self._look()
            for item in found:
                yield item
            if (now := self.health.state()) != state:
                state = now
                yield NodeNews(state=now, reason="; ".join(self.health.readiness().reasons))
            if not found:
                await self.announcements.wait(LOOK_S if self.unfolding.is_settled else OWED_LOOK_S)
        yield NodeNews(state="stopping", reason="the node stops")

    async def _look(self) -> list[News]:
        now_ms = self.clock.wall_ms()
        try:
            return await self.reads.run(lambda connection: self._read(connection, now_ms))
        except StoreUnavailable:
            return []

    def _read(self, connection: Connection, now_ms: int) -> list[News]:
        unfolding = self.unfolding
        # The projections are asked first: what they hold is in the log by then.
        projected = projected_seq(connection)
        rows = self._rows(connection, min(ROWS_PER_LOOK, unfolding.room))
        due = unfolding.due(rows, projected)
        words = ProjectionReader(connection).task_words(due, now_ms)
        # Nothing is taken before everything was read: a lost session loses no news.
        return unfolding.tell(rows, projected, words)

    def _rows(self, connection: Connection, limit: int) -> tuple[LogRow, ...]:
        if limit <= 0:
            return ()
        log, after = LogReader(connection), self.unfolding.read_seq
        if self.task is None:
            return log.read(after, limit=limit)
        return log.task_events(self.task, after, limit=limit)
