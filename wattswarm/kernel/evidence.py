"""The rule of EVIDENCE_AVAILABLE, and the proof of possession that it carries.

The proof binds verifier, candidate and bytes: nobody can copy another's, and any holder of the
bytes can audit it. Deriving never opens a body, so a false proof has a verdict like a true one;
`decide` and finalizers check what they can.
"""

from collections.abc import Iterable

from blake3 import blake3

from wattswarm.kernel.hashing import Context
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads.candidate import EvidenceAvailable
from wattswarm.kernel.payloads.claim import Work
from wattswarm.kernel.records import Confirmation
from wattswarm.kernel.rule import (
    Entry,
    Hold,
    Provided,
    Rule,
    covered,
    ignored,
    own_claim,
    under_lease,
)
from wattswarm.kernel.state import TaskState


def possession_proof(verifier: NodeId, candidate: EventId, body: Iterable[bytes]) -> Digest:
    """Return the proof that `verifier` held the body, whose parts come in order."""
    hasher = blake3(derive_key_context=Context.POSSESSION)
    hasher.update(verifier)
    hasher.update(candidate)
    for part in body:
        hasher.update(part)
    return Digest(hasher.digest())


def judge(entry: Entry[EvidenceAvailable], state: TaskState) -> Hold | None:
    """Return why a confirmation has no effect, or None."""
    confirmed = entry.payload
    claim = own_claim(confirmed.claim, entry.event, state)
    if isinstance(claim, Hold):
        return claim
    if claim.role is not Work.VERIFY:
        return ignored("wrong_role", confirmed.claim)
    candidate = covered(claim, confirmed.candidate, entry.event, state)
    if isinstance(candidate, Hold):
        return candidate
    if confirmed.digest not in candidate.digests:
        return ignored("unknown_digest", confirmed.candidate)
    return under_lease(claim, entry.event, state)


def apply(entry: Entry[EvidenceAvailable], state: TaskState) -> Provided:
    """Write the confirmation."""
    event, confirmed = entry.event, entry.payload
    state.confirmations[event.event_id] = Confirmation(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        claim=confirmed.claim,
        candidate=confirmed.candidate,
        digest=confirmed.digest,
        proof=confirmed.proof,
    )
    return ()


RULES = (Rule(EvidenceAvailable.kind, "whoever made the claim, as a verifier", judge, apply),)
