"""A session with the database that many ask and one thread at a time uses."""

from collections.abc import Callable
from typing import TypeVar

import attrs
import trio

from wattswarm.store.connection import Connection

T = TypeVar("T")


@attrs.frozen
class Session:
    """Runs what reads or writes through one connection, in a thread.

    Attributes:
        turn: Held while the connection is in use, by whoever uses it.
    """

    connection: Connection
    turn: trio.Lock = attrs.field(factory=trio.Lock)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, when its turn has come."""
        async with self.turn:
            return await trio.to_thread.run_sync(work, self.connection)
