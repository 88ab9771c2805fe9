"""Tasks and bodies: what is shown of them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar, cast

import attrs

from wattswarm.actors.runtime.boundary import Crash, attempt
from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.operations import cursors
from wattswarm.operations.bodies import Bodies
from wattswarm.operations.decision_view import decision_view
from wattswarm.operations.derivation import Derived, Governing, derive_task
from wattswarm.operations.event_view import event_page, hex_or_none
from wattswarm.operations.explanation import explanation
from wattswarm.operations.naming import find_task
from wattswarm.operations.reading import projected_seq
from wattswarm.operations.task_view import Moment, task_view
from wattswarm.operations.verdict_view import verdict_page
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.pool import Reads
from wattswarm.store.projection_reader import ProjectionReader, TaskCursor, TaskLine
from wattswarm.surface.log import EventPage
from wattswarm.surface.task import (
    ArtifactBody,
    DecisionView,
    Explanation,
    TaskPage,
    TaskRow,
    TaskView,
    TaskWord,
    VerdictPage,
)
from wattswarm.surface.words import when

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Tasks:
    """The reading half of `TaskOperations`: lists from the projections, single tasks derived."""

    reads: Reads
    governing: Governing
    bodies: Bodies
    clock: Clock

    async def tasks(
        self, *, state: str | None, task_type: str | None, cursor: str | None, limit: int
    ) -> TaskPage | Rejection:
        """Return tasks, newest first."""
        before = cursors.read(cursor, _as_cursor)
        if isinstance(before, Rejection):
            return before
        now_ms = self.clock.wall_ms()
        lines = await self.reads.run(
            lambda connection: ProjectionReader(connection).tasks(
                now_ms, limit=limit + 1, before=before, state=state, task_type=task_type
            )
        )
        return TaskPage(
            items=tuple(map(_row, lines[:limit])),
            next=cursors.next_of(lines, limit, _place),
        )

    async def task(self, name: str) -> TaskView | Rejection:
        """Return everything about a task."""
        return await self._look(name, lambda derived, moment: task_view(derived.state, moment))

    async def verdicts(self, name: str, *, after: int, limit: int) -> VerdictPage | Rejection:
        """Return the verdict of every event of a task."""
        page = partial(verdict_page, after=after, limit=limit)
        return await self._look(name, lambda derived, _moment: page(derived.rows, derived.state))

    async def task_events(self, name: str, *, after: int, limit: int) -> EventPage | Rejection:
        """Return the events of a task."""

        def page(connection: Connection) -> EventPage | Rejection:
            task_id = find_task(connection, name)
            if isinstance(task_id, Rejection):
                return task_id
            reader = LogReader(connection)
            rows = reader.task_events(task_id, Seq(after), limit=limit + 1)
            return event_page(rows, limit, reader.head().seq)

        return await self.reads.run(page)

    async def explain(self, name: str) -> Explanation | Rejection:
        """Tell a task in sentences."""
        return await self._look(
            name,
            lambda derived, moment: explanation(derived, moment.now_ms),
        )

    async def decision(self, name: str) -> DecisionView | Rejection:
        """Return what was decided; `not_decided` while nothing is."""
        return await self._look(
            name,
            lambda derived, moment: decision_view(derived.state, moment, self.bodies.read),
        )

    async def artifact(self, digest: str) -> ArtifactBody | Rejection:
        """Return a body, verified."""
        return await self.reads.run(lambda connection: self.bodies.find(connection, digest))

    async def _look(
        self, name: str, show: Callable[[Derived, Moment], T | Rejection]
    ) -> T | Rejection:
        """Return what is shown of a task as it is at this moment."""
        now_ms = self.clock.wall_ms()

        def look(connection: Connection) -> T | Rejection:
            task_id = find_task(connection, name)
            if isinstance(task_id, Rejection):
                return task_id
            derived = attempt(lambda: derive_task(connection, task_id, self.governing))
            if isinstance(derived, Crash):
                return _quarantined(task_id, derived)
            moment = Moment(
                now_ms=now_ms,
                projected_seq=projected_seq(connection),
                is_here=self.bodies.is_here,
                governance=derived.governance,
            )
            return show(derived, moment)

        return await self.reads.run(look)


def _quarantined(task_id: EventId, crash: Crash) -> Rejection:
    return Rejection(
        code="internal",
        message=f"task {task_id.hex()} cannot be derived, by a bug of this program: "
        f"{crash.sentence}; its events are all there (`task events`)",
        details={"state": "quarantined"},
    )


def _row(line: TaskLine) -> TaskRow:
    return TaskRow(
        task_id=line.task_id.hex(),
        name=line.name or "",
        task_type=line.task_type or "",
        scope=line.scope or "",
        state=cast("TaskWord", line.word),
        epoch=line.epoch,
        attempt=line.attempt,
        created_at=when(line.created_at),
        expires_at=when(line.expires_at or 0),
        candidates=line.candidates,
        results=line.results,
        approvals=line.approvals,
        rejections=line.rejections,
        decision=hex_or_none(line.decided),
        events=line.events,
    )


def _place(line: TaskLine) -> Sequence[Value]:
    return line.created_at, line.task_id


def _as_cursor(parts: Sequence[Value]) -> TaskCursor | None:
    match parts:
        case [int() as created_at, bytes() as task_id]:
            return TaskCursor(created_at, EventId(task_id))
        case _:
            return None
