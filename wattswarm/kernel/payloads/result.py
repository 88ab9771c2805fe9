"""What a verifier found."""

import enum
from typing import ClassVar, Final

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


class Status(enum.StrEnum):
    """The verifier's finding."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


STATUS_WORDS: Final = tuple(status.value for status in Status)


def read_status(value: Value, path: str) -> Status:
    """Return the finding that `value` is."""
    return Status(fields.word(value, path, STATUS_WORDS))


@attrs.frozen(kw_only=True)
class VerifierResultSubmitted:
    """One verification of one candidate under one claim; `score_bp` in basis points."""

    kind: ClassVar[str] = "VERIFIER_RESULT_SUBMITTED"

    claim: EventId
    candidate: EventId
    status: Status
    score_bp: int
    reason_codes: tuple[int, ...]
    provider: str
    model: str


FORMS: Final = (
    Form(
        VerifierResultSubmitted.kind,
        VerifierResultSubmitted,
        {
            "claim": form.id32,
            "candidate": form.id32,
            "status": read_status,
            "score_bp": form.basis_points,
            "reason_codes": form.reason_codes,
            "provider": form.label,
            "model": form.label,
        },
    ),
)
