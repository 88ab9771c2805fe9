"""What many tasks come to together, in memory: the same answers as `MeritReader` gives."""

from collections.abc import Collection, Iterator
from typing import Any, cast

import attrs

from wattswarm.kernel.ids import EventId, NodeId, TaskId
from wattswarm.kernel.knowledge import Question
from wattswarm.kernel.rows import TABLES, Row
from wattswarm.store.memory_projections import Fields, MemorySet
from wattswarm.store.merit_reader import (
    ALWAYS,
    Comparable,
    PrecedentCursor,
    PrecedentLine,
    ReputationKey,
    ReputationLine,
    precedent_line,
)


@attrs.frozen
class MemoryMeritReader:
    """Reads as `MeritReader` does."""

    source: MemorySet

    def reputation(
        self,
        now_ms: int,
        *,
        limit: int,
        scope: str | None = None,
        node: NodeId | None = None,
        after: ReputationKey | None = None,
    ) -> tuple[ReputationLine, ...]:
        """Return what contributions come to at a moment, by their keys; those after `after`."""
        found: dict[ReputationKey, list[Fields]] = {}
        for of, row in self._rows("contributions"):
            fields = _fields("contributions", row)
            key = _key(of, fields)
            is_wanted = scope in (None, of) and node in (None, key.node)
            if is_wanted and (after is None or _order(key) > _order(after)):
                found.setdefault(key, []).append(fields)
        lines = (_sum(key, found[key], now_ms) for key in sorted(found, key=_order))
        return tuple(lines)[:limit]

    def precedents(
        self,
        *,
        limit: int,
        scope: str | None = None,
        task_type: str | None = None,
        before: PrecedentCursor | None = None,
    ) -> tuple[PrecedentLine, ...]:
        """Return the newest precedents, or those older than a cursor; given filters must fit."""
        found = (
            line
            for line in self._lines()
            if scope in (None, line.scope)
            and task_type in (None, line.question.task_type)
            and (before is None or _age(line)[:3] < attrs.astuple(before))
        )
        return tuple(found)[:limit]

    def answers(
        self,
        question: Question,
        scope: str,
        *,
        limit: int,
        not_task: TaskId | None = None,
        until_ms: int = ALWAYS,
    ) -> tuple[PrecedentLine, ...]:
        """Return the newest answers to a question that are dated before `until_ms`."""
        found = (
            line
            for line in self._lines()
            if (line.question, line.scope) == (question, scope)
            and not_task != line.task_id
            and line.decided_at < until_ms
        )
        return tuple(found)[:limit]

    def comparable(
        self,
        task_type: str,
        scope: str,
        *,
        limit: int,
        not_task: TaskId,
        until_ms: int = ALWAYS,
    ) -> tuple[Comparable, ...]:
        """Return the newest sound precedents of a task type that are dated before `until_ms`."""
        found = (
            Comparable(line.task_id, line.decision, line.decided_at)
            for line in self._lines()
            if (line.question.task_type, line.scope) == (task_type, scope)
            and not_task != line.task_id
            and line.decided_at < until_ms
            and line.is_sound
        )
        return tuple(found)[:limit]

    def named(self, decisions: Collection[EventId], scope: str) -> tuple[PrecedentLine, ...]:
        """Return the precedents that these decisions of a scope made, the newest first."""
        return tuple(
            line for line in self._lines() if line.decision in decisions and line.scope == scope
        )

    def rejected_outputs(self, lines: Collection[PrecedentLine], scope: str) -> tuple[str, ...]:
        """Return the outputs of these precedents that were rejected as repetitions, in a scope."""
        decisions = {line.decision for line in lines}
        outputs = {line.output_digest for line in lines}
        found = {
            cast("str", fields["output_digest"])
            for fields in self._rejections()
            if fields["decision_id"] in decisions and fields["scope"] == scope
        }
        return tuple(sorted(found & outputs))

    def _lines(self) -> list[PrecedentLine]:
        found = (self._line(row) for _, row in self._rows("knowledge"))
        return sorted(found, key=_age, reverse=True)

    def _rejections(self) -> list[Fields]:
        return [_fields("reuse_rejections", row) for _, row in self._rows("reuse_rejections")]

    def _line(self, row: Row) -> PrecedentLine:
        fields = _fields("knowledge", row)
        is_deprecated = any(
            each["decision_id"] == fields["decision_id"]
            and each["output_digest"] == fields["output_digest"]
            and each["scope"] == fields["scope"]
            and cast("int", each["rejections"]) >= cast("int", fields["quorum"])
            for each in self._rejections()
        )
        evidence = self._evidence(fields)
        return precedent_line(*cast("list[Any]", [*row, is_deprecated, evidence]))

    def _evidence(self, fields: Fields) -> list[str]:
        rows = (_fields("evidence", row) for _, row in self._rows("evidence"))
        return sorted(
            {
                cast("str", each["digest"])
                for each in rows
                if each["is_own_list"]
                and (each["task_id"], each["candidate_id"])
                == (fields["task_id"], fields["candidate_id"])
            }
        )

    def _rows(self, table: str) -> Iterator[tuple[str, Row]]:
        """Yield the rows of a table, each with the scope of its task."""
        for group in self.source.groups.values():
            for row in group.rows.get(table, ()):
                yield group.scope, row


def _fields(table: str, row: Row) -> Fields:
    return dict(zip(TABLES[table].columns, row, strict=True))


def _key(scope: str, fields: Fields) -> ReputationKey:
    provider, model = cast("str", fields["provider"]), cast("str", fields["model"])
    return ReputationKey(scope, NodeId(cast("bytes", fields["node"])), provider, model)


def _order(key: ReputationKey) -> tuple[object, ...]:
    return key.scope.encode(), key.node, key.provider.encode(), key.model.encode()


def _age(line: PrecedentLine) -> tuple[int, bytes, int, bytes]:
    return line.decided_at, line.task_id, line.epoch, line.pin


def _sum(key: ReputationKey, found: list[Fields], now_ms: int) -> ReputationLine:
    due = [fields for fields in found if cast("int", fields["due_at"]) <= now_ms]
    later = [fields for fields in found if cast("int", fields["due_at"]) > now_ms]
    return ReputationLine(
        key=key,
        settled=len(due),
        stability=_total(due, "stability"),
        quality=_total(due, "quality"),
        pending=len(later),
        pending_stability=_total(later, "stability"),
        pending_quality=_total(later, "quality"),
        agreed=sum(fields["agrees"] is True for fields in found),
        bad=sum(fields["is_bad"] is True for fields in found),
    )


def _total(found: list[Fields], name: str) -> int:
    return sum(cast("int", fields[name]) for fields in found)
