"""Keeps the messages that crashed their actors too often, for an operator to look at."""

from contextlib import closing
from typing import ClassVar

import attrs
import trio

from wattswarm.actors.backoff import until_available
from wattswarm.actors.messages import DeadLettersMessage
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.local import DeadLetters as Letters


@attrs.define(kw_only=True)
class DeadLetters(Actor[DeadLettersMessage]):
    """Writes dead letters down. Args: kept_max: How many; the oldest are dropped."""

    points: ClassVar[tuple[str, ...]] = ("keep.before",)

    dsn: str = attrs.field(repr=False)
    schema: str
    kept_max: int
    _connection: Connection = attrs.field(init=False)

    async def recover(self, ctx: Context) -> None:
        """Open a session."""
        database = Database(self.dsn, self.schema)
        connection = await until_available(ctx, lambda: database.connect(Purpose.LOCAL))
        self._connection = ctx.hold(closing(connection))

    async def handle(self, msg: DeadLettersMessage, ctx: Context) -> None:
        """Keep one letter."""
        await ctx.point("keep.before")
        letters = Letters(self._connection)
        await trio.to_thread.run_sync(lambda: letters.keep(msg, kept_max=self.kept_max))
