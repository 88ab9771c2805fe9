"""Follows the registry of executors, sooner when a change of it is announced."""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import trio

from wattswarm.actors.dispatch.clients import Clients
from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.session import Session
from wattswarm.executors import settings
from wattswarm.executors.fields import Fields, Json
from wattswarm.executors.settings import ExecutorSettings
from wattswarm.kernel.errors import Malformed
from wattswarm.store.local import Executors

LOOK_S: Final = 5.0
"""Longest time between two looks, behind the announcements."""


@attrs.define(kw_only=True)
class Registry:
    """Keeps the clients as the registry says.

    Args:
        timeout_ms: Longest execution, for executors that have no time of their own.
    """

    session: Session
    clients: Clients
    timeout_ms: int
    _changed: trio.Event = attrs.field(init=False, factory=trio.Event)

    def hear(self) -> None:
        """Look sooner than planned."""
        self._changed.set()

    async def follow(self, nursery: trio.Nursery, ctx: Context) -> None:
        """Look again and again; clients live in `nursery`."""
        while True:
            records = await self.session.run(lambda connection: Executors(connection).all())
            self.clients.replace(list(self._readable(records, ctx)), nursery, ctx)
            with trio.move_on_after(LOOK_S):
                await self._changed.wait()
            self._changed = trio.Event()

    def _readable(self, records: Sequence[Json], ctx: Context) -> Iterator[ExecutorSettings]:
        """Yield the settings of all executors whose record can be understood."""
        for record in records:
            try:
                yield self._settings(record)
            except Malformed as error:
                ctx.log.error("an executor's record is malformed", reason=str(error))

    def _settings(self, record: Json) -> ExecutorSettings:
        found = settings.read(record)
        has_own = Fields.of(record).has("timeout_ms")
        return found if has_own else attrs.evolve(found, timeout_ms=self.timeout_ms)
