"""A session with the database that many ask and one thread at a time uses; another when it ends."""

from collections.abc import Callable
from typing import TypeVar

import attrs
import trio

from wattswarm.actors.backoff import until_available
from wattswarm.actors.runtime.actor import Context
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.errors import StoreUnavailable

T = TypeVar("T")


@attrs.define
class Session:
    """Runs what reads or writes through one connection, in a thread.

    When the database goes away, what was begun is begun again once it is back: it must be harmless
    to do twice. Whoever makes a session closes it.
    """

    database: Database
    purpose: Purpose
    ctx: Context
    _connection: Connection | None = attrs.field(init=False, default=None)
    _turn: trio.Lock = attrs.field(init=False, factory=trio.Lock)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, when its turn has come.

        Raises:
            StoreUnavailable: The database stayed away for ten minutes.
        """
        async with self._turn:
            return await until_available(self.ctx, lambda: self._attempt(work))

    def _attempt(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self.database.connect(self.purpose)
        try:
            return work(self._connection)
        except StoreUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """End the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
