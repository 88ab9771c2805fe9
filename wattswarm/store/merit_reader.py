"""Reads what many tasks come to together: reputation, precedents, rejected repetitions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.ids import Digest, EventId, NodeId, TaskId
from wattswarm.kernel.knowledge import Question
from wattswarm.kernel.limits import CREATED_AT_MAX
from wattswarm.store.connection import Connection, translated
from wattswarm.store.queries import load

MERIT: Final = load("merit")
ALWAYS: Final = CREATED_AT_MAX + 1


@attrs.frozen
class ReputationKey:
    """Whose reputation: a node's, in a scope, for what it did with a provider's model."""

    scope: str
    node: NodeId
    provider: str
    model: str


@attrs.frozen(kw_only=True)
class ReputationLine:
    """Exact sums in units of 1/10 000 point, and over how many contributions; pending ones apart.

    `agreed` and `bad` count contributions, due or not: votes that agreed with an outcome, and those
    on outcomes that were found bad.
    """

    key: ReputationKey
    settled: int
    stability: int
    quality: int
    pending: int
    pending_stability: int
    pending_quality: int
    agreed: int
    bad: int


@attrs.frozen(kw_only=True)
class PrecedentLine:
    """A precedent in a list; `is_deprecated`: enough verifiers rejected a repetition of it."""

    task_id: TaskId
    epoch: int
    pin: Digest
    candidate: EventId
    decision: EventId
    scope: str
    question: Question
    policy_id: str
    output_digest: str
    output_size_bytes: int
    output_mime: str
    quorum: int
    approvals: int
    rejections: int
    decided_at: int
    is_bad: bool
    summary: str | None
    reuse_of: EventId | None
    is_deprecated: bool
    evidence: tuple[str, ...] = ()
    """Digests of the answer's own evidence."""

    @property
    def is_sound(self) -> bool:
        """Whether the answer may be repeated as it is."""
        return not self.is_bad and not self.is_deprecated


@attrs.frozen
class Comparable:
    """A precedent that nothing speaks against, before it is known whether it is alike."""

    task_id: TaskId
    decision: EventId
    decided_at: int


@attrs.frozen
class PrecedentCursor:
    """The last precedent of a page; the next page has older ones."""

    decided_at: int
    task_id: TaskId
    epoch: int


@attrs.frozen
class MeritReader:
    """Reads through a connection that somebody else owns, on that one's thread."""

    connection: Connection

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
        values = {
            "now_ms": now_ms,
            "limit": limit,
            "scope": scope,
            "node": node,
            "after_scope": None if after is None else after.scope,
            "after_node": None if after is None else after.node,
            "after_provider": None if after is None else after.provider,
            "after_model": None if after is None else after.model,
        }
        with translated():
            rows = self.connection.execute(MERIT["reputation"], values, binary=True)
            return tuple(
                _reputation(ReputationKey(scope, NodeId(node), provider, model), sums)
                for scope, node, provider, model, *sums in rows
            )

    def precedents(
        self,
        *,
        limit: int,
        scope: str | None = None,
        task_type: str | None = None,
        before: PrecedentCursor | None = None,
    ) -> tuple[PrecedentLine, ...]:
        """Return the newest precedents, or those older than a cursor; given filters must fit."""
        values = {
            "limit": limit,
            "scope": scope,
            "task_type": task_type,
            "before_at": None if before is None else before.decided_at,
            "before_id": None if before is None else before.task_id,
            "before_epoch": None if before is None else before.epoch,
        }
        return self._lines("precedents", values)

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
        values = {
            "limit": limit,
            "scope": scope,
            "task_type": question.task_type,
            "input_digest": question.inputs,
            "schema_digest": question.schema,
            "policy_hash": question.policy,
            "not_task": not_task,
            "until_ms": until_ms,
        }
        return self._lines("answers", values)

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
        values = {
            "limit": limit,
            "scope": scope,
            "task_type": task_type,
            "not_task": not_task,
            "until_ms": until_ms,
        }
        with translated():
            rows = self.connection.execute(MERIT["comparable"], values, binary=True)
            return tuple(
                Comparable(EventId(task_id), EventId(decision), decided_at)
                for task_id, decision, decided_at in rows
            )

    def named(self, decisions: Collection[EventId], scope: str) -> tuple[PrecedentLine, ...]:
        """Return the precedents that these decisions of a scope made, the newest first."""
        return self._lines("named", {"decisions": list(decisions), "scope": scope})

    def rejected_outputs(self, lines: Collection[PrecedentLine], scope: str) -> tuple[str, ...]:
        """Return the outputs of these precedents that were rejected as repetitions, in a scope."""
        values = {
            "decisions": [line.decision for line in lines],
            "outputs": [line.output_digest for line in lines],
            "scope": scope,
        }
        with translated():
            rows = self.connection.execute(MERIT["rejected_outputs"], values, binary=True)
            return tuple(digest for (digest,) in rows)

    def _lines(self, query: str, values: Mapping[str, object]) -> tuple[PrecedentLine, ...]:
        with translated():
            rows = self.connection.execute(MERIT[query], values, binary=True)
            return tuple(precedent_line(*row) for row in rows)


def _reputation(key: ReputationKey, sums: Collection[object]) -> ReputationLine:
    names = (field.name for field in attrs.fields(ReputationLine) if field.name != "key")
    whole = {name: int(str(value)) for name, value in zip(names, sums, strict=True)}
    return ReputationLine(key=key, **whole)


def precedent_line(
    task_id: bytes,
    epoch: int,
    pin: bytes,
    candidate: bytes,
    decision: bytes,
    scope: str,
    task_type: str,
    inputs: str,
    schema: str,
    policy_id: str,
    policy: bytes,
    output_digest: str,
    output_size_bytes: int,
    output_mime: str,
    quorum: int,
    approvals: int,
    rejections: int,
    decided_at: int,
    is_bad: bool,
    summary: str | None,
    reuse_of: bytes | None,
    is_deprecated: bool,
    evidence: Sequence[str],
) -> PrecedentLine:
    """Return a line from the columns of the view `precedents`."""
    return PrecedentLine(
        task_id=EventId(task_id),
        epoch=epoch,
        pin=Digest(pin),
        candidate=EventId(candidate),
        decision=EventId(decision),
        scope=scope,
        question=Question(task_type, inputs, schema, Digest(policy)),
        policy_id=policy_id,
        output_digest=output_digest,
        output_size_bytes=output_size_bytes,
        output_mime=output_mime,
        quorum=quorum,
        approvals=approvals,
        rejections=rejections,
        decided_at=decided_at,
        is_bad=is_bad,
        summary=summary,
        reuse_of=None if reuse_of is None else EventId(reuse_of),
        is_deprecated=is_deprecated,
        evidence=tuple(evidence),
    )
