"""How an incarnation ended, and what is told about a crash."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs


class ExitKind(StrEnum):
    """Ends of an incarnation. The first two are normal: nobody is alarmed."""

    NORMAL = "normal"
    """The actor raised `Stop`, or a process ended with 0."""
    SHUTDOWN = "shutdown"
    """Its supervisor asked for it."""
    CRASHED = "crashed"
    KILLED = "killed"
    """Its supervisor cancelled or killed it, or a signal did."""
    GAVE_UP = "gave_up"
    """A supervisor below reached its restart limit."""
    ORDERED = "ordered"
    """An operator ordered it. It comes back at once, and it is no failure: nothing counts it."""


@attrs.frozen
class Exit:
    """One end, with a sentence; `causes` leads from the first failure to this one."""

    kind: ExitKind
    reason: str
    causes: tuple[str, ...] = ()

    @property
    def is_normal(self) -> bool:
        return self.kind in (ExitKind.NORMAL, ExitKind.SHUTDOWN)


RESTARTED_BY_OPERATOR: Final = Exit(ExitKind.ORDERED, "restarted by operator")
KILLED_BY_OPERATOR: Final = Exit(ExitKind.ORDERED, "killed by operator")


@attrs.frozen
class Header:
    """One message that an actor saw, without its content."""

    kind: str
    id: int
    sender: str


@attrs.frozen(kw_only=True)
class CrashReport:
    """All that is known about a crash, in plain values, so that it can be sent, logged and
    shown."""

    actor: str
    incarnation: int
    kind: str
    message: str
    traceback: str
    in_hand: tuple[Header, ...]
    """What was being handled, the culprit first; nothing if it crashed outside a message."""
    age_ms: int
    """How long ago the culprit had been sent."""
    state: Mapping[str, str]
    """The actor's snapshot, each value as text."""
    recent: tuple[Header, ...]
    """The last messages before, oldest first."""


@attrs.frozen(kw_only=True)
class DeadLetter:
    """A message that crashed its actor too often. `body` is its wire form; it can be sent again."""

    actor: str
    message_id: int
    sender: str
    message: str
    body: bytes
    crashes: int
    error: str
    traceback: str
    at_ms: int
