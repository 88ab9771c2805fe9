"""Saying, as a task's settlement authority, that a final answer turned out to be bad."""

from wattswarm.kernel.decide.gate import Signings, draft, effective, refuse
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import NodeId, short
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads.feedback import FeedbackWord, TaskFeedbackReported
from wattswarm.kernel.records import Candidate, Outcome
from wattswarm.kernel.reputation import due_at
from wattswarm.kernel.state import TaskState


def feedback(
    state: TaskState, me: NodeId, now_ms: int, *, reason: str, epoch: int | None = None
) -> Signings | Rejection:
    """Return the word that an epoch's answer is bad; nothing when that has been said.

    Args:
        epoch: By default the newest epoch that is final.
    """
    outcome = _outcome(state, epoch)
    if outcome is None:
        return refuse("not_final", "" if epoch is None else f"epoch {epoch}")
    if me != state.terms.settlement.authority:
        return refuse("not_authority", short(state.terms.settlement.authority))
    candidate = state.candidates.get(outcome.candidate)
    if candidate is None:
        return refuse("unknown_candidate", short(outcome.candidate))
    end_ms = due_at(state, outcome.label)
    if now_ms > end_ms:
        return refuse("window_closed", f"{now_ms - end_ms} ms ago")
    return _said(state, me, candidate, now_ms, reason)


def _outcome(state: TaskState, epoch: int | None) -> Outcome | None:
    final = [each for each in state.outcomes if epoch in (None, each.label.epoch)]
    return max(final, key=lambda each: each.label.epoch, default=None)


def _said(
    state: TaskState, me: NodeId, candidate: Candidate, now_ms: int, reason: str
) -> Signings | Rejection:
    if any(said.candidate == candidate.event_id for said in state.feedback.values()):
        return ()
    payload = TaskFeedbackReported(
        candidate=candidate.event_id, outcome=FeedbackWord.BAD, reason=reason
    )
    made = draft(state, payload, me, now_ms, candidate.created_at, epoch=candidate.label.epoch)
    return effective(state, [Signing(made)], me)
