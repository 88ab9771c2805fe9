"""Which artifacts are named: by events in the log, and by what will be signed soon.

An artifact is named when its digest stands anywhere in the body of an event, whatever the event's
kind or verdict: what is ignored today may take effect tomorrow. The log is read for names once,
from where the last reading ended.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

import attrs

from wattswarm.kernel.event import decode
from wattswarm.kernel.ids import EventId, Seq, TaskId
from wattswarm.store.connection import Connection, translated
from wattswarm.store.local import Settings
from wattswarm.store.log_reader import START, LogReader
from wattswarm.store.log_record import LogRow
from wattswarm.store.queries import load

ARTIFACT_NAMES: Final = load("artifact_names")
POSITION: Final = "artifact_names.seq"
POSITION_BYTES: Final = 8
PAGE: Final = 512
ANSWERS: Final = 64
"""Answers and submissions may be large, so that few are read at one time."""

DIGEST: Final = re.compile(rb"blake3:([0-9a-f]{64})")
NO_TASK: Final = b""


def digests_in(content: bytes) -> frozenset[bytes]:
    """Return the digests, 32 bytes each, that stand in signed or stored bytes.

    Text stands in CBOR as it is, so that no part needs to be understood.
    """
    return frozenset(bytes.fromhex(found.decode()) for found in DIGEST.findall(content))


@attrs.frozen
class ArtifactNames:
    """Reads and writes through a connection that somebody else owns (`Purpose.LOCAL`)."""

    connection: Connection

    def read_up_to(self) -> Seq:
        """Return the position up to which the log has been read for names."""
        kept = Settings(self.connection).get(POSITION)
        return START if kept is None else Seq(int.from_bytes(kept, "big"))

    def follow(self, log: LogReader, pause: Callable[[], None]) -> Seq:
        """Return the position up to which all names are known now: where the log ended.

        Args:
            pause: Called between pages; what it raises ends the reading, and the next goes on.
        """
        head = log.head().seq
        at = self.read_up_to()
        while at < head:
            pause()
            rows = log.read(at, limit=PAGE)
            at = rows[-1].seq
            self._add(rows, at)
        return at

    def _add(self, rows: Collection[LogRow], up_to: Seq) -> None:
        """Keep the names of some rows, and how far they go, in one transaction."""
        names = {(name, row.task_id or NO_TASK) for row in rows for name in digests_in(row.body)}
        digests, task_ids = [name for name, _ in names], [task for _, task in names]
        with translated(), self.connection.transaction():
            if names:
                values = {"digests": digests, "task_ids": task_ids}
                self.connection.execute(ARTIFACT_NAMES["add_names"], values)
            Settings(self.connection).put(POSITION, up_to.to_bytes(POSITION_BYTES, "big"))

    def tasks_of(self, digests: Collection[bytes]) -> Mapping[bytes, frozenset[bytes]]:
        """Return who names each of some artifacts that are named: tasks, `NO_TASK` among them."""
        found: dict[bytes, set[bytes]] = {}
        with translated():
            values = {"digests": list(digests)}
            rows = self.connection.execute(ARTIFACT_NAMES["names"], values, binary=True).fetchall()
        for digest, task_id in rows:
            found.setdefault(digest, set()).add(task_id)
        return {digest: frozenset(tasks) for digest, tasks in found.items()}

    def tasks_naming(self, digest: bytes, *, limit: int) -> tuple[TaskId, ...]:
        """Return tasks that name an artifact, by id."""
        values = {"digest": digest, "limit": limit}
        with translated():
            query = ARTIFACT_NAMES["tasks_naming"]
            rows = self.connection.execute(query, values, binary=True).fetchall()
        return tuple(EventId(task_id) for (task_id,) in rows)

    def pending(self, pause: Callable[[], None]) -> Iterator[tuple[bytes, frozenset[bytes]]]:
        """Yield what is kept to be appended, or was: a task, and artifacts that it names."""
        for _, task_id, answer in self._pages("answers", b"", pause):
            yield task_id, digests_in(answer)
        for _, event in self._pages("submissions", "", pause):
            yield decode(event).event_id, digests_in(event)

    def _pages(
        self, query: str, after: bytes | str, pause: Callable[[], None]
    ) -> Iterator[tuple[bytes, ...]]:
        """Yield the rows of a query whose first column is its order."""
        while True:
            pause()
            values = {"after": after, "limit": ANSWERS}
            with translated():
                found = self.connection.execute(ARTIFACT_NAMES[query], values, binary=True)
                rows = found.fetchall()
            yield from rows
            if len(rows) < ANSWERS:
                return
            after = rows[-1][0]
