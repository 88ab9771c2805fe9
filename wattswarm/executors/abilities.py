"""What an executor can do: the functions behind its calls, and how a call is answered by them."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

import attrs
import trio

from wattswarm.executors.contract import (
    ANYTHING,
    Capabilities,
    ExecuteAnswer,
    ExecuteRequest,
    Judgement,
    Outcome,
    Progress,
    VerifyAnswer,
    VerifyRequest,
)
from wattswarm.executors.fields import Json, write
from wattswarm.executors.policy_check import policy_judgement
from wattswarm.executors.refusal import WorkRefused
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.policy import ReasonCode

THREADS: Final = 4
CALLS_MAX: Final = 64

F = TypeVar("F", bound=Callable[..., Any])
Report = Callable[[Progress], None]


@attrs.frozen
class Function:
    """A function of the user, and how it wants to be called."""

    call: Callable[..., Any]
    is_async: bool
    reports: bool

    @classmethod
    def of(cls, call: Callable[..., Any]) -> "Function":
        """Return how `call` is to be called, which its signature says."""
        return cls(
            call, inspect.iscoroutinefunction(call), len(inspect.signature(call).parameters) > 1
        )

    async def result(self, request: object, report: Report, threads: trio.CapacityLimiter) -> Any:
        """Return what the function returns, or raise what it raises."""
        if self.is_async:
            return await self._call(request, report)
        return await trio.to_thread.run_sync(
            self._call, request, _from_thread(report), limiter=threads, abandon_on_cancel=True
        )

    def _call(self, request: object, report: Report) -> Any:
        return self.call(request, report) if self.reports else self.call(request)


def _from_thread(report: Report) -> Report:
    return lambda progress: trio.from_thread.run_sync(report, progress)


def _unheard(call: str, key: str) -> None:
    del call, key


def _only_policy(request: VerifyRequest) -> Judgement:
    return policy_judgement(request)


@attrs.define(kw_only=True)
class Abilities:
    """What an executor can do. Has no connections."""

    task_types: Sequence[str] = (ANYTHING,)
    profiles: Sequence[str] = ("default",)
    name: str = "executor"
    provider_family: str = "local"
    model_id: str = "code"
    threads: int = THREADS
    """Sync functions at work at once."""
    calls_max: int = CALLS_MAX
    """Requests at once; more are told to come back."""
    on_request: Callable[[str, str], None] = _unheard
    """Hears of every request, repeated ones too: the call, and its `Idempotency-Key` or nothing."""
    _execute: Function | None = attrs.field(default=None, init=False)
    _verify: Function = attrs.field(factory=lambda: Function.of(_only_policy), init=False)

    def execute(self, function: F) -> F:
        """Register the function that does the work."""
        self._execute = Function.of(function)
        return function

    def verify(self, function: F) -> F:
        """Register the function that judges a candidate."""
        self._verify = Function.of(function)
        return function

    @property
    def capabilities(self) -> Capabilities:
        """What this executor says of itself."""
        return Capabilities(
            task_types=tuple(self.task_types),
            profiles=tuple(self.profiles),
            provider_family=self.provider_family,
            model_id=self.model_id,
            streams_progress=self.streams("execute") or self.streams("verify"),
        )

    def streams(self, call: str) -> bool:
        """Tell whether the function behind a call reports progress."""
        function = self._execute if call == "execute" else self._verify
        return function is not None and function.reports

    async def answer_execute(
        self, request: ExecuteRequest, report: Report, threads: trio.CapacityLimiter
    ) -> ExecuteAnswer:
        """Return the answer to `POST /execute`, or raise what the user's function raises."""
        if self._execute is None:
            raise WorkRefused("this executor only verifies", code="verifies_only", status=501)
        result: object = await self._execute.result(request, report, threads)
        if isinstance(result, ExecuteAnswer):
            return result
        return ExecuteAnswer(candidate_output=cast("Json", result))

    async def answer_verify(
        self, request: VerifyRequest, report: Report, threads: trio.CapacityLimiter
    ) -> VerifyAnswer:
        """Return the answer to `POST /verify`, or raise what the user's function raises."""
        judgement = _judgement(await self._verify.result(request, report, threads))
        return VerifyAnswer(
            outcome=judgement.outcome,
            score_bp=judgement.score_bp,
            reason_codes=judgement.reason_codes,
            provider_family=self.provider_family,
            model_id=self.model_id,
            verifier_result_hash=_result_hash(request, judgement),
        )


def _judgement(result: object) -> Judgement:
    match result:
        case Judgement():
            return result
        case True:
            return Judgement(
                outcome=Outcome.PASSED, score_bp=10_000, reason_codes=(int(ReasonCode.SCHEMA_OK),)
            )
        case False:
            return Judgement(
                outcome=Outcome.FAILED, score_bp=0, reason_codes=(int(ReasonCode.UNKNOWN),)
            )
        case _:
            raise TypeError(
                f"a verifier returns a Judgement or a bool, not {type(result).__name__}"
            )


def _result_hash(request: VerifyRequest, judgement: Judgement) -> str:
    found: Json = {
        "candidate_id": request.candidate.candidate_id,
        "outcome": judgement.outcome.value,
        "score_bp": judgement.score_bp,
        "reason_codes": list(judgement.reason_codes),
    }
    return artifact_digest(write(found))
