"""Looks into the database of the node under test, through sessions of the campaign's own.

They end with the server, as everybody's do; the next look opens another.
"""

from collections.abc import Callable
from typing import TypeVar

import attrs
import trio

from wattswarm.config.state_dir import StateDir
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.embedded import EmbeddedPostgres
from wattswarm.store.errors import StoreUnavailable

T = TypeVar("T")


@attrs.define(eq=False)
class Look:
    """One session at a time, opened when needed."""

    state: StateDir
    purpose: Purpose = Purpose.READER
    schema: str = ""
    _connection: Connection | None = attrs.field(default=None, init=False)
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    @property
    def database(self) -> Database:
        """Where the node's tables are, as far as the server can be found now."""
        return Database(EmbeddedPostgres(self.state.path, fsync=False).dsn, self.schema)

    async def run(self, see: Callable[[Connection], T]) -> T:
        """Return what `see` returns, run in a thread.

        Raises:
            StoreUnavailable: The server is away; the next look may find it.
        """
        async with self._turn:
            return await trio.to_thread.run_sync(self._see, see)

    def _see(self, see: Callable[[Connection], T]) -> T:
        """Look through the session there is; when it has ended with its server, through another."""
        if self._connection is not None:
            try:
                return see(self._connection)
            except StoreUnavailable:
                self.close()
        self._connection = self.database.connect(self.purpose, name="chaos")
        return see(self._connection)

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
