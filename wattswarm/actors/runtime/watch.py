"""Looks after handlers that do not end: cancels them, and says so when that does not help."""

from collections.abc import Callable, Iterable

import attrs
import trio

from wattswarm.actors.runtime.cell import Cell
from wattswarm.actors.runtime.dials import NEVER_HANGS

GRACE_S = 1.0
"""A cancelled handler has this long to end before the process counts as hung."""
LOOK_S_MIN = 0.02
LOOK_S_MAX = 1.0


@attrs.define(eq=False)
class Watch:
    """The hang watch of one process."""

    cells: Callable[[], Iterable[Cell]]
    on_stuck: Callable[[Cell], None]
    """Called for an actor that neither ended nor could be cancelled."""
    _cancelled_at: dict[str, tuple[int, float]] = attrs.field(
        factory=dict[str, tuple[int, float]], init=False
    )

    async def run(self) -> None:
        """Look every quarter of the shortest limit, for ever."""
        while True:
            limits_ms = [cell.dials["hang_after_ms"] for cell in self.cells()]
            shortest_s = min((ms / 1_000 for ms in limits_ms if ms), default=LOOK_S_MAX * 4)
            await trio.sleep(min(max(shortest_s / 4, LOOK_S_MIN), LOOK_S_MAX))
            for cell in self.cells():
                if cell.turns is not None and cell.dials["hang_after_ms"] != NEVER_HANGS:
                    self._look(cell)

    def _look(self, cell: Cell) -> None:
        assert cell.turns is not None
        now = trio.current_time()
        before = self._cancelled_at.get(cell.id)
        if before is not None and before[0] == cell.incarnation:
            if now - before[1] >= GRACE_S:
                self.on_stuck(cell)
        elif cell.turns.cancel_hung(cell.services.world.monotonic()):
            self._cancelled_at[cell.id] = (cell.incarnation, now)
