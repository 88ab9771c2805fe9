"""What is read about how answers turned out: reputation, precedents, and like questions."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, TypeVar, cast

import attrs

from wattswarm.actors.precedents import Precedents
from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.knowledge import question
from wattswarm.operations.derivation import Governing, derive_task
from wattswarm.operations.merit_view import (
    precedent_view,
    reputation_view,
    similar_found,
    task_knowledge,
)
from wattswarm.operations.naming import find_task
from wattswarm.store.connection import Connection
from wattswarm.store.merit_reader import MeritReader, PrecedentCursor, PrecedentLine, ReputationKey
from wattswarm.store.pool import Reads
from wattswarm.surface.merit import KnowledgePage, ReputationPage, SimilarFound, TaskKnowledge

T = TypeVar("T")

NODE: Final = re.compile(r"[0-9a-f]{64}\Z")
OWN_LINES_MAX: Final = 512
"""Answers to one question that are looked through for what others said about a task's own."""

BAD_CURSOR: Final = Rejection(
    code="bad_parameter",
    message="the cursor is not one that this node gave: begin again without it",
)


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
        if node is not None and not NODE.match(node):
            return Rejection(code="bad_parameter", message="a node is 64 lower-case hex digits")
        after = None if cursor is None else _read(cursor, _reputation_key)
        if cursor is not None and after is None:
            return BAD_CURSOR
        now_ms = self.clock.wall_ms()
        lines = await self.reads.run(
            lambda connection: MeritReader(connection).reputation(
                now_ms,
                limit=limit + 1,
                scope=scope,
                node=None if node is None else NodeId(bytes.fromhex(node)),
                after=after,
            )
        )
        more = len(lines) > limit
        return ReputationPage(
            items=tuple(map(reputation_view, lines[:limit])),
            next=_write(_reputation_parts(lines[limit - 1].key)) if more else None,
        )

    async def knowledge(
        self, *, task_type: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> KnowledgePage | Rejection:
        """Return precedents, newest first."""
        before = None if cursor is None else _read(cursor, _precedent_cursor)
        if cursor is not None and before is None:
            return BAD_CURSOR
        lines = await self.reads.run(
            lambda connection: MeritReader(connection).precedents(
                limit=limit + 1, scope=scope, task_type=task_type, before=before
            )
        )
        more = len(lines) > limit
        return KnowledgePage(
            items=tuple(map(precedent_view, lines[:limit])),
            next=_write(_precedent_parts(lines[limit - 1])) if more else None,
        )

    async def task_knowledge(self, name: str) -> TaskKnowledge | Rejection:
        """Return what a task left behind, and how that turned out."""
        now_ms = self.clock.wall_ms()

        def look(connection: Connection) -> TaskKnowledge | Rejection:
            task_id = find_task(connection, name)
            if isinstance(task_id, Rejection):
                return task_id
            state = derive_task(connection, task_id, self.governing).state
            if state.contract is None:
                return task_knowledge(state, now_ms, ())
            lines = MeritReader(connection).precedents(
                limit=OWN_LINES_MAX, scope=state.scope, question=question(state.contract)
            )
            return task_knowledge(state, now_ms, lines)

        return await self.reads.run(look)

    async def similar(self, name: str) -> SimilarFound | Rejection:
        """Return what was decided before on a task's question, and on like ones."""
        now_ms = self.clock.wall_ms()

        def look(connection: Connection) -> SimilarFound | Rejection:
            task_id = find_task(connection, name)
            if isinstance(task_id, Rejection):
                return task_id
            state = derive_task(connection, task_id, self.governing).state
            if not state.is_effective:
                return Rejection(code="not_decidable", message="the task is not effective here")
            with self._turn:
                found = self.precedents.find(connection, state)
            return similar_found(state, found, now_ms)

        return await self.reads.run(look)


# --- cursors --------------------------------------------------------------------------------------


def _write(parts: Sequence[object]) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


def _read(cursor: str, make: Callable[[Sequence[object]], T]) -> T | None:
    """Return where a page begins; None when it is no cursor of ours."""
    try:
        return make(json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"==")))
    except (ValueError, TypeError, RecursionError):
        return None


def _reputation_parts(key: ReputationKey) -> Sequence[object]:
    return [key.scope, key.node.hex(), key.provider, key.model]


def _reputation_key(parts: Sequence[object]) -> ReputationKey:
    scope, node, provider, model = cast("Sequence[str]", parts)
    return ReputationKey(_text(scope), NodeId(bytes.fromhex(node)), _text(provider), _text(model))


def _precedent_parts(line: PrecedentLine) -> Sequence[object]:
    return [line.decided_at, line.task_id.hex(), line.epoch]


def _precedent_cursor(parts: Sequence[object]) -> PrecedentCursor:
    decided_at, task_id, epoch = parts
    name = EventId(bytes.fromhex(_text(task_id)))
    return PrecedentCursor(_number(decided_at), name, _number(epoch))


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("no text")
    value.encode()  # raises a ValueError for what is half a character
    return value


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError("no number")
    return value
