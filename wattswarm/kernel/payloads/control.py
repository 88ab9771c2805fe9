"""Control words: what a task's creator and its finalizers say about whether it is worked on."""

import enum
from typing import ClassVar, Final, TypeAlias

import attrs

from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.payloads.signatures import Signatures, read_signatures


class ControlWord(enum.StrEnum):
    """What is said, by the state that the task is in then."""

    RESUMED = "resumed"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    KILLED = "killed"


@attrs.frozen(kw_only=True)
class Controlling:
    """The fields that all control words have; `sigs` are finalizers' over the word's content."""

    kind: ClassVar[str]
    word: ClassVar[ControlWord]

    control_no: int
    reason: str
    sigs: Signatures | None = None


@attrs.frozen(kw_only=True)
class TaskStopped(Controlling):
    """Nobody is to work on the task any more; it may still become final."""

    kind: ClassVar[str] = "TASK_STOPPED"
    word: ClassVar[ControlWord] = ControlWord.STOPPED


@attrs.frozen(kw_only=True)
class TaskSuspended(Controlling):
    """The task is at rest."""

    kind: ClassVar[str] = "TASK_SUSPENDED"
    word: ClassVar[ControlWord] = ControlWord.SUSPENDED


@attrs.frozen(kw_only=True)
class TaskResumed(Controlling):
    """The task is to be worked on again."""

    kind: ClassVar[str] = "TASK_RESUMED"
    word: ClassVar[ControlWord] = ControlWord.RESUMED


@attrs.frozen(kw_only=True)
class TaskKilled(Controlling):
    """The task is over for good; only finalizers say so."""

    kind: ClassVar[str] = "TASK_KILLED"
    word: ClassVar[ControlWord] = ControlWord.KILLED


ControlPayload: TypeAlias = TaskStopped | TaskSuspended | TaskResumed | TaskKilled

PAYLOADS: Final = {
    made.word: made for made in (TaskResumed, TaskSuspended, TaskStopped, TaskKilled)
}
"""Word → the payload that says it."""

FORMS: Final = tuple(
    Form[ControlPayload](
        made.kind,
        made,
        {"control_no": form.number, "reason": form.reason},
        {"sigs": read_signatures},
    )
    for made in PAYLOADS.values()
)
