"""Stopping, suspending, resuming and killing tasks."""

from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from wattswarm.api.operation import Call, Operation
from wattswarm.api.routes.tasks import NAME_CODES, TASK
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.surface.task import Controlled

CODES: Final = (
    *NAME_CODES,
    "task_not_open",
    "not_creator",
    "missing_role",
    "outranked",
    "read_only",
)

ACTIONS: Final = (
    ("stop", ControlWord.STOPPED, "Have nobody work on a task any more; it can be resumed."),
    ("suspend", ControlWord.SUSPENDED, "Let a task rest until it is resumed."),
    ("resume", ControlWord.RESUMED, "Have a task worked on again that was stopped or rests."),
    ("kill", ControlWord.KILLED, "End a task for good; it takes the quorum of its finalizers."),
)


@attrs.frozen(kw_only=True)
class ControlRequest:
    """Why; the reason stands in the log, and is part of what finalizers sign together."""

    reason: str | None = None


def _saying(word: ControlWord) -> Callable[[Call], Awaitable[object]]:
    return lambda call: call.api.control_task(call.path["name"], word, reason=call.body.reason)


OPERATIONS: Final = tuple(
    Operation(
        method="POST",
        path=f"{TASK}/{action}",
        name=f"{action}_task",
        summary=summary,
        call=_saying(word),
        body=ControlRequest,
        answer=Controlled,
        codes=CODES,
    )
    for action, word, summary in ACTIONS
)
