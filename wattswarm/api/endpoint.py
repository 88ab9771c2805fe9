"""How an operation is served: read, wait for the projections, call, answer."""

from collections.abc import Awaitable, Callable

import attrs
import msgspec
import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from wattswarm.api.archive import ArchiveResponse
from wattswarm.api.operation import Call, Operation
from wattswarm.api.problems import Problem, of_rejection, response
from wattswarm.api.reading import read_body, read_key, read_path, read_query
from wattswarm.kernel.errors import Rejection, WattSwarmError
from wattswarm.surface.backend import NodeApi
from wattswarm.surface.log import EventArchive
from wattswarm.surface.task import ArtifactBody


@attrs.frozen(kw_only=True)
class Bounds:
    """What a request may cost."""

    body_bytes_max: int
    archive_bytes_max: int
    request_ms: int
    page_items: int


def endpoint(
    operation: Operation, api: NodeApi, bounds: Bounds
) -> Callable[[Request], Awaitable[ASGIApp]]:
    """Return the function that answers requests for an operation; it never raises our errors."""

    async def serve(request: Request) -> ASGIApp:
        deadline_ms = operation.deadline_ms or bounds.request_ms
        with trio.move_on_after(deadline_ms / 1_000):
            try:
                return await _answer(operation, api, bounds, request)
            except WattSwarmError as error:
                return response(_of_error(error))
        slow = f"the node did not answer within {deadline_ms} ms"
        return response(Problem(code="timed_out", message=slow))

    return serve


async def _answer(operation: Operation, api: NodeApi, bounds: Bounds, request: Request) -> ASGIApp:
    call = await _read(operation, api, bounds, request)
    await _catch_up(api, call)
    outcome = await operation.call(call)
    match outcome:
        case Rejection():
            return response(of_rejection(outcome))
        case ArtifactBody():
            return _attachment(outcome)
        case EventArchive():
            return ArchiveResponse(outcome)
        case _:
            content = msgspec.json.encode(outcome)
            return Response(content, operation.status, media_type="application/json")


async def _read(operation: Operation, api: NodeApi, bounds: Bounds, request: Request) -> Call:
    bytes_max = bounds.archive_bytes_max if operation.body is bytes else bounds.body_bytes_max
    query = dict(read_query(operation.parameters, request))
    if "limit" in query and query["limit"] is None:
        query["limit"] = bounds.page_items
    return Call(
        api=api,
        path=read_path(request),
        query=query,
        idempotency_key=read_key(operation, request),
        body=await read_body(operation, request, bytes_max),
    )


async def _catch_up(api: NodeApi, call: Call) -> None:
    seq = call.query.get("min_seq")
    if seq is not None and not await api.caught_up(seq):
        raise Problem(code="not_caught_up", message=f"the projections do not hold seq {seq} yet")


def _of_error(error: WattSwarmError) -> Problem:
    if isinstance(error, Problem):
        return error
    return Problem(code=error.code, message=str(error) or error.code)


def _attachment(body: ArtifactBody) -> Response:
    """Return a body as a download: no browser may take it for a page of ours."""
    return Response(
        body.content,
        media_type=body.mime,
        headers={
            "content-disposition": f'attachment; filename="{body.digest.replace(":", "-")}"',
            "content-security-policy": "sandbox",
            "etag": f'"{body.digest}"',
        },
    )
