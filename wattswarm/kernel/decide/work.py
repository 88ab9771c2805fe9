"""What work under a claim ends with: a candidate, confirmations, a result, or an error."""

from collections.abc import Sequence
from typing import TypeAlias

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.decide.gate import (
    Signings,
    draft,
    effective,
    held_claim,
    not_to_be_finished,
    refuse,
)
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import Digest, EventId, short
from wattswarm.kernel.limits import REASON_BYTES_MAX
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads import (
    CandidateProposed,
    EvidenceAdded,
    EvidenceAvailable,
    Payload,
    Status,
    TaskError,
    VerifierResultSubmitted,
)
from wattswarm.kernel.records import Candidate, Claim
from wattswarm.kernel.state import TaskState

Proofs: TypeAlias = "Sequence[tuple[str, Digest]]"
"""Digests of evidence, each with this node's proof that it held the body."""


def propose(
    state: TaskState,
    claim_id: EventId,
    output: ArtifactRef,
    evidence: Sequence[ArtifactRef],
    summary: str | None,
    now_ms: int,
    *,
    reuse_of: EventId | None = None,
) -> Signings | Rejection:
    """Return the candidate that the work under a claim has made; its bodies are stored already."""
    held = _open_claim(state, claim_id, now_ms)
    if isinstance(held, Rejection):
        return held
    payload = CandidateProposed(
        claim=claim_id,
        output=output,
        evidence=tuple(evidence),
        summary=summary,
        reuse_of=reuse_of,
    )
    made = draft(state, payload, held.author, now_ms, held.created_at, epoch=held.label.epoch)
    return effective(state, [Signing(made)], held.author)


def add_evidence(
    state: TaskState, candidate_id: EventId, evidence: Sequence[ArtifactRef], now_ms: int
) -> Signings | Rejection:
    """Return more evidence for this node's own candidate."""
    candidate = _open_candidate(state, candidate_id, now_ms)
    if isinstance(candidate, Rejection):
        return candidate
    payload = EvidenceAdded(candidate=candidate_id, evidence=tuple(evidence))
    made = draft(
        state,
        payload,
        candidate.author,
        now_ms,
        candidate.created_at,
        epoch=candidate.label.epoch,
    )
    return effective(state, [Signing(made)], candidate.author)


def confirm(
    state: TaskState, claim_id: EventId, candidate_id: EventId, proofs: Proofs, now_ms: int
) -> Signings | Rejection:
    """Return this node's word that it held pieces of a candidate's evidence."""
    pair = _verification(state, claim_id, candidate_id, now_ms)
    if isinstance(pair, Rejection):
        return pair
    return _series(state, _confirmed(pair[0], pair[1], proofs), pair[0], pair[1], now_ms)


def submit_result(
    state: TaskState,
    claim_id: EventId,
    candidate_id: EventId,
    status: Status,
    score_bp: int,
    reason_codes: Sequence[int],
    provider: str,
    model: str,
    confirmations: Proofs,
    now_ms: int,
) -> Signings | Rejection:
    """Return the result of a verification, and first the confirmations of the evidence it held."""
    pair = _verification(state, claim_id, candidate_id, now_ms)
    if isinstance(pair, Rejection):
        return pair
    result = VerifierResultSubmitted(
        claim=claim_id,
        candidate=candidate_id,
        status=status,
        score_bp=score_bp,
        reason_codes=tuple(reason_codes),
        provider=provider,
        model=model,
    )
    said = [*_confirmed(pair[0], pair[1], confirmations), result]
    return _series(state, said, pair[0], pair[1], now_ms)


def report_error(
    state: TaskState,
    claim_id: EventId,
    reason: str,
    reason_codes: Sequence[int],
    message: str,
    now_ms: int,
) -> Signings | Rejection:
    """Return the error that ends the work under a claim: one per claim, with or without a lease.

    A message that is too long for an event is cut.
    """
    held = _open_claim(state, claim_id, now_ms)
    if isinstance(held, Rejection):
        return held
    if any(error.claim == claim_id for error in state.errors.values()):
        return refuse("already_reported", short(claim_id))
    payload = TaskError(
        claim=claim_id,
        reason=reason,
        reason_codes=tuple(reason_codes),
        message=_clipped(message),
    )
    made = draft(state, payload, held.author, now_ms, held.created_at, epoch=held.label.epoch)
    return effective(state, [Signing(made)], held.author)


def _clipped(message: str) -> str:
    """Return as much of a message as an event may carry; executors write what they like."""
    sound = message.replace("\0", " ").encode(errors="replace")
    return sound[:REASON_BYTES_MAX].decode(errors="ignore")


def _open_claim(state: TaskState, claim_id: EventId, now_ms: int) -> Claim | Rejection:
    return not_to_be_finished(state, now_ms) or held_claim(state, claim_id)


def _open_candidate(state: TaskState, name: EventId, now_ms: int) -> Candidate | Rejection:
    refusal = not_to_be_finished(state, now_ms)
    if refusal is not None:
        return refusal
    candidate = state.candidates.get(name)
    return refuse("unknown_candidate", short(name)) if candidate is None else candidate


def _verification(
    state: TaskState, claim_id: EventId, candidate_id: EventId, now_ms: int
) -> tuple[Claim, Candidate] | Rejection:
    held = _open_claim(state, claim_id, now_ms)
    if isinstance(held, Rejection):
        return held
    candidate = _open_candidate(state, candidate_id, now_ms)
    return candidate if isinstance(candidate, Rejection) else (held, candidate)


def _confirmed(claim: Claim, candidate: Candidate, proofs: Proofs) -> list[Payload]:
    return [
        EvidenceAvailable(
            claim=claim.event_id, candidate=candidate.event_id, digest=digest, proof=proof
        )
        for digest, proof in proofs
    ]


def _series(
    state: TaskState, said: Sequence[Payload], claim: Claim, candidate: Candidate, now_ms: int
) -> Signings | Rejection:
    """Return one event for each payload, dated one after the other."""
    after_ms = max(claim.created_at, candidate.created_at)
    signings: list[Signing] = []
    for payload in said:
        made = draft(state, payload, claim.author, now_ms, after_ms, epoch=claim.label.epoch)
        signings.append(Signing(made))
        after_ms = made.created_at
    return effective(state, signings, claim.author)
