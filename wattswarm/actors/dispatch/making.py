"""Having an output made: an executor's answer becomes stored bodies, ready to be proposed."""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.actors.dispatch.asking import Terms, connected, document, traceparent
from wattswarm.actors.dispatch.bodies import Bodies
from wattswarm.actors.dispatch.clients import Executor
from wattswarm.actors.dispatch.failing import WorkFailed, invalid
from wattswarm.actors.dispatch.seeding import Seed
from wattswarm.actors.dispatch.stored_answer import Proposal
from wattswarm.actors.runtime.actor import Context
from wattswarm.executors.client import ExecutorClient
from wattswarm.executors.contract import ExecuteAnswer, ExecuteRequest
from wattswarm.executors.errors import ExecutorError, failure_of
from wattswarm.executors.fields import Json
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.duty import Execute
from wattswarm.kernel.limits import SUMMARY_BYTES_MAX
from wattswarm.kernel.state import TaskState

JSON_MIME: Final = "application/json"
SUMMARY_MEMBERS: Final = ("summary", "answer", "decision")
"""Members of an output whose text says in short what it is."""


@attrs.frozen
class Maker:
    """Has outputs made."""

    terms: Terms
    bodies: Bodies

    async def make(
        self, state: TaskState, duty: Execute, executor: Executor, seed: Seed, ctx: Context
    ) -> Proposal:
        """Return what an executor made of a task, all of it stored.

        An output that is an earlier one that the executor was told of is proposed as its
        repetition.

        Raises:
            WorkFailed: It made nothing that can be proposed.
            NoRoom: It cannot be stored.
        """
        client = connected(executor, "execute")
        request = await self._request(state, duty, executor, seed)
        await ctx.point("execute.before")
        try:
            answer = await client.execute(
                request, timeout_ms=state.terms.time_ms, traceparent=traceparent(request)
            )
            await ctx.point("execute.after")
            evidence = await self._evidence(answer, client)
        except ExecutorError as error:
            raise WorkFailed(failure=failure_of(error)) from error
        output = await self._output(state, answer)
        return Proposal(
            output=output,
            evidence=evidence,
            summary=summary(answer.candidate_output),
            reuse_of=seed.decision(output.digest),
        )

    async def _request(
        self, state: TaskState, duty: Execute, executor: Executor, seed: Seed
    ) -> ExecuteRequest:
        return ExecuteRequest(
            task_id=state.task_id.hex(),
            execution_id=duty.execution_id,
            task_type=state.terms.task_type,
            profile=executor.settings.profile,
            inputs=await self.terms.inputs(state.terms),
            task_contract=document(state.terms),
            stage=seed.stage,
            seed_bundle=seed.bundle,
        )

    async def _evidence(
        self, answer: ExecuteAnswer, client: ExecutorClient
    ) -> tuple[ArtifactRef, ...]:
        """Store the evidence of an answer, each body once."""
        refs: dict[str, ArtifactRef] = {}
        for item in answer.evidence_inline:
            ref = await self.bodies.put(item.content.encode(), item.mime)
            refs[ref.digest] = ref
        for item in answer.evidence_refs:
            body = await client.fetch_evidence(item)
            ref = await self.bodies.put(body, item.mime)
            refs[ref.digest] = ref
        return tuple(refs.values())

    async def _output(self, state: TaskState, answer: ExecuteAnswer) -> ArtifactRef:
        body = answer.output_body()
        if not await self.terms.are_met(state.terms, answer.candidate_output, len(body)):
            raise invalid("the output does not pass the task's schema and policy")
        return await self.bodies.put(body, JSON_MIME)


def summary(output: Json) -> str | None:
    """Return the text of an output that says in short what it is, cut to what an event may hold."""
    if not isinstance(output, Mapping):
        return None
    for name in SUMMARY_MEMBERS:
        said = output.get(name)
        if isinstance(said, str) and said.strip():
            return said.replace("\0", "").encode()[:SUMMARY_BYTES_MAX].decode(errors="ignore")
    return None
