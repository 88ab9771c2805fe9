"""An executor that is any program: the request as JSON on stdin, the output as JSON on stdout.

The program gets the body of `POST /execute`, so its inputs are under `inputs`. It may print the
output itself, or an object with `candidate_output` and evidence.
"""

import enum
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import trio

from wattswarm.executors.contract import (
    ANYTHING,
    ExecuteAnswer,
    ExecuteRequest,
    Judgement,
    Outcome,
    VerifyRequest,
)
from wattswarm.executors.decoding import execute_answer, judgement
from wattswarm.executors.fields import Fields, Json, write
from wattswarm.executors.policy_check import policy_judgement
from wattswarm.executors.program import Program
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.sdk import Executor
from wattswarm.kernel.errors import Malformed

OUTPUT_DIFFERS: Final = 1100
"""Reason code: the program, run again, gave another output."""

PROGRAMS: Final = 4


class Verification(enum.StrEnum):
    """How candidates are judged."""

    POLICY = "policy"
    """By the task's policy alone."""
    RERUN = "rerun"
    """By running the program again, which must then give the same output; and by the policy."""
    PROGRAM = "program"
    """By the program, which gets the body of `POST /verify`; and by the policy."""


def command_executor(
    program: Program,
    *,
    name: str = "command",
    task_types: Sequence[str] = (ANYTHING,),
    profiles: Sequence[str] = ("default",),
    verification: Verification = Verification.POLICY,
    programs: int = PROGRAMS,
) -> Executor:
    """Return an executor that runs `program` for each piece of work, `programs` of them at once."""
    executor = Executor(
        name=name,
        task_types=tuple(task_types),
        profiles=tuple(profiles),
        provider_family="command",
        model_id=program.argv[0].rpartition("/")[2],
    )
    places = trio.CapacityLimiter(programs)

    async def run(call: str, document: Json) -> Json:
        async with places:
            return await program.run(call, document)

    @executor.execute
    async def work(request: ExecuteRequest) -> ExecuteAnswer:
        return _answer(await run("execute", request.to_json()))

    @executor.verify
    async def judge(request: VerifyRequest) -> Judgement:
        found = policy_judgement(request)
        if found.outcome is Outcome.FAILED:
            return found
        return await JUDGES[verification](request, found, run)

    return executor


def _answer(document: Json) -> ExecuteAnswer:
    if not isinstance(document, Mapping) or "candidate_output" not in document:
        return ExecuteAnswer(candidate_output=document)
    with _understood():
        return execute_answer({"evidence_inline": [], "evidence_refs": [], **document})


@contextmanager
def _understood() -> Generator[None]:
    """Turn what is wrong with the program's words into a failure of ours, not of the caller's."""
    try:
        yield
    except Malformed as error:
        raise WorkRefused(
            f"the program's answer: {error}", code="bad_answer", status=500
        ) from error


Run = Callable[[str, Json], Awaitable[Json]]
Judge = Callable[[VerifyRequest, Judgement, Run], Awaitable[Judgement]]


async def _by_policy(request: VerifyRequest, found: Judgement, run: Run) -> Judgement:
    del request, run
    return found


async def _by_rerun(request: VerifyRequest, found: Judgement, run: Run) -> Judgement:
    again = ExecuteRequest(
        task_id=request.task_id,
        execution_id=request.candidate.execution_id,
        task_type=request.task_type,
        profile=request.profile,
        inputs=request.inputs,
        task_contract=request.task_contract,
    )
    made = _answer(await run("execute", again.to_json())).candidate_output
    if write(made) == write(request.candidate.output):
        return found
    return Judgement(outcome=Outcome.FAILED, score_bp=0, reason_codes=(OUTPUT_DIFFERS,))


async def _by_program(request: VerifyRequest, found: Judgement, run: Run) -> Judgement:
    document = await run("verify", request.to_json())
    with _understood():
        said = judgement(Fields.of(document))
    if said.outcome is not Outcome.PASSED:
        return said
    return policy_judgement(request, said.score_bp)


JUDGES: Final[Mapping[Verification, Judge]] = {
    Verification.POLICY: _by_policy,
    Verification.RERUN: _by_rerun,
    Verification.PROGRAM: _by_program,
}
