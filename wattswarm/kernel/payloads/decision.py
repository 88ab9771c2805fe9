"""Decisions and finality."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.payloads.signatures import Signatures, read_signatures


@attrs.frozen(kw_only=True)
class DecisionCommitted:
    """The candidate that a committer chose, and the reveals and confirmations it rests on."""

    kind: ClassVar[str] = "DECISION_COMMITTED"

    candidate: EventId
    reveals: tuple[EventId, ...]
    confirmations: tuple[EventId, ...]
    summary: str | None = None


@attrs.frozen(kw_only=True)
class DecisionFinalized:
    """Signatures of finalizers; whoever carries them, they are counted by candidate."""

    kind: ClassVar[str] = "DECISION_FINALIZED"

    pin: Digest
    candidate: EventId
    decision: EventId
    sigs: Signatures


FORMS: Final = (
    Form(
        DecisionCommitted.kind,
        DecisionCommitted,
        {"candidate": form.id32, "reveals": form.ids, "confirmations": form.ids},
        {"summary": form.summary},
    ),
    Form(
        DecisionFinalized.kind,
        DecisionFinalized,
        {
            "pin": form.id32,
            "candidate": form.id32,
            "decision": form.id32,
            "sigs": read_signatures,
        },
    ),
)
