"""The work itself: an executor's answer becomes stored bodies, and then events.

What an executor answered is stored before anything is signed, under the execution's id: after a
crash the work goes on from there, and an answer that was paid for is not bought twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, cast

import attrs
from trio.to_thread import run_sync as _hop

from wattswarm.actors.dispatch.bodies import RecentBodies
from wattswarm.actors.dispatch.clients import Executor
from wattswarm.actors.dispatch.judge import Judge
from wattswarm.actors.dispatch.keeper import Keeper
from wattswarm.actors.dispatch.stored_answer import (
    Finding,
    Proposal,
    read_finding,
    read_proposal,
)
from wattswarm.actors.runtime.actor import Context
from wattswarm.executors.client import ExecutorClient
from wattswarm.executors.contract import (
    BodyRef,
    CandidateView,
    ExecuteAnswer,
    ExecuteRequest,
    Outcome,
    VerifyRequest,
)
from wattswarm.executors.errors import (
    ExecutorError,
    ExecutorUnavailable,
    Failure,
    FailureReason,
    failure_of,
    inconclusive_of,
)
from wattswarm.executors.fields import Json, parse
from wattswarm.executors.policy_check import policy_of
from wattswarm.kernel import decide
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.contract import Contract, to_payload
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.duty import Check, Confirm, Execute, Verify
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.limits import JSON_CHECKED_BYTES_MAX, SUMMARY_BYTES_MAX
from wattswarm.kernel.payloads import Status
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.state import TaskState
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    ArtifactTooLarge,
    StoreFull,
    StoreUnavailable,
)
from wattswarm.store.local import Execution
from wattswarm.surface.words import plain

JSON_MIME: Final = "application/json"
SUMMARY_MEMBERS: Final = ("summary", "answer", "decision")
"""Members of an output whose text says in short what it is."""


@attrs.define(eq=False, kw_only=True)
class WorkFailed(Exception):
    """The work under a claim has come to nothing; `failure` is what goes into the log."""

    failure: Failure


class NoRoom(Exception):
    """What came of the work cannot be stored: the disk is full, or cannot be written."""


Conclusion: TypeAlias = Callable[[TaskState, int], Signings | Rejection]
"""What comes of a piece of work: events, given the task's state and the time when it is done."""


