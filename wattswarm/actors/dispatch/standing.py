"""How this node's executors stand: what the votes on their findings came to, by provider and model.

Read from the projections from time to time; a cache that begins empty, when all stand alike.
"""

from collections.abc import Mapping
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.session import Session
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.reputation import clamped
from wattswarm.store.connection import Connection
from wattswarm.store.merit_reader import MeritReader

EVERY_S: Final = 30.0
LINES_MAX: Final = 1_024


@attrs.define
class Standing:
    """The reputation of this node's own work.

    Args:
        session: A reader's.
    """

    session: Session
    me: NodeId
    _units: Mapping[tuple[str, str], int] = attrs.field(
        factory=dict[tuple[str, str], int], init=False
    )

    def units(self, provider: str, model: str) -> int:
        """Return what is settled for a provider's model, in units, over all scopes."""
        return self._units.get((provider, model), 0)

    async def follow(self, ctx: Context) -> None:
        """Keep up with the projections, until cancelled."""
        while True:
            await self._refresh(ctx.clock.wall_ms())
            await trio.sleep(EVERY_S)

    async def _refresh(self, now_ms: int) -> None:
        self._units = await self.session.run(lambda connection: self._read(connection, now_ms))

    def _read(self, connection: Connection, now_ms: int) -> Mapping[tuple[str, str], int]:
        sums: dict[tuple[str, str], int] = {}
        for line in MeritReader(connection).reputation(now_ms, limit=LINES_MAX, node=self.me):
            of = line.key.provider, line.key.model
            sums[of] = sums.get(of, 0) + line.stability + line.quality
        return {of: clamped(units) for of, units in sums.items()}
