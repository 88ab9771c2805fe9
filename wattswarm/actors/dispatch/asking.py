"""What executors are asked: the task as they see it, and what came of an answer judged by it."""

from collections.abc import Mapping
from typing import cast

import attrs

from wattswarm.actors.dispatch.bodies import Bodies
from wattswarm.actors.dispatch.clients import Executor
from wattswarm.actors.dispatch.failing import WorkFailed, invalid
from wattswarm.actors.dispatch.judge import Judge
from wattswarm.executors.client import ExecutorClient
from wattswarm.executors.contract import ExecuteRequest, VerifyRequest
from wattswarm.executors.errors import ExecutorUnavailable, failure_of
from wattswarm.executors.fields import Json, parse
from wattswarm.kernel.contract import Contract, to_payload
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import JSON_CHECKED_BYTES_MAX
from wattswarm.surface.words import plain


@attrs.frozen(kw_only=True)
class Terms:
    """Reads what a task asks for, and holds outputs against it."""

    bodies: Bodies
    judge: Judge

    async def inputs(self, terms: Contract) -> Mapping[str, Json]:
        """Return a task's inputs.

        Raises:
            WorkFailed: They are not here, or no JSON object.
        """
        if terms.inputs_ref is None:
            text = (terms.inputs or "{}").encode()
        else:
            body = await self.bodies.get(terms.inputs_ref)
            if body is None:
                raise invalid(f"the inputs {terms.inputs_ref.digest} are not here")
            text = body
        inputs = parsed(text)
        if not isinstance(inputs, Mapping):
            raise invalid("the task's inputs are no JSON object")
        return inputs

    async def are_met(self, terms: Contract, output: Json, size_bytes: int) -> bool:
        """Tell whether an output passes the task's schema and policy.

        Raises:
            WorkFailed: They cannot be used.
        """
        if size_bytes > JSON_CHECKED_BYTES_MAX:
            return False
        try:
            return await self.judge.passes(
                terms.policy, terms.output_schema, output, size_bytes=size_bytes
            )
        except Malformed as error:
            raise invalid(f"the task's own schema or policy cannot be used: {error}") from error


def document(terms: Contract) -> Mapping[str, Json]:
    """Return a contract as executors read it."""
    return cast("Mapping[str, Json]", plain(to_payload(terms)))


def parsed(text: bytes) -> Json:
    """Return the JSON value of a body.

    Raises:
        WorkFailed: It is none.
    """
    try:
        return parse(text, bytes_max=JSON_CHECKED_BYTES_MAX)
    except Malformed as error:
        raise invalid(str(error)) from error


def traceparent(request: ExecuteRequest | VerifyRequest) -> str:
    """Return the trace of a request: each task is a trace, each execution a span of it.

    Source: W3C Trace Context.
    """
    return f"00-{request.task_id[:32]}-{request.execution_id[:16]}-01"


def connected(executor: Executor, call: str) -> ExecutorClient:
    """Return the client of an executor.

    Raises:
        WorkFailed: It is not connected.
    """
    if executor.client is None:
        error = ExecutorUnavailable(
            executor=executor.settings.name, call=call, reason="it is not connected"
        )
        raise WorkFailed(failure=failure_of(error))
    return executor.client
