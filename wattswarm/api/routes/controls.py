"""Stopping, suspending, resuming and killing tasks, and ending their epochs."""

from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from wattswarm.api.operation import Call, Operation
from wattswarm.api.routes.tasks import NAME_CODES, SIGNED_CODES, TASK
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.surface.task import Controlled, EpochEndSaid

CODES: Final = (
    *NAME_CODES,
    "task_not_open",
    "not_creator",
    "missing_role",
    "outranked",
    "barred",
    "signing_stopped",
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


@attrs.frozen(kw_only=True)
class EndRequest:
    """Why an epoch is over, and whether that is said before it expires, or out of turn."""

    reason: str | None = None
    out_of_turn: bool = False


async def _end(call: Call) -> object:
    body = call.body
    return await call.api.end_epoch(
        call.path["name"], reason=body.reason, out_of_turn=body.out_of_turn
    )


def _saying(word: ControlWord) -> Callable[[Call], Awaitable[object]]:
    return lambda call: call.api.control_task(call.path["name"], word, reason=call.body.reason)


WORDS: Final = tuple(
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

OPERATIONS: Final = (
    *WORDS,
    Operation(
        method="POST",
        path=f"{TASK}/end-epoch",
        name="end_epoch",
        summary="End the newest epoch of a continuous task, which opens the next one.",
        call=_end,
        body=EndRequest,
        answer=EpochEndSaid,
        codes=(
            *NAME_CODES,
            "task_not_open",
            "one_epoch",
            "missing_role",
            "too_early",
            "not_the_drafter",
            "already_signed",
            "lock_refused",
            *SIGNED_CODES,
        ),
    ),
)
