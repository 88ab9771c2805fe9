"""How operations read the database, and the one session that writes this node's own facts."""

from collections.abc import Callable
from typing import TypeVar

import attrs
import trio

from wattswarm.kernel.ids import Seq
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.log_reader import START
from wattswarm.store.projection_reader import ProjectionReader

T = TypeVar("T")


def projected_seq(connection: Connection) -> Seq:
    """Return the position up to which every projection and shard has derived; 0 when none has."""
    return min(ProjectionReader(connection).cursors().values(), default=START)


@attrs.define(eq=False)
class LocalSession:
    """The session for the node's own facts, one call at a time; whoever makes it closes it.

    Its calls are short and each is a transaction, so a session that was lost is opened anew and the
    call that lost it fails: whoever made it decides whether to repeat it.
    """

    database: Database
    _connection: Connection | None = attrs.field(default=None, init=False)
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, called in a thread.

        Raises:
            StoreUnavailable: The database does not answer.
        """
        async with self._turn:
            return await trio.to_thread.run_sync(self._run, work)

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None or self._connection.closed:
            self._connection = self.database.connect(Purpose.LOCAL)
        return work(self._connection)
