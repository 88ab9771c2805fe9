"""Checkpoints: stating under one's signature what one's log holds, and reading what others said."""

from functools import partial
from typing import Final

import attrs

from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide import board as decide
from wattswarm.kernel.decide.board import Speaker
from wattswarm.kernel.errors import Rejection
from wattswarm.operations import cursors
from wattswarm.operations.board_view import as_place, checkpoint_view, place_of
from wattswarm.operations.voice import Voice
from wattswarm.store.board_reader import BoardReader
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import Marks
from wattswarm.store.pool import Reads
from wattswarm.surface.board import CheckpointOrder, CheckpointPage, Uttered

EVERYWHERE: Final = "global"


@attrs.define(eq=False, kw_only=True)
class Checkpointing:
    """Signs checkpoints of this node's log, and lists all that are known."""

    reads: Reads
    voice: Voice

    async def checkpoint(self, order: CheckpointOrder) -> Uttered | Rejection:
        """Sign where this log ends, and the root of each of its lanes: all, or those of a scope."""
        marks = await self.reads.run(lambda connection: LogReader(connection).marks(order.scope))
        if marks is None:
            message = f"this log has no events of scope {order.scope}"
            return Rejection(code="not_found", message=message)
        return await self.voice.say(order.scope or EVERYWHERE, partial(_checkpoint, marks))

    async def checkpoints(self, *, cursor: str | None, limit: int) -> CheckpointPage | Rejection:
        """Return checkpoints, newest first."""
        before = cursors.read(cursor, as_place)
        if isinstance(before, Rejection):
            return before

        def look(connection: Connection) -> CheckpointPage:
            found = BoardReader(connection).checkpoints(limit=limit + 1, before=before)
            return CheckpointPage(
                items=tuple(map(checkpoint_view, found[:limit])),
                next=cursors.next_of(found, limit, place_of),
            )

        return await self.reads.run(look)


def _checkpoint(marks: Marks, speaker: Speaker, _board: BoardReader) -> Signings | Rejection:
    return decide.checkpoint(speaker, marks.lanes, chain=marks.chain, seq=marks.seq)
