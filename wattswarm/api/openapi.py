"""The OpenAPI 3.1 document, made from the table of operations and the classes of the documents."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from wattswarm import __version__
from wattswarm.api.operation import Operation, Parameter
from wattswarm.api.problems import CONTENT_TYPE, status_of
from wattswarm.api.stream import PARAMETERS
from wattswarm.kernel.archive import MEDIA_TYPE
from wattswarm.surface.log import EventArchive
from wattswarm.surface.stream import EventNews, NodeNews, TaskNews
from wattswarm.surface.task import ArtifactBody

REF: Final = "#/components/schemas/{name}"
EVERY_CODE: Final = ("bad_request", "unauthorized", "overloaded", "timed_out")

PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "RFC 9457; details of the code stand beside the standard members.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; see docs/operating/api.md."},
        "detail": {"type": "string"},
    },
}

CONTENT_BY_KIND: Final[Mapping[type, str]] = {
    bytes: MEDIA_TYPE,
    EventArchive: MEDIA_TYPE,
    ArtifactBody: "application/octet-stream",
}
"""Media types of what is no JSON; the only body of raw bytes is an archive."""

NAMES: Final[Mapping[type, str]] = {int: "integer", str: "string", bool: "boolean"}


def openapi(operations: Iterable[Operation]) -> Mapping[str, Any]:
    """Return the document of some operations and of the routes that every node has."""
    table = tuple(operations)
    schemas, components = _schemas(table)
    paths: dict[str, dict[str, Any]] = {
        path: {"get": dict(item)} for path, item in SYSTEM_PATHS.items()
    }
    for operation in table:
        item = paths.setdefault(documented_path(operation), {})
        item[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "WattSwarm node",
            "version": __version__,
            "license": {"name": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**components, "Problem": dict(PROBLEM)},
        },
    }


def documented_path(operation: Operation) -> str:
    """Return the path as OpenAPI writes it."""
    return operation.path.replace(":path}", "}")


def _schemas(table: tuple[Operation, ...]) -> tuple[Mapping[type, Any], Mapping[str, Any]]:
    kinds = {EventNews, TaskNews, NodeNews} | {
        kind
        for operation in table
        for kind in (operation.answer, operation.body)
        if kind not in (None, *CONTENT_BY_KIND)
    }
    ordered = sorted(kinds, key=lambda kind: str(kind))
    made, components = msgspec.json.schema_components(
        ordered, schema_hook=_anything, ref_template=REF
    )
    return dict(zip(ordered, made, strict=True)), components


def _anything(kind: type) -> dict[str, Any]:
    """Return the schema of `object`, which takes any JSON."""
    assert kind is object, kind
    return {"description": "Any JSON."}


def _operation(operation: Operation, schemas: Mapping[type, Any]) -> Mapping[str, Any]:
    item: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[3]],
        "parameters": [*_path_parameters(operation), *map(_parameter, operation.parameters)],
        "responses": _responses(operation, schemas),
    }
    if operation.takes_key:
        item["parameters"].append(_idempotency_key())
    if operation.body is not None:
        item["requestBody"] = {"required": True, "content": _content(operation.body, schemas)}
    return item


def _path_parameters(operation: Operation) -> list[Mapping[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", documented_path(operation))
    ]


def _parameter(parameter: Parameter) -> Mapping[str, Any]:
    schema: dict[str, Any] = {"type": NAMES[parameter.kind]}
    if parameter.kind is int:
        schema |= {"minimum": parameter.least, "maximum": parameter.most}
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.meaning,
        "schema": schema,
    }


def _idempotency_key() -> Mapping[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key with the same body has the effect of one request.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    }


def _responses(operation: Operation, schemas: Mapping[type, Any]) -> Mapping[str, Any]:
    answer = {"description": operation.summary, "content": _content(operation.answer, schemas)}
    responses: dict[str, Any] = {str(operation.status): answer}
    for code in (*operation.codes, *EVERY_CODE):
        status = str(int(status_of(code)))
        before = responses.get(status, {"description": ""})["description"]
        responses[status] = {
            "description": f"{before}, {code}".lstrip(", "),
            "content": {CONTENT_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}},
        }
    return responses


def _content(kind: type, schemas: Mapping[type, Any]) -> Mapping[str, Any]:
    if kind in CONTENT_BY_KIND:
        return {CONTENT_BY_KIND[kind]: {}}
    return {"application/json": {"schema": schemas[kind]}}


def _text(name: str, summary: str, kind: str, **more: object) -> Mapping[str, object]:
    content: dict[str, object] = {kind: {"schema": {}}}
    answer = {"200": {"description": summary, "content": content}}
    return {"operationId": name, "summary": summary, "responses": answer, **more}


SYSTEM_PATHS: Final[Mapping[str, Mapping[str, object]]] = {
    "/healthz": _text("healthz", "The node's process answers.", "application/json", security=[]),
    "/readyz": _text("readyz", "200 when the node takes work.", "application/json", security=[]),
    "/metrics": _text("metrics", "Metrics for Prometheus.", "text/plain"),
    "/api/v1/openapi.json": _text("openapi", "This document.", "application/json"),
    "/api/v1/stream": _text(
        "stream",
        "News as server-sent events of the kinds event, task and node; resumable.",
        "text/event-stream",
        parameters=[_parameter(parameter) for parameter in PARAMETERS],
    ),
}
