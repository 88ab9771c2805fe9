"""What can go wrong between a node and an executor, and what it means for the task.

    ExecutorError
    ├ ExecutorUnavailable      not reached, or cut off          retry, with an end
    ├ ExecutorTooSlow          no answer within the deadline    report
    ├ ExecutorRefused          an HTTP status that is no 2xx    report; retry if it says so
    ├ ExecutorContractBroken   an answer that is none           report
    └ EvidenceRefused          evidence that may not be, or is not, what it claims to be

`failure_of` tells what a failed execution leaves in the log, `inconclusive_of` what a verifier
without an answer may still say.
"""

import enum
from typing import ClassVar, Final

import attrs

from wattswarm.executors.contract import Judgement, Outcome
from wattswarm.kernel.errors import WattSwarmError
from wattswarm.kernel.policy import ReasonCode

EXCERPT_CHARS_MAX: Final = 512
"""Of an error's body in an error's sentence."""

SERVER_ERRORS: Final = range(500, 600)


@attrs.define(eq=False, kw_only=True)
class ExecutorError(WattSwarmError):
    """A call to an executor that gave no usable answer; never raised itself."""

    code: ClassVar[str] = "executor_error"

    executor: str
    call: str
    """The call that failed: health, capabilities, execute, verify or evidence."""


@attrs.define(eq=False, kw_only=True)
class ExecutorUnavailable(ExecutorError):
    """The executor could not be reached, went away in mid-answer, or is being spared."""

    code: ClassVar[str] = "executor_unavailable"

    reason: str
    retry_after_ms: int | None = None

    def __str__(self) -> str:
        return f"executor {self.executor} is not available for {self.call}: {self.reason}"


@attrs.define(eq=False, kw_only=True)
class ExecutorTooSlow(ExecutorError):
    """The executor gave no complete answer within the deadline."""

    code: ClassVar[str] = "executor_too_slow"

    waited_ms: int

    def __str__(self) -> str:
        return f"executor {self.executor} gave no answer to {self.call} in {self.waited_ms} ms"


@attrs.define(eq=False, kw_only=True)
class ExecutorRefused(ExecutorError):
    """The executor answered with a status that is no success."""

    code: ClassVar[str] = "executor_refused"

    status: int
    excerpt: str = ""
    retry_after_ms: int | None = None

    def __str__(self) -> str:
        return f"executor {self.executor} answered {self.call} with {self.status}: {self.excerpt}"


@attrs.define(eq=False, kw_only=True)
class ExecutorContractBroken(ExecutorError):
    """The executor's answer is none of the contract; `rule` says which rule it breaks."""

    code: ClassVar[str] = "executor_contract_broken"

    rule: str
    path: str
    message: str

    def __str__(self) -> str:
        return (
            f"executor {self.executor} broke the contract of {self.call}:"
            f" {self.message} ({self.rule} at {self.path})"
        )


@attrs.define(eq=False, kw_only=True)
class EvidenceRefused(ExecutorError):
    """Evidence that is fetched from nowhere but its executor, or is not what its reference says."""

    code: ClassVar[str] = "evidence_refused"

    rule: str
    uri: str
    message: str

    def __str__(self) -> str:
        return f"evidence {self.uri} of executor {self.executor}: {self.message}"


class FailureReason(enum.StrEnum):
    """Why an execution ended without a candidate."""

    TIMEOUT = "timeout"
    INVALID_OUTPUT = "invalid_output"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class Failure:
    """What a failed execution leaves in the log."""

    reason: FailureReason
    reason_codes: tuple[int, ...]
    message: str


def failure_of(error: ExecutorError) -> Failure:
    """Return what `error` means for the attempt that it ended."""
    reason, code = _meaning(error)
    return Failure(reason=reason, reason_codes=(int(code),), message=str(error))


def _meaning(error: ExecutorError) -> tuple[FailureReason, ReasonCode]:
    match error:
        case ExecutorTooSlow():
            return FailureReason.TIMEOUT, ReasonCode.TASK_TIMEOUT
        case ExecutorContractBroken():
            return FailureReason.INVALID_OUTPUT, ReasonCode.INVALID_OUTPUT
        case EvidenceRefused(rule="digest_mismatch"):
            return FailureReason.INVALID_OUTPUT, ReasonCode.EVIDENCE_DIGEST_MISMATCH
        case EvidenceRefused(rule="auth_denied"):
            return FailureReason.INVALID_OUTPUT, ReasonCode.EVIDENCE_AUTH_DENIED
        case EvidenceRefused():
            return FailureReason.INVALID_OUTPUT, ReasonCode.EVIDENCE_UNREACHABLE
        case ExecutorUnavailable():
            return FailureReason.OTHER, ReasonCode.RUNTIME_CRASH
        case ExecutorRefused(status=status) if status in SERVER_ERRORS:
            return FailureReason.OTHER, ReasonCode.RUNTIME_CRASH
        case _:
            return FailureReason.OTHER, ReasonCode.UNKNOWN


def inconclusive_of(error: ExecutorError) -> Judgement | None:
    """Return what a verifier says when its executor gave no answer, or None when it says nothing.

    An answer that breaks the contract is a failure of the executor, not of the evidence.
    """
    match error:
        case ExecutorContractBroken():
            return None
        case ExecutorTooSlow():
            code = ReasonCode.EVIDENCE_TIMEOUT
        case _:
            code = ReasonCode.EVIDENCE_UNREACHABLE
    return Judgement(outcome=Outcome.INCONCLUSIVE, score_bp=0, reason_codes=(int(code),))
