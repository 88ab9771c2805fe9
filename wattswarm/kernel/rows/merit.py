"""Rows of how answers turned out: feedback, contributions, precedents, rejected repetitions."""

from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.knowledge import precedents
from wattswarm.kernel.reputation import contributions
from wattswarm.kernel.rows.table import Row, codes_text, table
from wattswarm.kernel.state import TaskState


def _feedback(state: TaskState) -> Iterator[Row]:
    for said in state.feedback.values():
        yield (
            state.task_id,
            said.event_id,
            said.label.epoch,
            said.label.pin,
            said.candidate,
            said.created_at,
            said.outcome.value,
            said.reason,
        )


def _contributions(state: TaskState) -> Iterator[Row]:
    for each in contributions(state):
        yield (
            state.task_id,
            each.epoch,
            each.node,
            each.label.pin,
            each.candidate,
            each.vote,
            each.provider,
            each.model,
            each.agrees,
            each.is_bad,
            each.due_at,
            each.stability,
            each.quality,
        )


def _knowledge(state: TaskState) -> Iterator[Row]:
    for each in precedents(state):
        yield (
            state.task_id,
            each.label.epoch,
            each.label.pin,
            each.candidate,
            each.decision,
            state.scope,
            each.question.task_type,
            each.question.inputs,
            each.question.schema,
            each.policy_id,
            each.question.policy,
            each.output.digest,
            each.output.size_bytes,
            each.output.mime,
            each.quorum,
            each.approvals,
            each.rejections,
            each.decided_at,
            each.is_bad,
            each.summary,
            each.reuse_of,
        )


def _reuse_rejections(state: TaskState) -> Iterator[Row]:
    for each in state.reuse_rejections.values():
        yield (
            state.task_id,
            each.event_id,
            each.author,
            each.label.epoch,
            each.label.pin,
            each.candidate,
            each.decision,
            state.scope,
            each.output_digest,
            each.created_at,
            each.rejections,
            codes_text(each.reason_codes),
        )


TABLES: Final = (
    table(
        "feedback",
        "task_id bytes, feedback_id bytes, epoch uint, pin bytes, candidate_id bytes,"
        "created_at uint, outcome text, reason text",
        2,
        _feedback,
    ),
    table(
        "contributions",
        "task_id bytes, epoch uint, node bytes, pin bytes, candidate_id bytes, vote_id bytes,"
        "provider text, model text, agrees bool, is_bad bool, due_at uint, stability int,"
        "quality int",
        3,
        _contributions,
    ),
    table(
        "knowledge",
        "task_id bytes, epoch uint, pin bytes, candidate_id bytes, decision_id bytes, scope text,"
        "task_type text, input_digest text, schema_digest text, policy_id text, policy_hash bytes,"
        "output_digest text, output_size_bytes uint, output_mime text, quorum uint,"
        "approvals uint, rejections uint, decided_at uint, is_bad bool, summary text?,"
        "reuse_of bytes?",
        3,
        _knowledge,
    ),
    table(
        "reuse_rejections",
        "task_id bytes, rejection_id bytes, author bytes, epoch uint, pin bytes,"
        "candidate_id bytes, decision_id bytes, scope text, output_digest text, created_at uint,"
        "rejections uint, reason_codes text",
        2,
        _reuse_rejections,
    ),
)
