"""The ASGI application of a node: every route is made from the table of operations."""

from typing import Final

import attrs
import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from wattswarm.api import system
from wattswarm.api.endpoint import Bounds, endpoint
from wattswarm.api.gate import STREAM_PATH, Gate, Traffic, known_hosts
from wattswarm.api.openapi import openapi
from wattswarm.api.operation import PREFIX, Operation
from wattswarm.api.routes import OPERATIONS
from wattswarm.api.stream import StreamEndpoint
from wattswarm.config.check import is_loopback
from wattswarm.config.settings import NodeConfig
from wattswarm.surface.backend import NodeApi

KIB: Final = 1_024
MIB: Final = 1_048_576


@attrs.frozen(kw_only=True)
class ApiSettings:
    """What the application is set to."""

    token: str = attrs.field(repr=False)
    host: str
    """The host that the server listens on."""
    bounds: Bounds
    allowed_hosts: tuple[str, ...] = ()
    requests_max: int = 64
    streams_max: int = 32
    heartbeat_ms: int = 10_000
    is_chaos_enabled: bool = False


def api_settings(config: NodeConfig, *, token: str, host: str) -> ApiSettings:
    """Return what a node's configuration says about its API."""
    api = config.api
    return ApiSettings(
        token=token,
        host=host,
        bounds=Bounds(
            body_bytes_max=api.body_kib_max * KIB,
            archive_bytes_max=config.ingest.archive_mib_max * MIB,
            request_ms=api.request_ms,
            page_items=api.page_items,
        ),
        allowed_hosts=api.allowed_hosts,
        requests_max=api.requests_max,
        streams_max=api.streams_max,
        heartbeat_ms=api.stream_heartbeat_ms,
        is_chaos_enabled=config.chaos.enabled,
    )


def create_app(api: NodeApi, settings: ApiSettings) -> ASGIApp:
    """Return the application; it holds no state but counters."""
    traffic = Traffic()
    operations = [item for item in OPERATIONS if settings.is_chaos_enabled or not _is_chaos(item)]
    app = Starlette(
        routes=[*_system_routes(api, settings, traffic, operations)]
        + [
            Route(item.path, endpoint(item, api, settings.bounds), methods=[item.method])
            for item in operations
        ],
        exception_handlers={
            HTTPException: system.http_problem,
            Exception: system.internal_problem,
        },
    )
    return Gate(
        app=app,
        token=settings.token,
        hosts=known_hosts(settings.host, settings.allowed_hosts),
        is_metrics_open=is_loopback(settings.host),
        requests_max=settings.requests_max,
        streams_max=settings.streams_max,
        traffic=traffic,
    )


def _system_routes(
    api: NodeApi, settings: ApiSettings, traffic: Traffic, operations: list[Operation]
) -> list[Route]:
    document = msgspec.json.encode(openapi(operations))
    stream = StreamEndpoint(api, settings.heartbeat_ms / 1_000)
    return [
        Route("/healthz", system.health(api)),
        Route("/readyz", system.ready(api)),
        Route("/metrics", system.prometheus(api, traffic)),
        Route(f"{PREFIX}/openapi.json", system.constant(document)),
        Route(STREAM_PATH, stream, methods=["GET"]),
    ]


def _is_chaos(operation: Operation) -> bool:
    return operation.path.startswith(f"{PREFIX}/chaos/")
