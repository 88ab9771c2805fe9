"""Statements: events revoked and restored, nodes penalized and pardoned, by several together."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import attrs
import trio

from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.governance.statement import Statement, content
from wattswarm.kernel.governance.supposed import Supposed
from wattswarm.kernel.ids import EventId, NodeId, TaskId
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState, read
from wattswarm.kernel.task import derive
from wattswarm.operations.derivation import Governing, derive_task
from wattswarm.operations.naming import pick
from wattswarm.operations.orders import Extent, find_node, read_extent
from wattswarm.operations.speech import Pen
from wattswarm.operations.statement_view import effect_view, notable, statement_view
from wattswarm.operations.targets import EventTarget, find_target
from wattswarm.store.connection import Connection
from wattswarm.store.pool import Reads
from wattswarm.surface.statement import (
    EffectView,
    EventOrder,
    PardonOrder,
    PenaltyOrder,
    Stated,
)

Find: TypeAlias = Callable[[Connection, str], EventTarget | Rejection]
T = TypeVar("T")


@attrs.frozen
class _Made:
    """What is to be signed, and the document about it."""

    signings: Signings
    document: Stated


@attrs.define(eq=False, kw_only=True)
class Stating:
    """Makes statements for this node, one after the other."""

    reads: Reads
    governing: Governing
    pen: Pen
    clock: Clock
    find: Find = find_target
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def revoke_event(self, order: EventOrder) -> Stated | Rejection:
        """Say that an event has no effect, nor has what depends on it."""
        return await self._about_event(order, StatementState.REVOKED)

    async def restore_event(self, order: EventOrder) -> Stated | Rejection:
        """Say that an event has its effect again."""
        return await self._about_event(order, StatementState.RESTORED)

    async def penalize_node(self, order: PenaltyOrder) -> Stated | Rejection:
        """Say that what a node dated within a time, or all that it ever said, has no effect."""

        def make(connection: Connection, now_ms: int) -> _Made | Rejection:
            extent = read_extent(order, lambda name: self._event_id(connection, name))
            if isinstance(extent, Rejection):
                return extent
            return self._about_node(
                connection, order.node, StatementState.REVOKED, order.reason, extent, now_ms
            )

        return await self._make(make, is_dry_run=order.dry_run)

    async def pardon_node(self, order: PardonOrder) -> Stated | Rejection:
        """Say that what a node says has its effect again."""
        return await self._make(
            lambda connection, now_ms: self._about_node(
                connection, order.node, StatementState.RESTORED, order.reason, Extent(), now_ms
            ),
            is_dry_run=order.dry_run,
        )

    async def sign_statement(self, name: str, *, dry_run: bool) -> Stated | Rejection:
        """Sign what other finalizers have begun to say."""

        def make(connection: Connection, now_ms: int) -> _Made | Rejection:
            said = self._governed(connection, lambda known: _find(known, name, now_ms))
            if isinstance(said, Rejection):
                return said
            extent = Extent(window=said.window, keep=said.keep)
            if said.kind == NodePenalized.kind:
                return self._about_node(
                    connection, said.target.hex(), said.state, said.reason, extent, now_ms
                )
            target = self.find(connection, said.target.hex())
            if isinstance(target, Rejection):
                return target
            return self._event(connection, target, said.state, said.reason, now_ms, dry_run)

        return await self._make(make, is_dry_run=dry_run)

    # --- deciding -------------------------------------------------------------------------------

    async def _about_event(self, order: EventOrder, state: StatementState) -> Stated | Rejection:
        def make(connection: Connection, now_ms: int) -> _Made | Rejection:
            target = self.find(connection, order.event)
            if isinstance(target, Rejection):
                return target
            return self._event(connection, target, state, order.reason, now_ms, order.dry_run)

        return await self._make(make, is_dry_run=order.dry_run)

    def _event(
        self,
        connection: Connection,
        target: EventTarget,
        state: StatementState,
        reason: str | None,
        now_ms: int,
        is_dry_run: bool,
    ) -> _Made | Rejection:
        """Decide on an event, and for a dry run tell what that does to its task."""
        key = self.pen.key

        def look(governance: Governance) -> tuple[_Made, Statement | None] | Rejection:
            answer = decide.revoke(
                governance, key, target.name, now_ms,
                state=state, reason=reason, kind=target.kind,
            )  # fmt: skip
            if isinstance(answer, Rejection):
                return answer
            return _made(governance, EventRevoked.kind, target.name, answer, key.node_id)

        found = self._governed(connection, look)
        if isinstance(found, Rejection):
            return found
        made, said = found
        if not is_dry_run or said is None or target.task_id is None:
            return made
        effect = self._effect(connection, target.task_id, said, now_ms)
        return attrs.evolve(made, document=attrs.evolve(made.document, effect=effect))

    def _about_node(
        self,
        connection: Connection,
        name: str,
        state: StatementState,
        reason: str | None,
        extent: Extent,
        now_ms: int,
    ) -> _Made | Rejection:
        key = self.pen.key

        def look(governance: Governance) -> _Made | Rejection:
            node = find_node(governance, name)
            if isinstance(node, Rejection):
                return node
            answer = decide.penalize(
                governance, key, node, now_ms,
                state=state, reason=reason, window=extent.window, keep=extent.keep,
            )  # fmt: skip
            if isinstance(answer, Rejection):
                return answer
            return _made(governance, NodePenalized.kind, node, answer, key.node_id)[0]

        return self._governed(connection, look)

    def _event_id(self, connection: Connection, name: str) -> EventId | Rejection:
        found = self.find(connection, name)
        return found if isinstance(found, Rejection) else found.name

    def _effect(
        self, connection: Connection, task_id: TaskId, said: Statement, now_ms: int
    ) -> EffectView:
        """Derive a task as it is, and as it would be."""
        derived = derive_task(connection, task_id, self.governing)
        supposed = Supposed(derived.governance, said)
        after = derive(task_id, (row.event() for row in derived.rows), supposed)
        return effect_view(derived.state, after, derived.rows, now_ms)

    def _governed(self, connection: Connection, look: Callable[[Governance], T]) -> T:
        return self.governing.decide(connection, look)

    # --- making ---------------------------------------------------------------------------------

    async def _make(
        self, make: Callable[[Connection, int], _Made | Rejection], *, is_dry_run: bool
    ) -> Stated | Rejection:
        async with self._turn:
            now_ms = self.clock.wall_ms()
            made = await self.reads.run(lambda connection: make(connection, now_ms))
            if isinstance(made, Rejection):
                return made
            document = attrs.evolve(made.document, is_dry_run=is_dry_run)
            if is_dry_run:
                return document
            seq = await self.pen.write(made.signings)
        return seq if isinstance(seq, Rejection) else attrs.evolve(document, seq=seq)


def _made(
    governance: Governance, kind: str, target: bytes, signings: Signings, me: NodeId
) -> tuple[_Made, Statement | None]:
    """Return the document about what is signed, or about what holds already."""
    said, signers = _said(governance, kind, target, signings)
    shown = None if said is None else statement_view(said, signers, governance, me)
    document = Stated(
        target=target.hex(),
        statement=shown,
        effect=None,
        seq=None,
        already=not signings,
        is_dry_run=False,
    )
    return _Made(signings, document), said


def _said(
    governance: Governance, kind: str, target: bytes, signings: Signings
) -> tuple[Statement | None, frozenset[NodeId]]:
    if not signings:
        held = governance.statements.holding(kind, target)
        return (None, frozenset()) if held is None else (held.statement, frozenset(held.signers))
    (signing,) = signings
    payload = read(signing.draft.kind, signing.draft.payload)
    return content(payload), frozenset(node for node, _ in payload.sigs)


def _find(governance: Governance, name: str, now_ms: int) -> Statement | Rejection:
    known = {each.id: each.statement for each in notable(governance, now_ms)}
    found = pick(known, name, "statement")
    return found if isinstance(found, Rejection) else known[found]
