"""What is written down about a crash, before anything is tried again."""

import traceback
from typing import cast

from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.exit import CrashReport, DeadLetter, Header
from wattswarm.actors.runtime.message import encode
from wattswarm.actors.runtime.turns import Turns

TEXT_MAX = 2_000
"""Characters of a message or of a value of the snapshot that a report keeps."""
TRACEBACK_MAX = 16_000


def split_failure(error: Exception) -> Exception:
    """Return the one error inside groups of one; nurseries wrap what their children raise."""
    while isinstance(error, ExceptionGroup):
        inside = list(cast("ExceptionGroup[Exception]", error).exceptions)
        if len(inside) > 1:
            return cast("ExceptionGroup[Exception]", error)
        error = inside[0]
    return error


def kind_of(error: BaseException) -> str:
    """Return the qualified name of an error's class."""
    cls = type(error)
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )


def describe_failure(error: BaseException) -> str:
    """Return an error in one line."""
    return f"{kind_of(error)}: {error}"[:TEXT_MAX]


def traceback_of(error: BaseException) -> str:
    """Return the end of an error's traceback, where the cause is."""
    return "".join(traceback.format_exception(error))[-TRACEBACK_MAX:]


def report_of(
    actor: str, incarnation: int, turns: Turns | None, failure: Exception, now_s: float
) -> CrashReport:
    """Return the report of a crash of an incarnation; `now_s` is on the monotonic clock."""
    in_hand = list(turns.in_hand) if turns is not None else []
    if turns is not None and turns.culprit in in_hand:
        in_hand.sort(key=lambda envelope: envelope is not turns.culprit)
    age_s = now_s - in_hand[0].put_s if in_hand else 0.0
    return CrashReport(
        actor=actor,
        incarnation=incarnation,
        kind=kind_of(failure),
        message=str(failure)[:TEXT_MAX],
        traceback=traceback_of(failure),
        in_hand=tuple(_header(envelope) for envelope in in_hand),
        age_ms=int(age_s * 1_000),
        state=_snapshot(turns),
        recent=tuple(Header(kind.__name__, number, sender) for kind, number, sender in turns.recent)
        if turns is not None
        else (),
    )


def dead_letter_of(actor: str, envelope: Envelope, failure: Exception, now_ms: int) -> DeadLetter:
    """Return the record of a message that is put aside."""
    return DeadLetter(
        actor=actor,
        message_id=envelope.id,
        sender=envelope.sender,
        message=repr(envelope.message)[:TEXT_MAX],
        body=encode(envelope.message),
        crashes=envelope.crashes,
        error=describe_failure(failure),
        traceback=traceback_of(failure),
        at_ms=now_ms,
    )


def _header(envelope: Envelope) -> Header:
    return Header(type(envelope.message).__name__, envelope.id, envelope.sender)


def _snapshot(turns: Turns | None) -> dict[str, str]:
    """Return the actor's own snapshot as text; a snapshot that fails must not hide the crash."""
    if turns is None:
        return {}
    try:
        return {name: str(value)[:TEXT_MAX] for name, value in turns.actor.snapshot().items()}
    except Exception as error:  # the object has just crashed: nothing about it can be relied on
        return {"snapshot": describe_failure(error)}
