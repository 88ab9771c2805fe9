"""The rules of candidates: proposed under the lease of their author's own claim.

No body is opened here: whoever signs what follows has looked into it.
"""

from wattswarm.kernel.payloads.candidate import CandidateProposed, EvidenceAdded
from wattswarm.kernel.payloads.claim import Work
from wattswarm.kernel.records import Addition, Candidate
from wattswarm.kernel.rule import (
    Entry,
    Hold,
    Provided,
    Rule,
    find,
    ignored,
    own_claim,
    under_lease,
)
from wattswarm.kernel.state import TaskState


def judge_proposed(entry: Entry[CandidateProposed], state: TaskState) -> Hold | None:
    """Return why a candidate has no effect, or None."""
    proposed = entry.payload
    claim = own_claim(proposed.claim, entry.event, state)
    if isinstance(claim, Hold):
        return claim
    if claim.role is not Work.PROPOSE:
        return ignored("wrong_role", proposed.claim)
    return under_lease(claim, entry.event, state)


def apply_proposed(entry: Entry[CandidateProposed], state: TaskState) -> Provided:
    """Write the candidate; it belongs to the label and attempt of its claim."""
    event, proposed = entry.event, entry.payload
    claim = state.claims[proposed.claim]
    state.candidates[event.event_id] = Candidate(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        label=claim.label,
        attempt=claim.attempt,
        claim=proposed.claim,
        executor=claim.executor,
        output=proposed.output,
        evidence=proposed.evidence,
        digests=frozenset(ref.digest for ref in proposed.evidence),
        summary=proposed.summary,
        reuse_of=proposed.reuse_of,
    )
    return ()


def judge_added(entry: Entry[EvidenceAdded], state: TaskState) -> Hold | None:
    """Return why added evidence has no effect, or None."""
    event, added = entry.event, entry.payload
    candidate = find(state.candidates, added.candidate, state)
    if isinstance(candidate, Hold):
        return candidate
    if event.created_at <= candidate.created_at:
        return ignored("date_order", added.candidate)
    if candidate.author != event.author:
        return ignored("not_own_candidate", added.candidate)
    if candidate.label.epoch != event.epoch:
        return ignored("wrong_epoch", added.candidate)
    if not added.evidence:
        return ignored("no_evidence")
    return under_lease(state.claims[candidate.claim], entry.event, state)


def apply_added(entry: Entry[EvidenceAdded], state: TaskState) -> Provided:
    """Write the evidence; what a decision must rest on stays the candidate's own list."""
    event, added = entry.event, entry.payload
    state.additions[event.event_id] = Addition(
        event_id=event.event_id,
        candidate=added.candidate,
        created_at=event.created_at,
        evidence=added.evidence,
    )
    return ()


RULES = (
    Rule(CandidateProposed.kind, "whoever made the claim", judge_proposed, apply_proposed),
    Rule(EvidenceAdded.kind, "the author of the candidate", judge_added, apply_added),
)
