"""How answers turned out, as people read it: pure."""

from collections.abc import Iterable

from wattswarm.actors.precedents import Found
from wattswarm.kernel.knowledge import Precedent, may_reuse, precedents
from wattswarm.kernel.reputation import clamped, contributions, due_at
from wattswarm.kernel.state import TaskState
from wattswarm.operations.event_view import hex_or_none
from wattswarm.store.merit_reader import PrecedentLine, ReputationLine
from wattswarm.surface.merit import (
    PrecedentView,
    ReputationView,
    SimilarFound,
    SimilarView,
    TaskKnowledge,
)
from wattswarm.surface.task import ContributionView, FeedbackView, ReuseRejectionView
from wattswarm.surface.words import when


def feedback_views(state: TaskState) -> tuple[FeedbackView, ...]:
    """Return what the authority said, by date."""
    said = sorted(state.feedback.values(), key=lambda each: (each.created_at, each.event_id))
    return tuple(
        FeedbackView(
            event_id=each.event_id.hex(),
            epoch=each.label.epoch,
            candidate_id=each.candidate.hex(),
            outcome=each.outcome.value,
            reason=each.reason,
            created_at=when(each.created_at),
            in_time=each.created_at <= due_at(state, each.label),
        )
        for each in said
    )


def contribution_views(state: TaskState, now_ms: int) -> tuple[ContributionView, ...]:
    """Return what the votes on a task's answers come to, by epoch and node."""
    found = sorted(contributions(state), key=lambda each: (each.epoch, each.node))
    return tuple(
        ContributionView(
            epoch=each.epoch,
            node_id=each.node.hex(),
            vote_id=each.vote.hex(),
            candidate_id=each.candidate.hex(),
            provider=each.provider,
            model=each.model,
            agrees=each.agrees,
            is_bad=each.is_bad,
            stability_units=each.stability,
            quality_units=each.quality,
            due_at=when(each.due_at),
            is_due=each.due_at <= now_ms,
        )
        for each in found
    )


def rejection_views(state: TaskState) -> tuple[ReuseRejectionView, ...]:
    """Return the rejected repetitions of a task, by date."""
    found = sorted(
        state.reuse_rejections.values(), key=lambda each: (each.created_at, each.event_id)
    )
    return tuple(
        ReuseRejectionView(
            event_id=each.event_id.hex(),
            node_id=each.author.hex(),
            epoch=each.label.epoch,
            candidate_id=each.candidate.hex(),
            decision_id=each.decision.hex(),
            output_digest=each.output_digest,
            rejections=each.rejections,
            reason_codes=each.reason_codes,
            created_at=when(each.created_at),
        )
        for each in found
    )


def task_knowledge(state: TaskState, now_ms: int, lines: Iterable[PrecedentLine]) -> TaskKnowledge:
    """Return what a task left behind; `lines` say which of it other tasks rejected."""
    deprecated = {line.decision for line in lines if line.is_deprecated}
    return TaskKnowledge(
        task_id=state.task_id.hex(),
        precedents=tuple(
            _own(state, each, is_deprecated=each.decision in deprecated)
            for each in precedents(state)
        ),
        feedback=feedback_views(state),
        contributions=contribution_views(state, now_ms),
        reuse_rejections=rejection_views(state),
    )


def _own(state: TaskState, each: Precedent, *, is_deprecated: bool) -> PrecedentView:
    return precedent_view(
        PrecedentLine(
            task_id=state.task_id,
            epoch=each.label.epoch,
            pin=each.label.pin,
            candidate=each.candidate,
            decision=each.decision,
            scope=state.scope or "",
            question=each.question,
            policy_id=each.policy_id,
            output_digest=each.output.digest,
            output_size_bytes=each.output.size_bytes,
            output_mime=each.output.mime,
            quorum=each.quorum,
            approvals=each.approvals,
            rejections=each.rejections,
            decided_at=each.decided_at,
            is_bad=each.is_bad,
            summary=each.summary,
            reuse_of=each.reuse_of,
            is_deprecated=is_deprecated,
        )
    )


def precedent_view(line: PrecedentLine) -> PrecedentView:
    """Return a precedent."""
    return PrecedentView(
        task_id=line.task_id.hex(),
        epoch=line.epoch,
        pin=line.pin.hex(),
        scope=line.scope,
        task_type=line.question.task_type,
        candidate_id=line.candidate.hex(),
        decision_id=line.decision.hex(),
        input_digest=line.question.inputs,
        schema_digest=line.question.schema,
        policy_id=line.policy_id,
        policy_hash=line.question.policy.hex(),
        output_digest=line.output_digest,
        output_size_bytes=line.output_size_bytes,
        output_mime=line.output_mime,
        summary=line.summary or "",
        quorum=line.quorum,
        approvals=line.approvals,
        rejections=line.rejections,
        decided_at=when(line.decided_at),
        is_bad=line.is_bad,
        is_deprecated=line.is_deprecated,
        reuse_of=hex_or_none(line.reuse_of),
    )


def similar_found(state: TaskState, found: Found, now_ms: int) -> SimilarFound:
    """Return what was decided before on a task's question, and on like ones."""
    return SimilarFound(
        task_id=state.task_id.hex(),
        exact=tuple(map(precedent_view, found.exact)),
        similar=tuple(
            SimilarView(precedent=precedent_view(hit.line), resemblance_bp=hit.resemblance_bp)
            for hit in found.similar
        ),
        rejected_outputs=tuple(sorted(found.rejected)),
        may_reuse=found.repeatable is not None and may_reuse(state, now_ms),
    )


def reputation_view(line: ReputationLine) -> ReputationView:
    """Return a line of reputation, its sums as they are shown."""
    return ReputationView(
        scope=line.key.scope,
        node_id=line.key.node.hex(),
        provider=line.key.provider,
        model=line.key.model,
        settled=line.settled,
        stability_units=clamped(line.stability),
        quality_units=clamped(line.quality),
        pending=line.pending,
        pending_stability_units=clamped(line.pending_stability),
        pending_quality_units=clamped(line.pending_quality),
        agreed=line.agreed,
        bad=line.bad,
    )
