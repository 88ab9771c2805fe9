"""Rebuilds the derived tables when asked to; the live ones serve reads meanwhile.

A rebuild that dies is begun anew by the next one: what it left is dropped first.
"""

import threading
from collections.abc import Mapping
from typing import ClassVar

import attrs
import trio

from wattswarm.actors.messages import ProjectionRebuilderMessage, Rebuilt
from wattswarm.actors.rebuilding import Cancelled, Rebuilder
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.kernel.ids import Seq
from wattswarm.store.connection import Database


@attrs.define(kw_only=True)
class ProjectionRebuilder(Actor[ProjectionRebuilderMessage]):
    """Carries out one rebuild at a time."""

    points: ClassVar[tuple[str, ...]] = ("rebuild.before", "rebuild.after")

    dsn: str = attrs.field(repr=False)
    schema: str
    network_id: str
    _progress: tuple[Seq, Seq] | None = attrs.field(init=False, default=None)
    _stop: threading.Event = attrs.field(init=False, factory=threading.Event)

    async def handle(self, msg: ProjectionRebuilderMessage, ctx: Context) -> Rebuilt:
        """Rebuild, compare, and swap unless the message says to verify only."""
        await ctx.point("rebuild.before")
        work = Rebuilder(Database(self.dsn, self.schema), self.network_id, self._note)
        self._stop.clear()
        try:
            done = await trio.to_thread.run_sync(
                lambda: work.run(is_verify_only=msg.is_verify_only), abandon_on_cancel=True
            )
        finally:
            self._stop.set()
            self._progress = None
        await ctx.point("rebuild.after")
        return Rebuilt(
            seq=done.seq,
            digest=done.digest,
            is_compared=done.compared is not None,
            differing=done.differing,
            groups=done.groups,
            is_swapped=not msg.is_verify_only,
        )

    def snapshot(self) -> Mapping[str, object]:
        """Return how far a rebuild is."""
        done, end = self._progress or (0, 0)
        return {"rebuilt": done, "of": end}

    def _note(self, done: Seq, end: Seq) -> None:
        """Note progress; called in the thread, which ends here once nobody waits for it."""
        if self._stop.is_set():
            raise Cancelled
        self._progress = (done, end)
