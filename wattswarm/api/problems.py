"""Refusals and errors as problem documents (RFC 9457), with one table from code to HTTP status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import attrs
import msgspec
from starlette.responses import Response

from wattswarm.kernel.errors import Rejection, WattSwarmError

CONTENT_TYPE: Final = "application/problem+json"

STATUS_BY_CODE: Final[Mapping[str, int]] = {
    # the request itself
    "bad_request": HTTPStatus.BAD_REQUEST,
    "bad_json": HTTPStatus.BAD_REQUEST,
    "bad_parameter": HTTPStatus.BAD_REQUEST,
    "unknown_parameter": HTTPStatus.BAD_REQUEST,
    "malformed": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden_host": HTTPStatus.FORBIDDEN,
    "forbidden_origin": HTTPStatus.FORBIDDEN,
    "chaos_disabled": HTTPStatus.FORBIDDEN,
    "ingest_disabled": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "no_such_route": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    # the document in it
    "bad_document": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_field": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_value": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_version": HTTPStatus.UNPROCESSABLE_ENTITY,
    "inconsistent": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "contract_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "executor_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "dial_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "fault_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    # the state of things
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "not_ready": HTTPStatus.SERVICE_UNAVAILABLE,
    "not_caught_up": HTTPStatus.SERVICE_UNAVAILABLE,
    "read_only": HTTPStatus.SERVICE_UNAVAILABLE,
    "stopping": HTTPStatus.SERVICE_UNAVAILABLE,
    "store_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "down": HTTPStatus.SERVICE_UNAVAILABLE,
    "refused": HTTPStatus.SERVICE_UNAVAILABLE,
    "store_full": HTTPStatus.INSUFFICIENT_STORAGE,
    "too_slow": HTTPStatus.GATEWAY_TIMEOUT,
    "timed_out": HTTPStatus.GATEWAY_TIMEOUT,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
}

STATUS_OF_REJECTION: Final = HTTPStatus.CONFLICT
"""A rule refuses what was asked as things stand; codes with another status are in the table."""


@attrs.define(eq=False, kw_only=True)
class Problem(WattSwarmError):
    """A request that is answered with a problem document."""

    code: str  # pyright: ignore[reportIncompatibleVariableOverride]
    message: str
    details: Mapping[str, object] = attrs.field(factory=dict[str, object])
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def __str__(self) -> str:
        return self.message


def status_of(code: str) -> int:
    """Return the HTTP status of a code."""
    return STATUS_BY_CODE.get(code, STATUS_OF_REJECTION)


def of_rejection(rejection: Rejection) -> Problem:
    """Return a refusal of the node as a problem."""
    return Problem(code=rejection.code, message=rejection.message, details=rejection.details)


def response(problem: Problem) -> Response:
    """Return the answer that tells of a problem; details stand beside the standard members."""
    status = status_of(problem.code)
    document = {
        **problem.details,
        "type": f"urn:wattswarm:problem:{problem.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": problem.code,
        "detail": problem.message,
    }
    return Response(
        msgspec.json.encode(document, enc_hook=str),
        status_code=status,
        headers={**problem.headers, **_retry(status)},
        media_type=CONTENT_TYPE,
    )


def _retry(status: int) -> Mapping[str, str]:
    return {"retry-after": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
