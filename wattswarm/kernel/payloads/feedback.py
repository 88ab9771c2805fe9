"""What a task's settlement authority says about an answer after it became final."""

import enum
from typing import ClassVar, Final

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


class FeedbackWord(enum.StrEnum):
    """How an answer turned out; silence says that it was good."""

    BAD = "bad"


WORDS: Final = tuple(word.value for word in FeedbackWord)


@attrs.frozen(kw_only=True)
class TaskFeedbackReported:
    """The answer of an epoch turned out to be bad."""

    kind: ClassVar[str] = "TASK_FEEDBACK_REPORTED"

    candidate: EventId
    outcome: FeedbackWord
    reason: str


def _read_outcome(value: Value, path: str) -> FeedbackWord:
    return FeedbackWord(fields.word(value, path, WORDS))


FORMS: Final = (
    Form(
        TaskFeedbackReported.kind,
        TaskFeedbackReported,
        {"candidate": form.id32, "outcome": _read_outcome, "reason": form.reason},
    ),
)
