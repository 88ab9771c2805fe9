"""What was decided about a task, on what grounds, and how final it is; pure but for the body."""

from collections.abc import Callable
from typing import TypeAlias, cast

from wattswarm.kernel import json_text
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import EventId, short
from wattswarm.kernel.limits import JSON_CHECKED_BYTES_MAX
from wattswarm.kernel.records import Candidate
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import state_word
from wattswarm.operations.task_view import (
    Moment,
    candidate_view,
    chosen_candidate,
    finality_views,
)
from wattswarm.surface.task import DecisionView, FinalityView, TaskWord
from wattswarm.surface.words import Time, when

ReadBody: TypeAlias = Callable[[ArtifactRef], bytes | None]
"""Returns the verified body, or None when it is not here."""


def decision_view(
    state: TaskState, moment: Moment, read_body: ReadBody
) -> DecisionView | Rejection:
    """Return what was decided; `not_decided` while nothing is, or while it is not known here."""
    word = state_word(state, moment.now_ms)
    name = chosen_candidate(state)
    if name is None:
        return Rejection(
            code="not_decided",
            message=f"nothing is decided yet: the task is {word}; see `task explain`",
            details={"state": word},
        )
    candidate = state.candidates.get(name)
    if candidate is None:
        message = f"the task is {word} with candidate {short(name)}, which has not arrived here yet"
        return Rejection(code="not_decided", message=message, details={"state": word})
    return _decided(state, candidate, moment, read_body)


def _decided(
    state: TaskState, candidate: Candidate, moment: Moment, read_body: ReadBody
) -> DecisionView:
    shown = candidate_view(state, candidate, moment)
    decision = state.decision
    is_its_own = decision is not None and decision.candidate == candidate.event_id
    return DecisionView(
        task_id=state.task_id.hex(),
        state=cast("TaskWord", state_word(state, moment.now_ms)),
        epoch=candidate.label.epoch,
        candidate_id=shown.candidate_id,
        decision_id=decision.event_id.hex() if decision is not None and is_its_own else None,
        executor=candidate.executor,
        node_id=shown.node_id,
        output=shown.output,
        output_json=_output(candidate.output, read_body),
        evidence=shown.evidence,
        summary=shown.summary,
        approvals=shown.approvals,
        rejections=shown.rejections,
        median_score_bp=shown.median_score_bp,
        finality=_finality(state, candidate.event_id),
        decided_at=_decided_at(state, candidate.event_id),
    )


def _decided_at(state: TaskState, candidate: EventId) -> Time | None:
    dates = (item.created_at for item in state.decisions.values() if item.candidate == candidate)
    first = min(dates, default=None)
    return None if first is None else when(first)


def _finality(state: TaskState, candidate: EventId) -> FinalityView | None:
    views = (view for view in finality_views(state) if view.candidate_id == candidate.hex())
    return next(views, None)


def _output(ref: ArtifactRef, read_body: ReadBody) -> object:
    """Return the output as JSON, where it is some, is here and is small; else None."""
    if "json" not in ref.mime or ref.size_bytes > JSON_CHECKED_BYTES_MAX:
        return None
    body = read_body(ref)
    if body is None:
        return None
    try:
        return json_text.parse(body, bytes_max=JSON_CHECKED_BYTES_MAX)
    except Malformed:
        return None
