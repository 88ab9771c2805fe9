"""What a caller of an actor, or the keeper of a tree, may have to decide about.

Errors are split by what the catcher does: `Refused` → slow down or give up, `Down` → resolve
again and retry if repeating is safe, `TooSlow` → the same, with the work perhaps still going on,
`RemoteFailure` → a bug on the other side, `RestartLimit` → the tree has given up. They cross
process borders as plain fields.
"""

from enum import StrEnum
from typing import ClassVar

import attrs


class ActorError(Exception):
    """Root of the errors of the actor runtime; never raised itself."""

    code: ClassVar[str] = "actor_error"


class Execution(StrEnum):
    """What a caller may believe about work whose answer never came. There are exactly two words."""

    NOT_STARTED = "not_started"
    MAYBE_EXECUTED = "maybe_executed"


@attrs.define(eq=False, kw_only=True)
class Refused(ActorError):
    """The actor will not do this now: its inbox is full or its handler said so.

    A handler may raise it to refuse an ask without ending its incarnation.
    """

    code: ClassVar[str] = "refused"

    actor: str = ""
    reason: str
    retry_after_s: float | None = None

    def __str__(self) -> str:
        later = "" if self.retry_after_s is None else f"; try again in {self.retry_after_s:g} s"
        return f"{self.actor or 'the actor'} refused: {self.reason}{later}"


@attrs.define(eq=False, kw_only=True)
class Down(ActorError):
    """The actor, or the process it lived in, went away before it answered."""

    code: ClassVar[str] = "down"

    actor: str
    execution: Execution
    reason: str

    def __str__(self) -> str:
        return f"{self.actor} is down ({self.execution.value}): {self.reason}"


@attrs.define(eq=False, kw_only=True)
class TooSlow(ActorError):
    """No answer came within the deadline; the work may have been done or may yet be."""

    code: ClassVar[str] = "too_slow"

    actor: str
    deadline_s: float
    execution: Execution = Execution.MAYBE_EXECUTED

    def __str__(self) -> str:
        return f"{self.actor} did not answer within {self.deadline_s:g} s"


@attrs.define(eq=False, kw_only=True)
class RemoteFailure(ActorError):
    """The handler of an ask raised; what it raised arrives boxed, whatever its type was."""

    code: ClassVar[str] = "remote_failure"

    actor: str
    incarnation: int
    kind: str
    message: str
    traceback: str = attrs.field(repr=False)

    def __str__(self) -> str:
        return f"{self.actor} (incarnation {self.incarnation}) failed: {self.kind}: {self.message}"


@attrs.define(eq=False, kw_only=True)
class RestartLimit(ActorError):
    """A supervisor has restarted as often as its intensity allows; `causes` leads from it to the
    root."""

    code: ClassVar[str] = "restart_limit"

    causes: tuple[str, ...]

    def __str__(self) -> str:
        return "restart limit reached: " + " ← ".join(self.causes)


@attrs.define(eq=False, kw_only=True)
class BadWire(ActorError):
    """Bytes that are not what the other side of a link may send: the link ends, the process
    lives."""

    code: ClassVar[str] = "bad_wire"

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.define(eq=False, kw_only=True)
class OutOfRange(ActorError):
    """A dial does not exist or does not go that far; nothing was changed."""

    code: ClassVar[str] = "out_of_range"

    dial: str
    reason: str

    def __str__(self) -> str:
        return f"{self.dial}: {self.reason}"


@attrs.define(eq=False, kw_only=True)
class InjectedCrash(ActorError):
    """An armed fault rule asked for a crash at a named point."""

    code: ClassVar[str] = "injected_crash"

    point: str

    def __str__(self) -> str:
        return f"injected crash at {self.point}"
