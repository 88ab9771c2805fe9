"""What a task's creator says about claims, about candidates, and about payment.

Only the creator says it, about something that is there and took effect, and nothing twice: an
approval or a payment, once given, stands. What has been said already needs no event.
"""

from typing import Final

from wattswarm.kernel import json_text
from wattswarm.kernel.decide.gate import (
    Signings,
    draft,
    effective,
    held_claim,
    not_workable,
    refuse,
    refuse_word,
)
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import EventId, NodeId, short
from wattswarm.kernel.limits import RECEIPT_BYTES_MAX
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.market import completion_of, is_declined
from wattswarm.kernel.payloads import (
    Payload,
    TaskClaimDecided,
    TaskCompletionDecided,
    TaskSettled,
)
from wattswarm.kernel.records import Candidate, Claim
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import state_word

UNTOLD: Final = frozenset({"pending", "void", "unsupported", "expired"})
"""The words of a task about which its creator can say nothing that takes effect."""


def decide_claim(
    state: TaskState,
    me: NodeId,
    claim_id: EventId,
    now_ms: int,
    *,
    is_approved: bool,
    reason: str | None = None,
) -> Signings | Rejection:
    """Return the creator's word on a claim; only an approval has an effect, and it stays."""
    refusal = not_workable(state, now_ms) or _not_creator(state, me)
    if refusal is not None:
        return refusal
    held = held_claim(state, claim_id)
    if isinstance(held, Rejection):
        return held
    if claim_id in state.approved:
        return () if is_approved else refuse("already_approved", f"claim {short(claim_id)}")
    if not is_approved and is_declined(state, claim_id):
        return ()
    payload = TaskClaimDecided(claim=claim_id, approved=is_approved, reason=reason)
    return _said(state, me, payload, held, now_ms)


def decide_completion(
    state: TaskState,
    me: NodeId,
    candidate_id: EventId,
    now_ms: int,
    *,
    is_approved: bool,
    is_retry_requested: bool = False,
    reason: str | None = None,
) -> Signings | Rejection:
    """Return the creator's word on a candidate as an answer to what it asked for.

    It touches nothing else: what is final is counted elsewhere.
    """
    refusal = _not_to_be_told(state, now_ms) or _not_creator(state, me)
    if refusal is not None:
        return refusal
    candidate = state.candidates.get(candidate_id)
    if candidate is None:
        return refuse("unknown_candidate", short(candidate_id))
    if is_approved and is_retry_requested:
        return refuse("inconsistent", "who takes an answer asks for no other")
    said = completion_of(state, candidate_id)
    if said is not None and said.is_approved:
        return () if is_approved else refuse("already_approved", f"candidate {short(candidate_id)}")
    if said is not None and not is_approved and said.is_retry_requested >= is_retry_requested:
        return ()
    payload = TaskCompletionDecided(
        candidate=candidate_id,
        approved=is_approved,
        retry_requested=is_retry_requested or None,
        reason=reason,
    )
    return _said(state, me, payload, candidate, now_ms)


def settle(
    state: TaskState, me: NodeId, claim_id: EventId, now_ms: int, *, receipt: object = None
) -> Signings | Rejection:
    """Return the creator's word that the work under a claim is paid; a claim is paid once.

    Args:
        receipt: Anything that JSON can hold, of whatever kind the two agreed on.
    """
    refusal = _not_to_be_told(state, now_ms) or _not_creator(state, me)
    if refusal is not None:
        return refusal
    held = held_claim(state, claim_id)
    if isinstance(held, Rejection):
        return held
    try:
        text = _receipt_text(receipt)
    except Malformed as error:
        return refuse(error.code, error.message, path=error.path)
    paid = [each.receipt for each in state.settlements.values() if each.claim == claim_id]
    if paid:
        return () if text in paid else refuse("already_settled", f"claim {short(claim_id)}")
    return _said(state, me, TaskSettled(claim=claim_id, receipt=text), held, now_ms)


def _not_to_be_told(state: TaskState, now_ms: int) -> Rejection | None:
    word = state_word(state, now_ms)
    return refuse_word(word) if word in UNTOLD else None


def _not_creator(state: TaskState, me: NodeId) -> Rejection | None:
    return None if me == state.creator else refuse("not_creator")


def _receipt_text(receipt: object) -> str | None:
    """Return a receipt as it is signed.

    Raises:
        Malformed: `bad_json` or `too_large`.
    """
    if receipt is None:
        return None
    text = json_text.write(receipt, "$.receipt")
    size = len(text.encode())
    if size > RECEIPT_BYTES_MAX:
        message = f"{size} bytes of JSON, at most {RECEIPT_BYTES_MAX}"
        raise Malformed(code="too_large", path="$.receipt", message=message)
    return text


def _said(
    state: TaskState, me: NodeId, payload: Payload, about: Claim | Candidate, now_ms: int
) -> Signings | Rejection:
    made = draft(state, payload, me, now_ms, about.created_at, epoch=about.label.epoch)
    return effective(state, [Signing(made)], me)
