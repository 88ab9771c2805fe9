"""Decisions and finality."""

from typing import ClassVar, Final, TypeAlias

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.limits import SIGNATURES_MAX
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form

Signatures: TypeAlias = "tuple[tuple[NodeId, bytes], ...]"


def read_signatures(value: Value, path: str) -> Signatures:
    """Return the pairs of signer and signature, ascending by signer, that `value` is."""
    pairs = fields.signatures(value, path, most=SIGNATURES_MAX)
    return tuple((NodeId(node), signature) for node, signature in pairs)


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
