"""Failures of work, and attempts anew."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


@attrs.frozen(kw_only=True)
class TaskError:
    """The work under the author's own claim failed; `reason` is a word, `message` for people."""

    kind: ClassVar[str] = "TASK_ERROR"

    claim: EventId
    reason: str
    reason_codes: tuple[int, ...]
    message: str


@attrs.frozen(kw_only=True)
class TaskRetryScheduled:
    """The attempt after `from_attempt` is open; work on it should begin at `run_at` (ms)."""

    kind: ClassVar[str] = "TASK_RETRY_SCHEDULED"

    pin: Digest
    from_attempt: int
    run_at: int
    reason: str | None = None


FORMS: Final = (
    Form(
        TaskError.kind,
        TaskError,
        {
            "claim": form.id32,
            "reason": form.name,
            "reason_codes": form.reason_codes,
            "message": form.reason,
        },
    ),
    Form(
        TaskRetryScheduled.kind,
        TaskRetryScheduled,
        {"pin": form.id32, "from_attempt": form.attempt, "run_at": form.date},
        {"reason": form.reason},
    ),
)
