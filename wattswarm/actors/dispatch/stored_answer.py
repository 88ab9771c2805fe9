"""What an executor answered, in the form in which it is kept until it stands in the log.

Bodies are in the artifact store already; here are their names and the verifier's findings. The form
is canonical CBOR of this node's own.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.kernel import artifact, canonical
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.fields import array, mapping, text, uint, word
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import ID_CHARS_MAX, SUMMARY_BYTES_MAX
from wattswarm.kernel.payloads import Status
from wattswarm.kernel.payloads.form import id32

BYTES_MAX: Final = 65_536
PROPOSAL: Final = frozenset({"output", "evidence"})
FINDING: Final = frozenset({"status", "score_bp", "reason_codes", "provider", "model"})
OPTIONAL: Final = frozenset({"summary", "reuse_of"})
STATUSES: Final = tuple(status.value for status in Status)


@attrs.frozen(kw_only=True)
class Proposal:
    """A stored output with its evidence, ready to be proposed; `reuse_of`: what it repeats."""

    output: ArtifactRef
    evidence: tuple[ArtifactRef, ...]
    summary: str | None
    reuse_of: EventId | None = None

    def encode(self) -> bytes:
        """Return the bytes that `read_proposal` understands."""
        fields: dict[str, canonical.Value] = {
            "output": self.output.to_payload(),
            "evidence": [ref.to_payload() for ref in self.evidence],
        }
        if self.summary is not None:
            fields["summary"] = self.summary
        if self.reuse_of is not None:
            fields["reuse_of"] = self.reuse_of
        return canonical.encode(fields)


@attrs.frozen(kw_only=True)
class Finding:
    """What a verifier found, ready to be submitted."""

    status: Status
    score_bp: int
    reason_codes: tuple[int, ...]
    provider: str
    model: str

    def encode(self) -> bytes:
        """Return the bytes that `read_finding` understands."""
        return canonical.encode(
            {
                "status": self.status.value,
                "score_bp": self.score_bp,
                "reason_codes": list(self.reason_codes),
                "provider": self.provider,
                "model": self.model,
            }
        )


def read_proposal(stored: bytes) -> Proposal:
    """Return the proposal that was stored.

    Raises:
        Malformed: The bytes hold none: somebody changed them.
    """
    fields = _fields(stored, PROPOSAL)
    evidence = array(fields.get("evidence"), "$.evidence")
    return Proposal(
        output=artifact.read(fields["output"], "$.output"),
        evidence=tuple(
            artifact.read(ref, f"$.evidence[{index}]") for index, ref in enumerate(evidence)
        ),
        summary=text(fields["summary"], "$.summary", bytes_max=SUMMARY_BYTES_MAX)
        if "summary" in fields
        else None,
        reuse_of=EventId(id32(fields["reuse_of"], "$.reuse_of")) if "reuse_of" in fields else None,
    )


def read_finding(stored: bytes) -> Finding:
    """Return the finding that was stored; raises as `read_proposal`."""
    fields = _fields(stored, FINDING)
    codes = array(fields.get("reason_codes"), "$.reason_codes")
    return Finding(
        status=Status(word(fields["status"], "$.status", STATUSES)),
        score_bp=uint(fields.get("score_bp"), "$.score_bp"),
        reason_codes=tuple(
            uint(code, f"$.reason_codes[{index}]") for index, code in enumerate(codes)
        ),
        provider=text(fields.get("provider"), "$.provider", bytes_max=ID_CHARS_MAX),
        model=text(fields.get("model"), "$.model", bytes_max=ID_CHARS_MAX),
    )


def _fields(stored: bytes, required: frozenset[str]) -> Mapping[str, canonical.Value]:
    value = canonical.decode(stored, bytes_max=BYTES_MAX)
    return mapping(value, "$", required=required, optional=OPTIONAL)
