"""What a task's creator said about claims, candidates and payments, as people read it; pure."""

from wattswarm.kernel import json_text
from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import RECEIPT_BYTES_MAX
from wattswarm.kernel.market import awaits_approval, completion_of, is_declined
from wattswarm.kernel.records import Completion, Settlement
from wattswarm.kernel.state import TaskState
from wattswarm.surface.market import ApprovalWord, CompletionView, SettlementView
from wattswarm.surface.words import when


def approval_word(state: TaskState, claim: EventId) -> ApprovalWord | None:
    """Return what the creator said of a claim; None where its contract does not ask for that."""
    if state.terms.allocator is not Allocator.CREATOR:
        return None
    if is_declined(state, claim):
        return "declined"
    return "awaited" if awaits_approval(state, claim) else "approved"


def completion_views(state: TaskState) -> tuple[CompletionView, ...]:
    """Return the creator's words on candidates that stand, by date."""
    named = {each.candidate for each in state.completions.values()}
    standing = (completion_of(state, name) for name in named)
    found = [said for said in standing if said is not None]
    return tuple(map(_completion, sorted(found, key=lambda said: (said.created_at, said.event_id))))


def _completion(said: Completion) -> CompletionView:
    return CompletionView(
        candidate_id=said.candidate.hex(),
        is_accepted=said.is_approved,
        is_retry_requested=said.is_retry_requested,
        reason=said.reason or "",
        created_at=when(said.created_at),
    )


def settlement_views(state: TaskState) -> tuple[SettlementView, ...]:
    """Return the payments, by date."""
    paid = sorted(state.settlements.values(), key=lambda each: (each.created_at, each.event_id))
    return tuple(_settlement(each, state) for each in paid)


def _settlement(paid: Settlement, state: TaskState) -> SettlementView:
    claim = state.claims[paid.claim]
    return SettlementView(
        claim_id=paid.claim.hex(),
        node_id=claim.author.hex(),
        executor=claim.executor,
        receipt=_receipt(paid.receipt),
        created_at=when(paid.created_at),
    )


def _receipt(text: str | None) -> object:
    """Return what a receipt says; one that is no JSON, as another program may sign it, as text."""
    if text is None:
        return None
    try:
        return json_text.parse(text, bytes_max=RECEIPT_BYTES_MAX)
    except Malformed:
        return text
