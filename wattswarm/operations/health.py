"""How the node is, from what is in memory: asking never waits for the database."""

from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.errors import ActorError
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.view import ActorView, TreeView
from wattswarm.operations.announcements import Announcements
from wattswarm.surface.node import NodeState, Readiness

WRITER: Final = "sel_writer"
WATCH_S: Final = 1.0
WELL: Final = frozenset({"ready", "suspended", "stopped"})
"""States of actors that need no attention; one that has done its work is `stopped`."""

NEEDED: Final = frozenset({"postgres", "sel_writer"})
"""Without these the node takes no work."""


@attrs.define(eq=False)
class Health:
    """The state of the node in a word, and why.

    `is_read_only` is what the log's writer last said about its disk; `watch` keeps it current.
    """

    tree: TreeControl
    announcements: Announcements
    is_read_only: bool = attrs.field(default=False, init=False)

    def state(self) -> NodeState:
        """Return the node's state."""
        return self._judge(self.tree.describe())[0]

    def readiness(self) -> Readiness:
        """Tell whether the node takes work, and if not, why."""
        view = self.tree.describe()
        state, reasons = self._judge(view)
        is_needed_well = all(actor.state in WELL for actor in _actors(view) if _is_needed(actor))
        return Readiness(
            ready=state in ("ready", "degraded") and is_needed_well,
            state=state,
            reasons=reasons,
            faults_armed=len(view.armed),
        )

    async def watch(self) -> None:
        """Ask the log's writer again and again whether it can write."""
        while True:
            try:
                said = await self.tree.inspect(WRITER)
                self.is_read_only = said.get("read_only") in (True, "True")
            except ActorError:
                self.is_read_only = False  # it is away, which its own state tells
            await trio.sleep(WATCH_S)

    def _judge(self, view: TreeView) -> tuple[NodeState, tuple[str, ...]]:
        if self.announcements.is_stopping or view.state in ("stopping", "ended"):
            return "stopping", ("the node stops",)
        troubled = tuple(
            f"{actor.id} is {actor.state}" for actor in _actors(view) if actor.state not in WELL
        )
        if view.state == "starting":
            return "starting", troubled or ("the node starts",)
        if self.is_read_only:
            return "read_only", ("the log is read-only: its disk is full", *troubled)
        return ("degraded", troubled) if troubled else ("ready", ())


def _actors(view: TreeView) -> list[ActorView]:
    return [actor for group in view.groups for actor in group.actors]


def _is_needed(actor: ActorView) -> bool:
    return actor.id.partition("/")[0] in NEEDED
