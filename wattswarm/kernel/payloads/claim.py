"""Claims and leases: who works on what, and until when."""

import enum
from typing import ClassVar, Final

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


class Work(enum.StrEnum):
    """What a claim is for."""

    PROPOSE = "propose"
    VERIFY = "verify"


WORK_WORDS: Final = tuple(work.value for work in Work)


def read_work(value: Value, path: str) -> Work:
    """Return the kind of work that `value` is."""
    return Work(fields.word(value, path, WORK_WORDS))


@attrs.frozen(kw_only=True)
class TaskClaimed:
    """The author takes a place until `lease_until` (ms), to work with one of its executors."""

    kind: ClassVar[str] = "TASK_CLAIMED"

    role: Work
    attempt: int
    executor: str
    lease_until: int
    pin: Digest


@attrs.frozen(kw_only=True)
class TaskClaimRenewed:
    """The author goes on until `lease_until` (ms); `previous` is the claim or its last renewal."""

    kind: ClassVar[str] = "TASK_CLAIM_RENEWED"

    claim: EventId
    previous: EventId
    lease_until: int


@attrs.frozen(kw_only=True)
class TaskClaimReleased:
    """The author gives its place back."""

    kind: ClassVar[str] = "TASK_CLAIM_RELEASED"

    claim: EventId
    reason: str | None = None


@attrs.frozen(kw_only=True)
class TaskClaimDecided:
    """The task's creator approves of a claim, or does not."""

    kind: ClassVar[str] = "TASK_CLAIM_DECIDED"

    claim: EventId
    approved: bool
    reason: str | None = None


FORMS: Final = (
    Form(
        TaskClaimed.kind,
        TaskClaimed,
        {
            "role": read_work,
            "attempt": form.attempt,
            "executor": form.name,
            "lease_until": form.date,
            "pin": form.id32,
        },
    ),
    Form(
        TaskClaimRenewed.kind,
        TaskClaimRenewed,
        {"claim": form.id32, "previous": form.id32, "lease_until": form.date},
    ),
    Form(TaskClaimReleased.kind, TaskClaimReleased, {"claim": form.id32}, {"reason": form.reason}),
    Form(
        TaskClaimDecided.kind,
        TaskClaimDecided,
        {"claim": form.id32, "approved": form.flag},
        {"reason": form.reason},
    ),
)
