"""Having a candidate verified: an executor's answer becomes a finding, ready to be submitted."""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.actors.dispatch.asking import Terms, connected, document, parsed, traceparent
from wattswarm.actors.dispatch.bodies import Bodies
from wattswarm.actors.dispatch.clients import Executor
from wattswarm.actors.dispatch.failing import WorkFailed, invalid, not_here
from wattswarm.actors.dispatch.stored_answer import Finding
from wattswarm.actors.runtime.actor import Context
from wattswarm.executors.client import ExecutorClient
from wattswarm.executors.contract import BodyRef, CandidateView, Outcome, VerifyRequest
from wattswarm.executors.errors import ExecutorError, failure_of, inconclusive_of
from wattswarm.executors.fields import Json, parse
from wattswarm.executors.policy_check import policy_of
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.duty import Verify
from wattswarm.kernel.limits import JSON_CHECKED_BYTES_MAX
from wattswarm.kernel.payloads import Status
from wattswarm.kernel.records import Candidate
from wattswarm.kernel.state import TaskState

STATUS_OF: Final[Mapping[Outcome, Status]] = {
    Outcome.PASSED: Status.PASSED,
    Outcome.FAILED: Status.FAILED,
    Outcome.INCONCLUSIVE: Status.INCONCLUSIVE,
}


@attrs.frozen
class Examiner:
    """Has candidates verified."""

    terms: Terms
    bodies: Bodies

    async def examine(
        self, state: TaskState, duty: Verify, executor: Executor, ctx: Context
    ) -> Finding:
        """Return what an executor finds about a candidate.

        Raises:
            WorkFailed: It finds nothing that can be submitted.
        """
        client, candidate = connected(executor, "verify"), state.candidates[duty.candidate]
        body = await self.bodies.get(candidate.output)
        if body is None:
            raise not_here(candidate.output.digest)
        output = parsed(body)
        request = await self._request(state, duty, executor, output)
        await ctx.point("verify.before")
        finding = await _found(client, request, executor, state.terms.time_ms)
        await ctx.point("verify.after")
        is_passed = finding.status is Status.PASSED
        if is_passed and not await self.terms.are_met(state.terms, output, len(body)):
            raise invalid("the verifier passed an output that fails the task's own policy")
        return finding

    async def _request(
        self, state: TaskState, duty: Verify, executor: Executor, output: Json
    ) -> VerifyRequest:
        terms = state.terms
        return VerifyRequest(
            task_id=state.task_id.hex(),
            execution_id=duty.execution_id,
            task_type=terms.task_type,
            profile=executor.settings.profile,
            candidate=_shown(state.candidates[duty.candidate], output),
            output_schema=parse(terms.output_schema.encode(), bytes_max=JSON_CHECKED_BYTES_MAX),
            policy=policy_of(terms.policy),
            inputs=await self.terms.inputs(terms),
            task_contract=document(terms),
        )


async def _found(
    client: ExecutorClient, request: VerifyRequest, executor: Executor, timeout_ms: int
) -> Finding:
    """Return what the executor finds; without an answer, that nothing could be found out."""
    try:
        answer = await client.verify(
            request, timeout_ms=timeout_ms, traceparent=traceparent(request)
        )
    except ExecutorError as error:
        judgement = inconclusive_of(error)
        if judgement is None:
            raise WorkFailed(failure=failure_of(error)) from error
        said, provider, model = judgement, *_origin(executor)
    else:
        said, provider, model = answer, answer.provider_family, answer.model_id
    return Finding(
        status=STATUS_OF[said.outcome],
        score_bp=said.score_bp,
        reason_codes=said.reason_codes,
        provider=provider,
        model=model,
    )


def _origin(executor: Executor) -> tuple[str, str]:
    found = executor.capabilities
    return (found.provider_family, found.model_id) if found else ("unknown", "unknown")


def _shown(candidate: Candidate, output: Json) -> CandidateView:
    return CandidateView(
        candidate_id=candidate.event_id.hex(),
        execution_id=candidate.claim.hex(),
        output=output,
        output_ref=_named(candidate.output),
        evidence_refs=tuple(_named(ref) for ref in candidate.evidence),
    )


def _named(ref: ArtifactRef) -> BodyRef:
    return BodyRef(uri="", digest=ref.digest, size_bytes=ref.size_bytes, mime=ref.mime)
