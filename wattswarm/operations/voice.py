"""Saying something on the board: decided on, signed, and appended, one after the other."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
import trio

from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide.board import Speaker, may_speak
from wattswarm.kernel.errors import Rejection
from wattswarm.operations.derivation import Governing
from wattswarm.operations.speech import Pen
from wattswarm.store.board_reader import BoardReader
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.pool import Reads
from wattswarm.surface.board import Uttered

Decide: TypeAlias = Callable[[Speaker, BoardReader], Signings | Rejection]
"""What to say, given who speaks and what stands on the board."""


@attrs.define(eq=False, kw_only=True)
class Voice:
    """Speaks for this node.

    Args:
        caught_up: Waits until the projections hold a position; False when they do not in time.
    """

    reads: Reads
    governing: Governing
    pen: Pen
    clock: Clock
    caught_up: Callable[[int], Awaitable[bool]]
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _revising: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _last_ms: int = attrs.field(default=0, init=False)

    async def say(self, scope: str, decide: Decide) -> Uttered | Rejection:
        """Say something, and answer when it stands in the log; each is dated after the last."""
        async with self._turn:
            now_ms = self.clock.wall_ms()
            signings = await self.reads.run(
                lambda connection: self._decide(connection, scope, now_ms, decide)
            )
            if isinstance(signings, Rejection):
                return signings
            return await self._write(scope, signings)

    async def revise(self, scope: str, decide: Decide) -> Uttered | Rejection:
        """Say what depends on what stands: on what is in the log by now, projected or not yet."""
        async with self._revising:
            behind = await self.wait_projected()
            return await self.say(scope, decide) if behind is None else behind

    async def wait_projected(self) -> Rejection | None:
        """Wait until the projections hold what the log holds now; a refusal when they are slow."""
        head = await self.reads.run(lambda connection: LogReader(connection).head().seq)
        if await self.caught_up(head):
            return None
        message = f"the projections do not hold seq {head} yet; try again"
        return Rejection(code="not_caught_up", message=message)

    def _decide(
        self, connection: Connection, scope: str, now_ms: int, decide: Decide
    ) -> Signings | Rejection:
        me = self.pen.key.node_id
        refusal = self.governing.decide(
            connection, lambda governance: may_speak(governance, me, now_ms)
        )
        if refusal is not None:
            return refusal
        speaker = Speaker(
            network_id=self.pen.network_id,
            me=me,
            scope=scope,
            now_ms=now_ms,
            last_ms=self._last_ms,
        )
        return decide(speaker, BoardReader(connection))

    async def _write(self, scope: str, signings: Signings) -> Uttered | Rejection:
        if not signings:
            return Uttered(scope=scope, event_id=None, seq=None, already=True)
        (signing,) = signings
        event = signing.draft.unsigned(self.pen.network_id, self.pen.key.node_id)
        self._last_ms = event.created_at
        seq = await self.pen.write(signings)
        if isinstance(seq, Rejection):
            return seq
        return Uttered(scope=scope, event_id=event.event_id.hex(), seq=seq, already=False)
