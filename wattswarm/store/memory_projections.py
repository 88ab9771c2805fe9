"""Projections in memory: the same answers as those in PostgreSQL, for tests and simulations."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

import attrs

from wattswarm.kernel.ids import EventId, Seq, TaskId
from wattswarm.kernel.rows import TABLES, Row, Rows, Standing
from wattswarm.kernel.scope_digest import scope_digest
from wattswarm.store.errors import PositionConflict
from wattswarm.store.projection_reader import Derived, ScopeDigest, TaskCursor, TaskLine
from wattswarm.store.projections import Quarantined
from wattswarm.store.tables import GOVERNANCE_TABLES, GroupRows

Place: TypeAlias = tuple[str, int]
Fields: TypeAlias = Mapping[str, int | str | bytes | bool | None]

NO_GOVERNANCE: Final[Rows] = dict.fromkeys(GOVERNANCE_TABLES, ())


@attrs.define
class MemorySet:
    """One set of projections; what the derived schema holds."""

    cursors: dict[Place, Seq] = attrs.field(factory=dict[Place, Seq])
    groups: dict[bytes, GroupRows] = attrs.field(factory=dict[bytes, GroupRows])
    quarantined: dict[bytes, Quarantined] = attrs.field(factory=dict[bytes, Quarantined])


@attrs.define
class MemoryProjections:
    """Writes as `Projections` does."""

    target: MemorySet

    def close(self) -> None:
        """Nothing has to be ended."""

    def cursor(self, name: str, shard: int) -> Seq:
        """Return up to which position a shard has been derived."""
        return self.target.cursors.get((name, shard), Seq(0))

    def advance(
        self,
        name: str,
        shard: int,
        *,
        expected: Seq,
        seq: Seq,
        groups: Sequence[GroupRows] = (),
        quarantined: Sequence[Quarantined] = (),
    ) -> None:
        """Have the rows of all groups, and the cursor at `seq`; or neither."""
        actual = self.target.cursors.get((name, shard))
        if (actual or 0) != expected:
            raise PositionConflict(name=name, shard=shard, expected=expected, actual=actual)
        self.target.cursors[name, shard] = seq
        for group in groups:
            self.target.groups[group.group_id] = group
            self.target.quarantined.pop(group.group_id, None)
        self.target.quarantined.update({item.group_id: item for item in quarantined})


@attrs.define
class MemoryShadow:
    """Rebuilds as `Shadow` does."""

    live: MemorySet
    shadow: MemorySet = attrs.field(factory=MemorySet)

    def create(self) -> MemoryProjections:
        """Return the writer of a new, empty set."""
        self.shadow = MemorySet()
        return MemoryProjections(self.shadow)

    def derived(self) -> Derived:
        """Return how far the rebuild is, and its digests."""
        return MemoryProjectionReader(self.shadow).derived()

    def swap(self, cursors: Mapping[Place, Seq]) -> None:
        """Put the shadow set in the place of the live one."""
        self.live.cursors = {**self.shadow.cursors, **cursors}
        self.live.groups = self.shadow.groups
        self.live.quarantined = self.shadow.quarantined
        self.shadow = MemorySet()

    def discard(self) -> None:
        """Drop the shadow set."""
        self.shadow = MemorySet()


@attrs.frozen
class MemoryProjectionReader:
    """Reads as `ProjectionReader` does."""

    source: MemorySet

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
        """Return the newest tasks, or those older than a cursor; every given filter must fit."""
        lines = [line for group in self._tasks() if (line := _line(group, now_ms)) is not None]
        lines.sort(key=lambda line: (line.created_at, line.task_id), reverse=True)
        found = (
            line
            for line in lines
            if (before is None or _age(line) < (before.created_at, before.task_id))
            and (state is None or line.word == state)
            and (task_type is None or line.task_type == task_type)
            and (scope is None or line.scope == scope)
        )
        return tuple(found)[:limit]

    def task_counts(self, now_ms: int) -> Mapping[str, int]:
        """Return how many tasks there are in each state."""
        counts: dict[str, int] = {}
        for group in self._tasks():
            word = _word(group, now_ms)
            counts[word] = counts.get(word, 0) + 1
        return dict(sorted(counts.items()))

    def find_tasks(self, prefix: str, *, limit: int = 2) -> tuple[TaskId, ...]:
        """Return the tasks whose id begins with these hex digits."""
        names = sorted(group.group_id for group in self._tasks())
        return tuple(EventId(name) for name in names if name.hex().startswith(prefix))[:limit]

    def tasks_from(self, start: bytes, *, limit: int) -> tuple[TaskId, ...]:
        """Return the tasks at or after `start`, by id."""
        names = sorted(group.group_id for group in self._tasks())
        return tuple(EventId(name) for name in names if name >= start)[:limit]

    def unfinished_tasks(
        self, now_ms: int, *, after: bytes = b"", limit: int
    ) -> tuple[TaskId, ...]:
        """Return tasks that may still be worked on, by id: those after `after`."""
        going_on = sorted(group.group_id for group in self._tasks() if _goes_on(group, now_ms))
        return tuple(EventId(name) for name in going_on if name > after)[:limit]

    def tasks_over(self, task_ids: Collection[TaskId], before_ms: int) -> frozenset[TaskId]:
        """Return those of some tasks that expired before a date and cannot be opened anew."""
        over = (group.group_id for group in self._tasks() if _is_over(group, before_ms))
        return frozenset(EventId(name) for name in over if name in task_ids)

    def task(self, task_id: TaskId) -> Rows:
        """Return all rows of a task, for every table, by key; no rows of one that is unknown."""
        group = self.source.groups.get(task_id)
        return dict.fromkeys(TABLES, ()) if group is None else group.rows

    def governance(self) -> Rows:
        """Return all rows of governance, for every table, by key."""
        groups = self.source.groups.values()
        found = (group.rows for group in groups if group.rows.keys() == NO_GOVERNANCE.keys())
        return next(found, NO_GOVERNANCE)

    def derived(self) -> Derived:
        """Return how far the projections are, and the digest of every scope."""
        counted = [group for group in self.source.groups.values() if group.digest is not None]
        scopes = {
            scope: _scope_digest(scope, counted)
            for scope in sorted({group.scope for group in counted})
        }
        return Derived(
            min(self.source.cursors.values(), default=Seq(0)),
            dict(sorted(self.source.cursors.items())),
            scopes,
            tuple(item for _name, item in sorted(self.source.quarantined.items())),
        )

    def _tasks(self) -> Sequence[GroupRows]:
        return [group for group in self.source.groups.values() if "tasks" in group.rows]


def _scope_digest(scope: str, counted: Sequence[GroupRows]) -> ScopeDigest:
    groups = sorted(
        (group.group_id, group.digest)
        for group in counted
        if group.scope == scope and group.digest is not None
    )
    return ScopeDigest(scope_digest(scope, groups), len(groups))


def _age(line: TaskLine) -> tuple[int, bytes]:
    return line.created_at, line.task_id


def _fields(row: Row) -> Fields:
    return dict(zip(TABLES["tasks"].columns, row, strict=True))


def _goes_on(group: GroupRows, now_ms: int) -> bool:
    """Tell whether there is, or will be, work on a task: another epoch follows a continuous one."""
    is_continuous = _fields(group.rows["tasks"][0])["mode"] == "continuous"
    return _word(group, now_ms) in ({"open", "final", "expired"} if is_continuous else {"open"})


def _is_over(group: GroupRows, before_ms: int) -> bool:
    fields = _fields(group.rows["tasks"][0])
    expires_at = fields["expires_at"]
    is_known = fields["standing"] == Standing.EFFECTIVE.value or fields["is_final"]
    is_last = fields["mode"] == "one_shot" or fields["control"] == "killed"
    return isinstance(expires_at, int) and expires_at < before_ms and bool(is_known and is_last)


def _word(group: GroupRows, now_ms: int) -> str:
    fields = _fields(group.rows["tasks"][0])
    match fields["standing"]:
        case _ if fields["is_final"]:
            return "final"
        case Standing.EFFECTIVE.value:
            return _living_word(fields, now_ms)
        case Standing.IGNORED.value:
            return "unsupported" if _creation_code(group) == "unsupported_rules" else "void"
        case _:
            return "pending"


def _living_word(fields: Fields, now_ms: int) -> str:
    expires_at = fields["expires_at"]
    match fields["control"]:
        case "killed" | "stopped" as word:
            return word
        case _ if isinstance(expires_at, int) and expires_at < now_ms:
            return "expired"
        case "suspended" as word:
            return word
        case _:
            return "open"


def _creation_code(group: GroupRows) -> object:
    columns = TABLES["verdicts"].columns
    codes = {row[1]: row[columns.index("code")] for row in group.rows["verdicts"]}
    return codes.get(group.group_id)


def _line(group: GroupRows, now_ms: int) -> TaskLine | None:
    fields = _fields(group.rows["tasks"][0])
    if fields["created_at"] is None:
        return None
    shown = cast("dict[str, Any]", {name: fields[name] for name in _SHOWN})
    decided = cast("EventId | None", fields["final_candidate"] or fields["decided_candidate"])
    return TaskLine(**shown, word=_word(group, now_ms), decided=decided)


_SHOWN: Final = tuple(
    field.name for field in attrs.fields(TaskLine) if field.name not in {"word", "decided"}
)
