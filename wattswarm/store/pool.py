"""Many short reads from an async program: a few read-only sessions, each used by one thread at a
time.

There are as many threads as sessions at most, so a slow query makes others wait instead of making
more sessions; the server ends a query after five seconds. A session that the server has ended is
replaced once without anybody noticing: reading again is always safe.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import attrs
import trio
from psycopg.pq import TransactionStatus

from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.errors import StoreUnavailable

SESSIONS_MAX: Final = 4

Answer = TypeVar("Answer")


@attrs.define
class Reads:
    """The read-only sessions of a process; whoever makes it closes it."""

    database: Database
    sessions_max: int = SESSIONS_MAX
    _limiter: trio.CapacityLimiter = attrs.field(init=False)
    _idle: list[Connection] = attrs.field(factory=list[Connection], init=False)
    _is_closed: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._limiter = trio.CapacityLimiter(self.sessions_max)

    async def run(self, read: Callable[[Connection], Answer]) -> Answer:
        """Return what `read` returns, called in a thread with a session that is its own meanwhile.

        Raises:
            StoreUnavailable: The server does not answer, or the reads are closed.
            Whatever `read` raises.
        """
        return await trio.to_thread.run_sync(self._run, read, limiter=self._limiter)

    def close(self) -> None:
        """End all sessions: those that are in use end after their read."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def _run(self, read: Callable[[Connection], Answer]) -> Answer:
        if self._is_closed:
            raise StoreUnavailable(message="the reads were closed")
        if self._idle:
            connection = self._idle.pop()
            try:
                return self._use(connection, read)
            except StoreUnavailable:
                if not connection.closed:
                    raise
        return self._use(self.database.connect(Purpose.READER), read)

    def _use(self, connection: Connection, read: Callable[[Connection], Answer]) -> Answer:
        try:
            return read(connection)
        finally:
            self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        is_clean = connection.info.transaction_status is TransactionStatus.IDLE
        if connection.closed or not is_clean:
            connection.close()
            return
        self._idle.append(connection)
        if self._is_closed:
            self.close()
