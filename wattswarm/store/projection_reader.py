"""Reads projections: what the API shows, and the digests that two nodes compare."""

from collections.abc import Collection, Mapping
from typing import Final

import attrs

from wattswarm.kernel.ids import Digest, EventId, Seq, TaskId
from wattswarm.kernel.rows import TABLES, Rows
from wattswarm.kernel.scope_digest import scope_digest
from wattswarm.store.connection import Connection, translated
from wattswarm.store.projections import PROJECTIONS, TABLE_QUERIES, Quarantined
from wattswarm.store.tables import GOVERNANCE_TABLES

TASK_ID_NIBBLES: Final = 64


@attrs.frozen(kw_only=True)
class TaskLine:
    """A task in a list; `word` is its state at the moment of asking."""

    task_id: TaskId
    name: str | None
    task_type: str | None
    scope: str | None
    word: str
    epoch: int
    attempt: int
    created_at: int
    expires_at: int | None
    candidates: int
    results: int
    approvals: int
    rejections: int
    decided: EventId | None
    events: int


@attrs.frozen
class TaskCursor:
    """The last task of a page; the next page has those that are older."""

    created_at: int
    task_id: TaskId


@attrs.frozen
class ScopeDigest:
    """The digest of a scope, and over how many groups."""

    digest: Digest
    groups: int


@attrs.frozen
class Derived:
    """How far the projections are, and what they come to: all of one moment.

    `seq`: the position up to which every shard has derived; 0 when nothing has.
    """

    seq: Seq
    cursors: Mapping[tuple[str, int], Seq]
    scopes: Mapping[str, ScopeDigest]
    quarantined: tuple[Quarantined, ...]


