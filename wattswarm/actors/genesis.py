"""The first event of the log: the genesis record of the node's network.

Ends normally once the log begins with it. The record of a local network is a function of the node's
id, so that a second carrier of it, appended after a crash, says nothing new.
"""

from typing import ClassVar, Final

import attrs

from wattswarm.actors.backoff import until_available
from wattswarm.actors.messages import Append, AppendRefused
from wattswarm.actors.runtime.actor import Actor, Context, Stop
from wattswarm.actors.runtime.errors import Refused
from wattswarm.kernel.governance import draft_update
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.log_reader import LogReader

APPEND_S: Final = 10.0


@attrs.define(kw_only=True)
class Genesis(Actor[None]):
    """Writes the genesis record into an empty log."""

    points: ClassVar[tuple[str, ...]] = ("append.before", "append.after")
    # It gets no mail, and ends by itself as soon as it has started.
    never_passed: ClassVar[frozenset[str]] = frozenset(
        {"handle.before", "handle.after", "stopping.before"}
    )

    dsn: str = attrs.field(repr=False)
    schema: str

    async def recover(self, ctx: Context) -> None:
        """See that the log begins with this network's record."""
        key = KeyPair.from_seed(ctx.secret("seed"))
        record = local_genesis(key.node_id)
        network_id = network_id_of(record)
        if await until_available(ctx, self._has_begun):
            return
        await ctx.point("append.before")
        event = draft_update(record, {}, ctx.clock.wall_ms()).sign(network_id, key)
        answer = await ctx.ref("sel_writer").ask(
            Append(events=(event.to_wire(),), is_own=True), deadline_s=APPEND_S
        )
        await ctx.point("append.after")
        if isinstance(answer, AppendRefused):
            raise Refused(reason=answer.message)

    async def run(self, ctx: Context) -> None:
        """End: there is nothing more to do."""
        raise Stop("the log has its genesis record")

    def _has_begun(self) -> bool:
        """Tell whether the log has a first event."""
        with Database(self.dsn, self.schema).connect(Purpose.READER) as connection:
            return bool(LogReader(connection).governance_events(limit=1))