@attrs.frozen(kw_only=True)
class Workshop:
    """Carries out the duties that need an executor or a body.

    Args:
        judge: Checks outputs against their tasks' schemas and policies.
        keeper: Stores what executors answered.
        timeout_ms: Longest call of an executor.
    """

    me: NodeId
    artifacts: ArtifactStore
    keeper: Keeper
    judge: Judge
    timeout_ms: int
    recent: RecentBodies = attrs.field(factory=RecentBodies)

    async def execute(
        self,
        state: TaskState,
        duty: Execute,
        executor: Executor,
        answers: dict[bytes, bytes],
        ctx: Context,
    ) -> Conclusion:
        """Have an output made; a candidate comes of it.

        Raises:
            WorkFailed: No candidate will come of it.
            NoRoom: Nothing comes of it until there is room.
        """
        key = bytes.fromhex(duty.execution_id)
        stored = answers.get(key)
        if stored is None:
            proposal = await self._make(state, duty, executor, ctx)
            answers[key] = await self._keep(key, state, duty.executor, proposal.encode(), ctx)
        else:
            proposal = read_proposal(stored)
        return lambda then, now_ms: decide.propose(
            then, duty.claim, proposal.output, proposal.evidence, proposal.summary, now_ms
        )

    async def verify(
        self,
        state: TaskState,
        duty: Verify,
        executor: Executor,
        answers: dict[bytes, bytes],
        ctx: Context,
    ) -> Conclusion:
        """Have a candidate verified; a result comes of it, with confirmations of its evidence.

        Raises:
            WorkFailed: No result will come of it.
            NoRoom: Nothing comes of it until there is room.
        """
        key = bytes.fromhex(duty.execution_id)
        stored = answers.get(key)
        if stored is None:
            finding = await self._judge(state, duty, executor, ctx)
            answers[key] = await self._keep(key, state, duty.executor, finding.encode(), ctx)
        else:
            finding = read_finding(stored)
        proofs = await self._proofs(state, duty.candidate, duty.digests)
        return lambda then, now_ms: decide.submit_result(
            then,
            duty.claim,
            duty.candidate,
            finding.status,
            finding.score_bp,
            finding.reason_codes,
            finding.provider,
            finding.model,
            proofs,
            now_ms,
        )

    async def confirm(self, state: TaskState, duty: Confirm) -> Conclusion:
        """Hold what evidence is here; confirmations come of it, none when none is."""
        proofs = await self._proofs(state, duty.candidate, duty.digests)
        if not proofs:
            return nothing
        return lambda then, now_ms: decide.confirm(then, duty.claim, duty.candidate, proofs, now_ms)

    async def check(self, state: TaskState, duty: Check) -> bool | None:
        """Tell whether a candidate's output passes; None while a body of it is missing here."""
        candidate = state.candidates[duty.candidate]
        for ref in candidate.evidence:
            if not await _hop(self.artifacts.has, ref):
                return None
        body = await self._body(candidate.output)
        if body is None:
            return None
        try:
            return await self._passes(state.terms, _parsed(body), len(body))
        except WorkFailed:
            return False

    # --- within ---------------------------------------------------------------------------------

    async def _keep(
        self, key: bytes, state: TaskState, executor: str, answer: bytes, ctx: Context
    ) -> bytes:
        await ctx.point("store.before")
        execution = Execution(
            execution_id=key, task_id=state.task_id, executor=executor, answer=answer
        )
        try:
            await self.keeper.keep(execution)
        except StoreFull as error:
            raise NoRoom(str(error)) from error
        await ctx.point("store.after")
        return answer

    async def _make(
        self, state: TaskState, duty: Execute, executor: Executor, ctx: Context
    ) -> Proposal:
        terms, client = state.terms, _client(executor, "execute")
        request = ExecuteRequest(
            task_id=state.task_id.hex(),
            execution_id=duty.execution_id,
            task_type=terms.task_type,
            profile=executor.settings.profile,
            inputs=await self._inputs(terms),
            task_contract=_document(terms),
        )
        await ctx.point("execute.before")
        try:
            answer = await client.execute(request, timeout_ms=min(self.timeout_ms, terms.time_ms))
            await ctx.point("execute.after")
            evidence = await self._evidence(answer, client)
        except ExecutorError as error:
            raise WorkFailed(failure=failure_of(error)) from error
        body = answer.output_body()
        if not await self._passes(terms, answer.candidate_output, len(body)):
            raise _invalid("the output does not pass the task's schema and policy")
        output = await self._put(body, JSON_MIME)
        return Proposal(output=output, evidence=evidence, summary=_summary(answer.candidate_output))

    async def _evidence(
        self, answer: ExecuteAnswer, client: ExecutorClient
    ) -> tuple[ArtifactRef, ...]:
        """Store the evidence of an answer, each body once."""
        refs: dict[str, ArtifactRef] = {}
        for item in answer.evidence_inline:
            ref = await self._put(item.content.encode(), item.mime)
            refs[ref.digest] = ref
        for item in answer.evidence_refs:
            body = await client.fetch_evidence(item)
            ref = await self._put(body, item.mime)
            refs[ref.digest] = ref
        return tuple(refs.values())

    async def _judge(
        self, state: TaskState, duty: Verify, executor: Executor, ctx: Context
    ) -> Finding:
        terms, client = state.terms, _client(executor, "verify")
        candidate = state.candidates[duty.candidate]
        body = await self._body(candidate.output)
        if body is None:
            raise WorkFailed(
                failure=Failure(
                    reason=FailureReason.OTHER,
                    reason_codes=(int(ReasonCode.EVIDENCE_UNREACHABLE),),
                    message=f"the output {candidate.output.digest} is not here",
                )
            )
        output = _parsed(body)
        request = VerifyRequest(
            task_id=state.task_id.hex(),
            execution_id=duty.execution_id,
            task_type=terms.task_type,
            profile=executor.settings.profile,
            candidate=CandidateView(
                candidate_id=duty.candidate.hex(),
                execution_id=candidate.claim.hex(),
                output=output,
                output_ref=_shown(candidate.output),
                evidence_refs=tuple(_shown(ref) for ref in candidate.evidence),
            ),
            output_schema=parse(terms.output_schema.encode(), bytes_max=JSON_CHECKED_BYTES_MAX),
            policy=policy_of(terms.policy),
            inputs=await self._inputs(terms),
            task_contract=_document(terms),
        )
        await ctx.point("verify.before")
        finding = await self._asked(client, request, executor, terms)
        await ctx.point("verify.after")
        if finding.status is Status.PASSED and not await self._passes(terms, output, len(body)):
            raise _invalid("the verifier passed an output that fails the task's own policy")
        return finding

    async def _asked(
        self, client: ExecutorClient, request: VerifyRequest, executor: Executor, terms: Contract
    ) -> Finding:
        """Return what the executor finds; without an answer, that nothing could be found out."""
        try:
            answer = await client.verify(request, timeout_ms=min(self.timeout_ms, terms.time_ms))
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

    async def _proofs(
        self, state: TaskState, candidate: EventId, digests: Sequence[str]
    ) -> Sequence[tuple[str, Digest]]:
        """Return proofs for those pieces of evidence whose bodies are here."""
        refs = {ref.digest: ref for ref in state.candidates[candidate].evidence}
        proofs: list[tuple[str, Digest]] = []
        for digest in digests:
            body = await self._body(refs[digest])
            if body is not None:
                proofs.append((digest, possession_proof(self.me, candidate, (body,))))
        return proofs

    async def _inputs(self, terms: Contract) -> Mapping[str, Json]:
        if terms.inputs_ref is None:
            text = (terms.inputs or "{}").encode()
        else:
            body = await self._body(terms.inputs_ref)
            if body is None:
                raise _invalid(f"the inputs {terms.inputs_ref.digest} are not here")
            text = body
        inputs = _parsed(text)
        if not isinstance(inputs, Mapping):
            raise _invalid("the task's inputs are no JSON object")
        return inputs

    async def _put(self, body: bytes, mime: str) -> ArtifactRef:
        try:
            ref = await _hop(self.artifacts.put, body, mime)
        except ArtifactTooLarge as error:
            raise _invalid(str(error)) from error
        except (StoreFull, StoreUnavailable) as error:
            raise NoRoom(str(error)) from error
        self.recent.put(ref.digest, body)
        return ref

    async def _passes(self, terms: Contract, output: Json, size_bytes: int) -> bool:
        """Tell whether an output passes the task's schema and policy."""
        if size_bytes > JSON_CHECKED_BYTES_MAX:
            return False
        try:
            return await self.judge.passes(
                terms.policy, terms.output_schema, output, size_bytes=size_bytes
            )
        except Malformed as error:
            raise _invalid(f"the task's own schema or policy cannot be used: {error}") from error

    async def _body(self, ref: ArtifactRef) -> bytes | None:
        body = self.recent.get(ref.digest)
        if body is not None and len(body) == ref.size_bytes:
            return body
        try:
            body = await _hop(self.artifacts.get, ref)
        except (ArtifactMissing, ArtifactDamaged):
            return None
        self.recent.put(ref.digest, body)
        return body


