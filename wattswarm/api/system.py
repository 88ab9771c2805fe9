"""Routes beside the operations: liveness, readiness, metrics, the OpenAPI document, failures."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from wattswarm import __version__
from wattswarm.api import metrics
from wattswarm.api.gate import Traffic
from wattswarm.api.problems import Problem, response
from wattswarm.kernel.errors import WattSwarmError
from wattswarm.surface.backend import NodeApi
from wattswarm.telemetry.metrics import exposition

Endpoint = Callable[[Request], Awaitable[Response]]

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

CODE_BY_STATUS: Final = {
    HTTPStatus.NOT_FOUND: ("no_such_route", "there is nothing at this path"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "this path does not take this method"),
}


def constant(content: bytes) -> Endpoint:
    """Return the endpoint that always answers with one JSON document."""

    async def serve(_request: Request) -> Response:
        return Response(content, media_type="application/json")

    return serve


def health(api: NodeApi) -> Endpoint:
    """Return the endpoint that answers while the process does, and tells of armed faults."""

    async def serve(_request: Request) -> Response:
        readiness = await api.readiness()
        alive = {
            "status": "ok",
            "state": readiness.state,
            "version": __version__,
            "faults_armed": readiness.faults_armed,
        }
        return _json(alive, HTTPStatus.OK)

    return serve


def ready(api: NodeApi) -> Endpoint:
    """Return the endpoint that answers 200 when the node takes work, else 503 and why."""

    async def serve(_request: Request) -> Response:
        readiness = await api.readiness()
        status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _json(readiness, status)

    return serve


def prometheus(api: NodeApi, traffic: Traffic) -> Endpoint:
    """Return the endpoint that shows metrics, those of the database only while there is one."""

    async def serve(_request: Request) -> Response:
        readings = [*metrics.of_actors(await api.actors_top()), *metrics.of_api(traffic)]
        try:
            readings += metrics.of_node(await api.node())
            readings += metrics.of_executors(await api.executors())
        except WattSwarmError as error:
            structlog.get_logger().warning("metrics_incomplete", error=str(error), code=error.code)
        return Response(exposition(readings), media_type=METRICS_TYPE)

    return serve


def _json(document: object, status: int) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")


async def http_problem(_request: Request, error: Exception) -> Response:
    """Answer what the router refuses."""
    assert isinstance(error, HTTPException), error
    code, message = CODE_BY_STATUS.get(HTTPStatus(error.status_code), ("bad_request", error.detail))
    return response(Problem(code=code, message=message, headers=error.headers or {}))


async def internal_problem(_request: Request, error: Exception) -> Response:
    """Answer after a bug of ours; the server logs the traceback."""
    return response(Problem(code="internal", message=f"a bug of this node: {type(error).__name__}"))
