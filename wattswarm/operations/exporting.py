"""A part of the log as an archive, made while it is sent: one page of the log at a time."""

from collections.abc import AsyncGenerator, Iterator
from functools import partial

import attrs

from wattswarm.kernel.archive import ArchiveWriter
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import SCOPE, Seq
from wattswarm.operations.naming import find_task
from wattswarm.store.connection import Connection
from wattswarm.store.log_part import LogPart
from wattswarm.store.log_reader import LogReader
from wattswarm.store.pool import Reads
from wattswarm.surface.log import EventArchive, Part


@attrs.frozen
class Exporting:
    """Makes archives of the log of one network."""

    reads: Reads
    network_id: str

    async def export_log(self, part: Part) -> EventArchive | Rejection:
        """Return an archive of a part of the log, as it is now."""
        found = await self.reads.run(lambda connection: log_part(connection, part))
        if isinstance(found, Rejection):
            return found
        return EventArchive(self._chunks(found))

    async def _chunks(self, part: LogPart) -> AsyncGenerator[bytes, None]:
        writer = ArchiveWriter(self.network_id)
        yield writer.begin()
        after: Seq | None = part.after
        while after is not None:
            wires, after = await self.reads.run(partial(_page, part, after))
            yield writer.add(wires)
        yield writer.end()


def log_part(connection: Connection, part: Part) -> LogPart | Rejection:
    """Return what is to be read; a log that grows meanwhile does not make it longer."""
    if part.scope is not None and (part.task is not None or not SCOPE.match(part.scope)):
        return Rejection(
            code="bad_parameter",
            message="a scope is global, or region:, group: or node: and a name; "
            "a task has one, so that only one of the two is given",
        )
    task = None if part.task is None else find_task(connection, part.task)
    if isinstance(task, Rejection):
        return task
    head = LogReader(connection).head().seq
    up_to = head if part.up_to is None else min(part.up_to, head)
    return LogPart(after=Seq(part.after), up_to=Seq(up_to), scope=part.scope, task_id=task)


def chunks_of(connection: Connection, network_id: str, part: LogPart) -> Iterator[bytes]:
    """Yield an archive of a part of the log, through one session."""
    writer = ArchiveWriter(network_id)
    yield writer.begin()
    after: Seq | None = part.after
    while after is not None:
        wires, after = _page(part, after, connection)
        yield writer.add(wires)
    yield writer.end()


def _page(part: LogPart, after: Seq, connection: Connection) -> tuple[list[bytes], Seq | None]:
    rows, following = part.page(LogReader(connection), after)
    return [row.to_wire() for row in rows], following
