"""Statements: what finalizers say together about an event, or about a node."""

import enum
from collections.abc import Sequence
from typing import ClassVar, Final, TypeAlias, cast

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.payloads.signatures import Signatures, read_signatures


class StatementState(enum.StrEnum):
    """Whether a target is put out of effect, or back into it."""

    REVOKED = "revoked"
    RESTORED = "restored"


@attrs.frozen(kw_only=True)
class EventRevoked:
    """An event has no effect, or has its effect again."""

    kind: ClassVar[str] = "EVENT_REVOKED"

    target: EventId
    serial: int
    state: StatementState
    governance: Digest
    reason: str
    sigs: Signatures


@attrs.frozen(kw_only=True)
class NodePenalized:
    """What a node says has no effect, or has it again.

    With `window`, what is dated from its first date on and before its second (ms); with `cut`, all
    that it ever said but for what `keep` names.
    """

    kind: ClassVar[str] = "NODE_PENALIZED"

    target: NodeId
    serial: int
    state: StatementState
    governance: Digest
    reason: str
    sigs: Signatures
    window: tuple[int, int] | None = None
    cut: str | None = None
    keep: tuple[EventId, ...] | None = None


StatementPayload: TypeAlias = EventRevoked | NodePenalized


def _state(value: Value, path: str) -> StatementState:
    return StatementState(fields.word(value, path, [*StatementState]))


def _cut(value: Value, path: str) -> str:
    return fields.word(value, path, ["all"])


def _window(value: Value, path: str) -> tuple[int, int]:
    dates = fields.array(value, path, most=2)
    if len(dates) != 2:
        raise fields.bad(path, "not two dates in ms: from when on, and before when")
    begin_ms, end_ms = (form.date(date, path) for date in dates)
    if begin_ms >= end_ms:
        raise fields.bad(path, "a window ends after it begins")
    return begin_ms, end_ms


def _kept(value: Value, path: str) -> tuple[EventId, ...]:
    found = form.ids(value, path)
    if list(found) != sorted(set(found)):
        raise fields.bad(path, "ids stand in ascending order, each once")
    return found


_COMMON: Final = {
    "target": form.id32,
    "serial": form.number,
    "state": _state,
    "governance": form.id32,
    "reason": form.reason,
    "sigs": read_signatures,
}

FORMS: Final[Sequence[Form[StatementPayload]]] = (
    Form(EventRevoked.kind, EventRevoked, _COMMON),
    Form(
        NodePenalized.kind,
        NodePenalized,
        _COMMON,
        {"window": _window, "cut": _cut, "keep": _kept},
    ),
)

_FORM_OF: Final = {each.kind: each for each in FORMS}


def read(kind: str, payload: object) -> StatementPayload:
    """Return what a statement says.

    Raises:
        Malformed: `unknown_field`, `bad_field`, or `inconsistent`: it does not say how far a
            penalty goes, or says it of a node that is restored.
    """
    found = _FORM_OF[kind].read(cast("dict[str, Value]", payload))
    if isinstance(found, NodePenalized):
        _check_extent(found)
    return found


def _check_extent(said: NodePenalized) -> None:
    given = (said.window is not None) + (said.cut is not None)
    wanted = 1 if said.state is StatementState.REVOKED else 0
    if given != wanted:
        raise fields.inconsistent(
            form.PATH,
            "a penalty has a window or cuts off all"
            if wanted
            else "a node that is restored has neither a window nor a cut",
        )
    if said.keep is not None and said.cut is None:
        raise fields.inconsistent(f"{form.PATH}.keep", "only who is cut off keeps some events")
