"""The database: an embedded server kept running, or an external one waited for; then migrated.

Holds nothing that matters: the next incarnation attaches to the living server, or starts another.
The server's end is a crash of this actor, so that its restarts are counted like any other's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

import attrs
import trio

from wattswarm.actors.backoff import until_available
from wattswarm.actors.messages import PostgresMessage
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.store import postmaster
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.embedded import EmbeddedPostgres
from wattswarm.store.errors import SchemaMismatch, StoreUnavailable
from wattswarm.store.log_reader import LogReader
from wattswarm.store.migrate import has_log, migrate
from wattswarm.store.postmaster import StopMode

WATCH_S: Final = 5.0


@attrs.define(kw_only=True)
class Postgres(Actor[PostgresMessage]):
    """Owner of the database server.

    Args:
        state_dir: Where the embedded server keeps its data; empty for an external server.
        dsn, schema: What everybody connects to. network_id: Whose log must be in it.
    """

    points: ClassVar[tuple[str, ...]] = ("start.before", "start.after", "migrate.before")

    state_dir: str
    dsn: str = attrs.field(repr=False)
    schema: str
    network_id: str
    fsync: bool = True
    _server: EmbeddedPostgres | None = attrs.field(init=False, default=None)
    _restarting: trio.Lock = attrs.field(init=False, factory=trio.Lock)
    _applied: tuple[int, ...] = attrs.field(init=False, default=())

    async def recover(self, ctx: Context) -> None:
        """Have a server that answers, with the schema of this version."""
        await ctx.point("start.before")
        if self.state_dir:
            self._server = EmbeddedPostgres(Path(self.state_dir), fsync=self.fsync)
            # A server that cannot start now, on a full disk for example, is a state, no crash loop.
            await until_available(ctx, self._server.start)
        await ctx.point("start.after")
        database = Database(self.dsn, self.schema)
        await ctx.point("migrate.before")
        await until_available(ctx, lambda: self._check_owner(database))
        migrated = await until_available(ctx, lambda: migrate(database))
        self._applied = migrated.applied

    def _check_owner(self, database: Database) -> None:
        """Return if there is no log yet, or if it is that of this node's network.

        Raises:
            SchemaMismatch: It is another's; nothing has been written to it.
        """
        with database.connect(Purpose.OWNER) as connection:
            first = LogReader(connection).governance_events(limit=1) if has_log(connection) else ()
        found = first[0].event().network_id if first else self.network_id
        if found != self.network_id:
            raise SchemaMismatch(
                message=f"this database holds the log of {found}, not of {self.network_id}: name "
                "another database or schema, or the state directory that belongs to it"
            )

    async def run(self, ctx: Context) -> None:
        """Watch over the embedded server; its end is ours."""
        if self._server is None:
            return
        while (living := postmaster.find(self._server.data_dir)) is not None:
            await trio.to_thread.run_sync(living.wait_ended, WATCH_S, abandon_on_cancel=True)
            async with self._restarting:
                pass
        await trio.to_thread.run_sync(self._server.stop)
        raise StoreUnavailable(message="the embedded server ended by itself")

    async def handle(self, msg: PostgresMessage, ctx: Context) -> None:
        """Restart the server as if it had crashed."""
        if self._server is not None:
            async with self._restarting:
                await trio.to_thread.run_sync(self._server.restart_immediately)

    async def stopping(self, ctx: Context) -> None:
        """End the embedded server, with a checkpoint."""
        if self._server is not None:
            await trio.to_thread.run_sync(self._server.stop, StopMode.FAST)

    def snapshot(self) -> Mapping[str, object]:
        """Return the server's pid."""
        return {"pid": self._server and self._server.pid, "applied": self._applied}
