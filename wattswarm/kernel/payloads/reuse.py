"""What verifiers found about an answer that repeats an earlier decision."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


@attrs.frozen(kw_only=True)
class ReuseRejectRecorded:
    """Verifiers rejected a candidate that repeats an earlier decision's output.

    `reveals` are the votes that this rests on, as in a decision; `output_digest` is the output that
    was rejected.
    """

    kind: ClassVar[str] = "REUSE_REJECT_RECORDED"

    candidate: EventId
    output_digest: str
    reveals: tuple[EventId, ...]
    reason_codes: tuple[int, ...]


FORMS: Final = (
    Form(
        ReuseRejectRecorded.kind,
        ReuseRejectRecorded,
        {
            "candidate": form.id32,
            "output_digest": form.artifact_digest,
            "reveals": form.ids,
            "reason_codes": form.reason_codes,
        },
    ),
)
