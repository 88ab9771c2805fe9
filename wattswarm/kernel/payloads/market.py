"""What a task's creator says about work that was handed in, and that it was paid."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


@attrs.frozen(kw_only=True)
class TaskCompletionDecided:
    """The creator takes a candidate as what was asked for, or does not, and may ask for another."""

    kind: ClassVar[str] = "TASK_COMPLETION_DECIDED"

    candidate: EventId
    approved: bool
    retry_requested: bool | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class TaskSettled:
    """The work under a claim is paid; `receipt` is JSON, of whatever kind the two agreed on."""

    kind: ClassVar[str] = "TASK_SETTLED"

    claim: EventId
    receipt: str | None = None


FORMS: Final = (
    Form(
        TaskCompletionDecided.kind,
        TaskCompletionDecided,
        {"candidate": form.id32, "approved": form.flag},
        {"retry_requested": form.flag, "reason": form.reason},
    ),
    Form(TaskSettled.kind, TaskSettled, {"claim": form.id32}, {"receipt": form.receipt}),
)
