"""How work ends: in events, in a failure for the log, or in nothing for want of room."""

from collections.abc import Callable
from typing import TypeAlias

import attrs

from wattswarm.executors.errors import Failure, FailureReason
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.state import TaskState

Conclusion: TypeAlias = Callable[[TaskState, int], Signings | Rejection]
"""What comes of a piece of work: events, given the task's state and the time when it is done."""


@attrs.define(eq=False, kw_only=True)
class WorkFailed(Exception):
    """The work under a claim has come to nothing; `failure` is what goes into the log."""

    failure: Failure


class NoRoom(Exception):
    """What came of the work cannot be stored: the disk is full, or cannot be written."""


def nothing(_state: TaskState, _now_ms: int) -> Signings:
    """Conclude nothing."""
    return ()


def invalid(message: str) -> WorkFailed:
    """Return the error of an output, or of a task, that no work can come of."""
    return _failed(FailureReason.INVALID_OUTPUT, ReasonCode.INVALID_OUTPUT, message)


def not_here(digest: str) -> WorkFailed:
    """Return the error of an output whose body this node does not hold."""
    message = f"the output {digest} is not here"
    return _failed(FailureReason.OTHER, ReasonCode.EVIDENCE_UNREACHABLE, message)


def _failed(reason: FailureReason, code: ReasonCode, message: str) -> WorkFailed:
    return WorkFailed(failure=Failure(reason=reason, reason_codes=(int(code),), message=message))
