"""The rules of the market: the creator's word on a candidate, and on paying for a claim's work.

They have records of their own and touch no decision: who is right about an answer is counted
elsewhere. What of several words on one thing stands is a view: yes before no, since a yes is not
taken back.
"""

from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads.market import TaskCompletionDecided, TaskSettled
from wattswarm.kernel.records import Candidate, Claim, Completion, Settlement
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, find, ignored
from wattswarm.kernel.state import TaskState


def judge_completion(entry: Entry[TaskCompletionDecided], state: TaskState) -> Hold | None:
    """Return why the word on a candidate has no effect, or None."""
    candidate = find(state.candidates, entry.payload.candidate, state)
    return candidate if isinstance(candidate, Hold) else _by_creator(candidate, entry.event, state)


def apply_completion(entry: Entry[TaskCompletionDecided], state: TaskState) -> Provided:
    """Write what the creator said."""
    event, decided = entry.event, entry.payload
    state.completions[event.event_id] = Completion(
        event_id=event.event_id,
        created_at=event.created_at,
        candidate=decided.candidate,
        is_approved=decided.approved,
        is_retry_requested=decided.retry_requested is True,
        reason=decided.reason,
    )
    return ()


def judge_settlement(entry: Entry[TaskSettled], state: TaskState) -> Hold | None:
    """Return why a settlement has no effect, or None."""
    claim = find(state.claims, entry.payload.claim, state)
    return claim if isinstance(claim, Hold) else _by_creator(claim, entry.event, state)


def apply_settlement(entry: Entry[TaskSettled], state: TaskState) -> Provided:
    """Write that the work under a claim is paid."""
    event, settled = entry.event, entry.payload
    state.settlements[event.event_id] = Settlement(
        event_id=event.event_id,
        created_at=event.created_at,
        claim=settled.claim,
        receipt=settled.receipt,
    )
    return ()


def _by_creator(named: Candidate | Claim, event: Event, state: TaskState) -> Hold | None:
    if event.created_at <= named.created_at:
        return ignored("date_order", named.event_id)
    if event.author != state.creator:
        return ignored("not_creator")
    return ignored("wrong_epoch", named.event_id) if event.epoch != named.label.epoch else None


RULES = (
    Rule(TaskCompletionDecided.kind, "the creator of the task", judge_completion, apply_completion),
    Rule(TaskSettled.kind, "the creator of the task", judge_settlement, apply_settlement),
)


# --- what stands --------------------------------------------------------------------------------


def completion_of(state: TaskState, candidate: EventId) -> Completion | None:
    """Return the creator's word on a candidate that stands, if it said one."""
    said = (each for each in state.completions.values() if each.candidate == candidate)
    return max(said, key=_precedence, default=None)


def _precedence(said: Completion) -> tuple[bool, bool, int, EventId]:
    return said.is_approved, said.is_retry_requested, said.created_at, said.event_id


def is_declined(state: TaskState, claim: EventId) -> bool:
    """Tell whether the creator said no to a claim, and never yes."""
    said = (each.claim == claim for each in state.claim_decisions.values())
    return claim not in state.approved and any(said)


def awaits_approval(state: TaskState, claim: EventId) -> bool:
    """Tell whether a claim has no lease because the creator has not said yes to it."""
    is_needed = state.terms.allocator is Allocator.CREATOR
    return is_needed and claim not in state.approved