@attrs.frozen
class ProjectionReader:
    """Reads through a connection that somebody else owns, on that one's thread."""

    connection: Connection

    def tasks(
        self,
        now_ms: int,
        *,
        limit: int,
        before: TaskCursor | None = None,
        state: str | None = None,
        task_type: str | None = None,
        scope: str | None = None,
    ) -> tuple[TaskLine, ...]:
        """Return the newest tasks, or those older than a cursor; every given filter must fit.

        Tasks whose TASK_CREATED has not arrived have no date and are in no list.
        """
        values = {
            "now_ms": now_ms,
            "limit": limit,
            "before_at": None if before is None else before.created_at,
            "before_id": None if before is None else before.task_id,
            "state": state,
            "task_type": task_type,
            "scope": scope,
        }
        with translated():
            cursor = self.connection.execute(PROJECTIONS["list_tasks"], values, binary=True)
            return tuple(_line(*columns) for columns in cursor)

    def task_counts(self, now_ms: int) -> Mapping[str, int]:
        """Return how many tasks there are in each state."""
        with translated():
            rows = self.connection.execute(PROJECTIONS["count_tasks"], {"now_ms": now_ms})
            return dict(rows.fetchall())

    def find_tasks(self, prefix: str, *, limit: int = 2) -> tuple[TaskId, ...]:
        """Return the tasks whose id begins with these hex digits (1 to 64, lower case)."""
        assert 0 < len(prefix) <= TASK_ID_NIBBLES, prefix
        bounds = {
            "first": bytes.fromhex(prefix.ljust(TASK_ID_NIBBLES, "0")),
            "last": bytes.fromhex(prefix.ljust(TASK_ID_NIBBLES, "f")),
            "limit": limit,
        }
        with translated():
            rows = self.connection.execute(PROJECTIONS["find_tasks"], bounds)
            return tuple(EventId(task_id) for (task_id,) in rows)

    def tasks_from(self, start: bytes, *, limit: int) -> tuple[TaskId, ...]:
        """Return the tasks at or after `start`, by id."""
        with translated():
            rows = self.connection.execute(
                PROJECTIONS["tasks_from"], {"start": start, "limit": limit}
            )
            return tuple(EventId(task_id) for (task_id,) in rows)

    def unfinished_tasks(
        self, now_ms: int, *, after: bytes = b"", limit: int
    ) -> tuple[TaskId, ...]:
        """Return tasks that may still be worked on, by id: those after `after`."""
        values = {"now_ms": now_ms, "after": after, "limit": limit}
        with translated():
            rows = self.connection.execute(PROJECTIONS["unfinished_tasks"], values)
            return tuple(EventId(task_id) for (task_id,) in rows)

    def tasks_over(self, task_ids: Collection[TaskId], before_ms: int) -> frozenset[TaskId]:
        """Return those of some tasks that expired before a date and cannot be opened anew."""
        values = {"task_ids": list(task_ids), "before_ms": before_ms}
        with translated():
            rows = self.connection.execute(PROJECTIONS["tasks_over"], values, binary=True)
            return frozenset(EventId(task_id) for (task_id,) in rows)

    def tasks_waiting_for(self, pins: Collection[Digest]) -> tuple[TaskId, ...]:
        """Return tasks of which an event waits for one of these governance versions."""
        with translated():
            rows = self.connection.execute(PROJECTIONS["tasks_waiting_for"], {"pins": list(pins)})
            return tuple(EventId(task_id) for (task_id,) in rows)

    def task(self, task_id: TaskId) -> Rows:
        """Return all rows of a task, for every table, by key; no rows of one that is unknown."""
        return self._snapshot_of(tuple(TABLES), {"task_id": task_id})

    def governance(self) -> Rows:
        """Return all rows of governance, for every table, by key."""
        return self._snapshot_of(tuple(GOVERNANCE_TABLES), {})

    def cursors(self) -> Mapping[tuple[str, int], Seq]:
        """Return up to which position each projection and shard has derived."""
        with translated():
            rows = self.connection.execute(PROJECTIONS["cursors"])
            return {(name, shard): Seq(seq) for name, shard, seq in rows}

    def task_words(self, task_ids: Collection[TaskId], now_ms: int) -> Mapping[TaskId, str]:
        """Return the state of those of some tasks that are derived, at the moment of asking."""
        values = {"task_ids": list(task_ids), "now_ms": now_ms}
        with translated():
            rows = self.connection.execute(PROJECTIONS["task_words"], values, binary=True)
            return {EventId(task_id): word for task_id, word in rows}

    def artifact_mime(self, digest: str) -> str | None:
        """Return the media type that some event gives to the body with this digest."""
        with translated():
            row = self.connection.execute(
                PROJECTIONS["artifact_mime"], {"digest": digest}
            ).fetchone()
        return None if row is None else row[0]

    def derived(self) -> Derived:
        """Return how far the projections are, and the digest of every scope."""
        with translated(), _Snapshot(self.connection):
            cursors = {
                (name, shard): Seq(seq)
                for name, shard, seq in self.connection.execute(PROJECTIONS["cursors"])
            }
            scopes = [scope for (scope,) in self.connection.execute(PROJECTIONS["scopes"])]
            digests = {scope: self._scope_digest(scope) for scope in scopes}
            found = self.connection.execute(PROJECTIONS["quarantine_list"])
            quarantined = tuple(Quarantined(*row) for row in found)
        return Derived(min(cursors.values(), default=Seq(0)), cursors, digests, quarantined)

    def _scope_digest(self, scope: str) -> ScopeDigest:
        rows = self.connection.execute(PROJECTIONS["groups"], {"scope": scope}, binary=True)
        groups = [(group_id, Digest(digest)) for group_id, digest in rows]
        return ScopeDigest(scope_digest(scope, groups), len(groups))

    def _snapshot_of(self, tables: tuple[str, ...], values: Mapping[str, object]) -> Rows:
        with translated(), _Snapshot(self.connection):
            return {
                table: tuple(
                    self.connection.execute(
                        TABLE_QUERIES[f"rows_of_{table}"], values, binary=True
                    ).fetchall()
                )
                for table in tables
            }


@attrs.frozen
class _Snapshot:
    """One moment of the database, for several statements."""

    connection: Connection

    def __enter__(self) -> None:
        self.connection.execute(PROJECTIONS["begin_snapshot"])

    def __exit__(self, *_: object) -> None:
        if not self.connection.closed:
            self.connection.execute(PROJECTIONS["end_snapshot"])


def _line(
    task_id: bytes,
    name: str | None,
    task_type: str | None,
    scope: str | None,
    word: str,
    epoch: int,
    attempt: int,
    created_at: int,
    expires_at: int | None,
    candidates: int,
    results: int,
    approvals: int,
    rejections: int,
    decided: bytes | None,
    events: int,
) -> TaskLine:
    return TaskLine(
        task_id=EventId(task_id),
        name=name,
        task_type=task_type,
        scope=scope,
        word=word,
        epoch=epoch,
        attempt=attempt,
        created_at=created_at,
        expires_at=expires_at,
        candidates=candidates,
        results=results,
        approvals=approvals,
        rejections=rejections,
        decided=None if decided is None else EventId(decided),
        events=events,
    )
