"""Candidates and their evidence; bodies are named by reference, whatever their size."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


@attrs.frozen(kw_only=True)
class CandidateProposed:
    """An answer to the task, made under a claim; `reuse_of` names the decision that it repeats."""

    kind: ClassVar[str] = "CANDIDATE_PROPOSED"

    claim: EventId
    output: ArtifactRef
    evidence: tuple[ArtifactRef, ...]
    summary: str | None = None
    reuse_of: EventId | None = None


@attrs.frozen(kw_only=True)
class EvidenceAdded:
    """More evidence for the author's own candidate; decisions do not have to rest on it."""

    kind: ClassVar[str] = "EVIDENCE_ADDED"

    candidate: EventId
    evidence: tuple[ArtifactRef, ...]


@attrs.frozen(kw_only=True)
class EvidenceAvailable:
    """The author held the body of `digest`; `proof` shows it to whoever holds the body as well."""

    kind: ClassVar[str] = "EVIDENCE_AVAILABLE"

    claim: EventId
    candidate: EventId
    digest: str
    proof: Digest


FORMS: Final = (
    Form(
        CandidateProposed.kind,
        CandidateProposed,
        {"claim": form.id32, "output": form.artifact_ref, "evidence": form.artifact_refs},
        {"summary": form.summary, "reuse_of": form.id32},
    ),
    Form(
        EvidenceAdded.kind,
        EvidenceAdded,
        {"candidate": form.id32, "evidence": form.artifact_refs},
    ),
    Form(
        EvidenceAvailable.kind,
        EvidenceAvailable,
        {
            "claim": form.id32,
            "candidate": form.id32,
            "digest": form.artifact_digest,
            "proof": form.id32,
        },
    ),
)
