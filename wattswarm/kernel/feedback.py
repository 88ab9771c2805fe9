"""The rule of feedback: the settlement authority's word that an answer turned out to be bad.

The authority is a key that the contract names, by default the creator's. Feedback comes when the
work is done, so the task's expiry does not end it; whether it came within the settlement window is
asked where reputation is worked out (`reputation`), never here.
"""

from wattswarm.kernel.payloads.feedback import TaskFeedbackReported
from wattswarm.kernel.records import Feedback
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, find, ignored, in_epoch, waits
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Need, On


def judge(entry: Entry[TaskFeedbackReported], state: TaskState) -> Hold | None:
    """Return why feedback has no effect, or None."""
    if not state.is_effective:
        return waits(Need(On.EVENT, state.task_id))
    event, said = entry.event, entry.payload
    hold = in_epoch(event, state)
    if hold is not None:
        return hold
    candidate = find(state.candidates, said.candidate, state)
    if isinstance(candidate, Hold):
        return candidate
    if event.created_at <= candidate.created_at:
        return ignored("date_order", said.candidate)
    if event.author != state.terms.settlement.authority:
        return ignored("not_authority")
    if candidate.label.epoch != event.epoch:
        return ignored("wrong_epoch", said.candidate)
    return None


def apply(entry: Entry[TaskFeedbackReported], state: TaskState) -> Provided:
    """Write what the authority said."""
    event, said = entry.event, entry.payload
    state.feedback[event.event_id] = Feedback(
        event_id=event.event_id,
        created_at=event.created_at,
        label=state.candidates[said.candidate].label,
        candidate=said.candidate,
        outcome=said.outcome,
        reason=said.reason,
    )
    return ()


RULES = (
    Rule(
        TaskFeedbackReported.kind,
        "the settlement authority of the contract",
        judge,
        apply,
        in_task=False,
    ),
)
