"""What is said about tasks on the board: announcements, and who means to work together."""

from functools import partial
from typing import Final

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide import board as decide
from wattswarm.kernel.decide.board import Speaker
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import NodeId, TaskId
from wattswarm.kernel.payloads.board import Member
from wattswarm.operations import cursors
from wattswarm.operations.board_view import (
    announcement_view,
    as_place,
    intent_view,
    place_of,
    set_view,
)
from wattswarm.operations.bodies import Bodies
from wattswarm.operations.naming import as_node_id, as_task_id, find_task
from wattswarm.operations.voice import Voice
from wattswarm.store.board_reader import BoardReader
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.pool import Reads
from wattswarm.surface.board import (
    AnnouncementOrder,
    AnnouncementPage,
    ExecutionSets,
    IntentOrder,
    SetOrder,
    Uttered,
)

SETS_MAX: Final = 500
"""Intents, and confirmed sets, that are shown of one task."""


@attrs.frozen
class Named:
    """A task that something is said about: where and when it was made, as far as that is known."""

    task_id: TaskId
    scope: str
    created_at: int


@attrs.define(eq=False, kw_only=True)
class TaskBoard:
    """`TaskBoardOperations` over the projections."""

    reads: Reads
    bodies: Bodies
    voice: Voice

    async def announce_task(self, name: str, order: AnnouncementOrder) -> Uttered | Rejection:
        """Announce a task on a feed; the same key again is a revision."""
        task = await self.reads.run(lambda connection: _named(connection, name))
        if isinstance(task, Rejection):
            return task
        detail = None
        if order.detail is not None:
            digest = order.detail
            detail = await self.reads.run(lambda connection: self._detail(connection, digest))
        if isinstance(detail, Rejection):
            return detail
        scope = order.scope or task.scope
        return await self.voice.revise(scope, partial(_announce, task, order, detail))

    def _detail(self, connection: Connection, name: str) -> ArtifactRef | Rejection:
        found = self.bodies.find(connection, name)
        if isinstance(found, Rejection):
            return found
        return ArtifactRef(digest=found.digest, size_bytes=len(found.content), mime=found.mime)

    async def announcements(
        self,
        *,
        feed_key: str | None,
        scope: str | None,
        task: str | None,
        cursor: str | None,
        limit: int,
    ) -> AnnouncementPage | Rejection:
        """Return what stands, newest first."""
        before = cursors.read(cursor, as_place)
        if isinstance(before, Rejection):
            return before

        def look(connection: Connection) -> AnnouncementPage | Rejection:
            named = None if task is None else _named(connection, task)
            if isinstance(named, Rejection):
                return named
            found = BoardReader(connection).announcements(
                limit=limit + 1,
                before=before,
                scope=scope,
                feed_key=feed_key,
                task_id=None if named is None else named.task_id,
            )
            return AnnouncementPage(
                items=tuple(announcement_view(each, self.bodies.is_here) for each in found[:limit]),
                next=cursors.next_of(found, limit, place_of),
            )

        return await self.reads.run(look)

    async def declare_intent(self, name: str, order: IntentOrder) -> Uttered | Rejection:
        """Say what this node means to do in an execution set of a task."""
        task = await self.reads.run(lambda connection: _named(connection, name))
        if isinstance(task, Rejection):
            return task
        return await self.voice.revise(order.scope or task.scope, partial(_declare, task, order))

    async def confirm_set(self, name: str, order: SetOrder) -> Uttered | Rejection:
        """Say whom this node holds for the members of an execution set of a task."""
        task = await self.reads.run(lambda connection: _named(connection, name))
        if isinstance(task, Rejection):
            return task
        for index, member in enumerate(order.members):
            if as_node_id(member.node_id) is None:
                message = "a node's id has 64 lower-case hex digits"
                path = f"$.members[{index}].node_id"
                return Rejection(code="bad_parameter", message=message, details={"path": path})
        return await self.voice.revise(order.scope or task.scope, partial(_confirm, task, order))

    async def execution_sets(self, name: str) -> ExecutionSets | Rejection:
        """Return who means to work on a task together, and who was confirmed."""

        def look(connection: Connection) -> ExecutionSets | Rejection:
            task = _named(connection, name)
            if isinstance(task, Rejection):
                return task
            board = BoardReader(connection)
            return ExecutionSets(
                task_id=task.task_id.hex(),
                intents=tuple(map(intent_view, board.intents(task.task_id, limit=SETS_MAX))),
                sets=tuple(map(set_view, board.sets(task.task_id, limit=SETS_MAX))),
            )

        return await self.reads.run(look)


def _named(connection: Connection, name: str) -> Named | Rejection:
    """Return the task of a name; by its full name, also one that nobody here has heard of."""
    task_id = as_task_id(name) or find_task(connection, name)
    if isinstance(task_id, Rejection):
        return task_id
    row = LogReader(connection).event(task_id)
    if row is None or row.task_id != task_id:
        return Named(task_id, "global", 0)
    return Named(task_id, row.scope, row.created_at)


def _announce(
    task: Named,
    order: AnnouncementOrder,
    detail: ArtifactRef | None,
    speaker: Speaker,
    board: BoardReader,
) -> Signings | Rejection:
    key = order.announcement_key or task.task_id.hex()
    found = board.announcements(
        limit=1, scope=speaker.scope, author=speaker.me, announcement_key=key
    )
    return decide.announce(
        speaker,
        key,
        found[0].payload if found else None,
        feed_key=order.feed_key,
        task=task.task_id,
        task_ms=task.created_at,
        summary=order.summary,
        detail=detail,
    )


def _declare(
    task: Named, order: IntentOrder, speaker: Speaker, board: BoardReader
) -> Signings | Rejection:
    found = board.intents(
        task.task_id,
        limit=1,
        scope=speaker.scope,
        author=speaker.me,
        execution_set=order.execution_set,
    )
    return decide.declare(
        speaker,
        task.task_id,
        order.execution_set,
        found[0].payload if found else None,
        role_hint=order.role_hint,
        intent=order.intent,
        task_ms=task.created_at,
    )


def _confirm(
    task: Named, order: SetOrder, speaker: Speaker, board: BoardReader
) -> Signings | Rejection:
    found = board.sets(
        task.task_id,
        limit=1,
        scope=speaker.scope,
        author=speaker.me,
        execution_set=order.execution_set,
    )
    members = [
        Member(NodeId(bytes.fromhex(each.node_id)), each.role_hint) for each in order.members
    ]
    return decide.confirm_set(
        speaker,
        task.task_id,
        order.execution_set,
        found[0].payload if found else None,
        members=members,
        task_ms=task.created_at,
    )