def nothing(_state: TaskState, _now_ms: int) -> Signings:
    """Conclude nothing."""
    return ()


STATUS_OF: Final[Mapping[Outcome, Status]] = {
    Outcome.PASSED: Status.PASSED,
    Outcome.FAILED: Status.FAILED,
    Outcome.INCONCLUSIVE: Status.INCONCLUSIVE,
}


def _invalid(message: str) -> WorkFailed:
    return WorkFailed(
        failure=Failure(
            reason=FailureReason.INVALID_OUTPUT,
            reason_codes=(int(ReasonCode.INVALID_OUTPUT),),
            message=message,
        )
    )


def _client(executor: Executor, call: str) -> ExecutorClient:
    if executor.client is None:
        error = ExecutorUnavailable(
            executor=executor.settings.name, call=call, reason="it is not connected"
        )
        raise WorkFailed(failure=failure_of(error))
    return executor.client


def _origin(executor: Executor) -> tuple[str, str]:
    found = executor.capabilities
    return (found.provider_family, found.model_id) if found else ("unknown", "unknown")


def _parsed(text: bytes) -> Json:
    try:
        return parse(text, bytes_max=JSON_CHECKED_BYTES_MAX)
    except Malformed as error:
        raise _invalid(str(error)) from error


def _document(terms: Contract) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", plain(to_payload(terms)))


def _shown(ref: ArtifactRef) -> BodyRef:
    return BodyRef(uri="", digest=ref.digest, size_bytes=ref.size_bytes, mime=ref.mime)


def _summary(output: Json) -> str | None:
    """Return the text of an output that says in short what it is, cut to what an event may hold."""
    if not isinstance(output, Mapping):
        return None
    for name in SUMMARY_MEMBERS:
        said = output.get(name)
        if isinstance(said, str) and said.strip():
            return said.replace("\0", "").encode()[:SUMMARY_BYTES_MAX].decode(errors="ignore")
    return None
