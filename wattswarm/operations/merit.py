"""What is read about how answers turned out: reputation, precedents, and like questions."""

from collections.abc import Sequence
from threading import Lock
from typing import Final

import attrs

from wattswarm.actors.precedents import Precedents
from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.knowledge import question
from wattswarm.kernel.state import TaskState
from wattswarm.operations import cursors
from wattswarm.operations.derivation import Governing, derive_task
from wattswarm.operations.merit_view import (
    precedent_view,
    reputation_view,
    similar_found,
    task_knowledge,
)
from wattswarm.operations.naming import as_node_id, find_task
from wattswarm.store.connection import Connection
from wattswarm.store.merit_reader import (
    MeritReader,
    PrecedentCursor,
    PrecedentLine,
    ReputationKey,
    ReputationLine,
)
from wattswarm.store.pool import Reads
from wattswarm.surface.merit import KnowledgePage, ReputationPage, SimilarFound, TaskKnowledge

OWN_LINES_MAX: Final = 512
"""Answers to one question that are looked through for what others said about a task's own."""


@attrs.define(eq=False, kw_only=True)
class Merit:
    """Reads from the projections, and derives single tasks."""

    reads: Reads
    governing: Governing
    precedents: Precedents
    clock: Clock
    _turn: Lock = attrs.field(factory=Lock, init=False)

    async def reputation(
        self, *, node: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> ReputationPage | Rejection:
        """Return what votes came to, by scope, node, provider and model."""
        whose = None if node is None else as_node_id(node)
        if node is not None and whose is None:
            return Rejection(code="bad_parameter", message="a node is 64 lower-case hex digits")
        after = cursors.read(cursor, _as_key)
        if isinstance(after, Rejection):
            return after
        now_ms = self.clock.wall_ms()
        lines = await self.reads.run(
            lambda connection: MeritReader(connection).reputation(
                now_ms,
                limit=limit + 1,
                scope=scope,
                node=whose,
                after=after,
            )
        )
        return ReputationPage(
            items=tuple(map(reputation_view, lines[:limit])),
            next=cursors.next_of(lines, limit, _key),
        )

    async def knowledge(
        self, *, task_type: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> KnowledgePage | Rejection:
        """Return precedents, newest first."""
        before = cursors.read(cursor, _as_cursor)
        if isinstance(before, Rejection):
            return before
        lines = await self.reads.run(
            lambda connection: MeritReader(connection).precedents(
                limit=limit + 1, scope=scope, task_type=task_type, before=before
            )
        )
        return KnowledgePage(
            items=tuple(map(precedent_view, lines[:limit])),
            next=cursors.next_of(lines, limit, _place),
        )

    async def task_knowledge(self, name: str) -> TaskKnowledge | Rejection:
        """Return what a task left behind, and how that turned out."""
        now_ms = self.clock.wall_ms()

        def look(connection: Connection) -> TaskKnowledge | Rejection:
            state = self._state(connection, name)
            if isinstance(state, Rejection):
                return state
            if state.contract is None:
                return task_knowledge(state, now_ms, ())
            assert state.scope is not None, "a task with a contract has a scope"
            lines = MeritReader(connection).answers(
                question(state.contract), state.scope, limit=OWN_LINES_MAX
            )
            return task_knowledge(state, now_ms, lines)

        return await self.reads.run(look)

    async def similar(self, name: str) -> SimilarFound | Rejection:
        """Return what was decided before on a task's question, and on like ones."""
        now_ms = self.clock.wall_ms()

        def look(connection: Connection) -> SimilarFound | Rejection:
            state = self._state(connection, name)
            if isinstance(state, Rejection):
                return state
            if not state.is_effective:
                return Rejection(code="not_decidable", message="the task is not effective here")
            with self._turn:
                found = self.precedents.find(connection, state)
            return similar_found(state, found, now_ms)

        return await self.reads.run(look)

    def _state(self, connection: Connection, name: str) -> TaskState | Rejection:
        task_id = find_task(connection, name)
        if isinstance(task_id, Rejection):
            return task_id
        return derive_task(connection, task_id, self.governing).state


# --- places in lists ------------------------------------------------------------------------------


def _key(line: ReputationLine) -> Sequence[Value]:
    return line.key.scope, line.key.node, line.key.provider, line.key.model


def _as_key(parts: Sequence[Value]) -> ReputationKey | None:
    match parts:
        case [str() as scope, bytes() as node, str() as provider, str() as model]:
            return ReputationKey(scope, NodeId(node), provider, model)
        case _:
            return None


def _place(line: PrecedentLine) -> Sequence[Value]:
    return line.decided_at, line.task_id, line.epoch


def _as_cursor(parts: Sequence[Value]) -> PrecedentCursor | None:
    match parts:
        case [int() as decided_at, bytes() as task_id, int() as epoch]:
            return PrecedentCursor(decided_at, EventId(task_id), epoch)
        case _:
            return None
