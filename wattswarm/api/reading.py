"""From a request to a `Call`: path, query, headers and body, each checked before it is used."""

import re
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Any, Final, cast

import attrs
import msgspec
from starlette.requests import Request

from wattswarm.api.operation import Operation, Parameter
from wattswarm.api.problems import Problem
from wattswarm.kernel import json_text
from wattswarm.kernel.errors import Malformed

IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}\Z")
TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


def read_query(parameters: Iterable[Parameter], request: Request) -> Mapping[str, Any]:
    """Return the query's values by name, defaults included.

    Raises:
        Problem: A parameter is unknown, is given twice, or has no sensible value.
    """
    known = {parameter.name: parameter for parameter in parameters}
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    for name in names:
        if name not in known:
            near = ", ".join(sorted(known)) or "none"
            raise Problem(
                code="unknown_parameter", message=f"there is no parameter {name}; known: {near}"
            )
        if names.count(name) > 1:
            raise Problem(code="bad_parameter", message=f"{name} is given twice")
    if any("\0" in word for _, word in given):
        raise Problem(code="bad_parameter", message="no parameter holds U+0000")
    values: dict[str, Any] = {name: parameter.default for name, parameter in known.items()}
    return values | {name: _value(known[name], word) for name, word in given}


def _value(parameter: Parameter, word: str) -> int | str | bool:
    if parameter.kind is str:
        return word
    if parameter.kind is bool and word in TRUTH:
        return TRUTH[word]
    is_number = parameter.kind is int and word.isascii() and word.isdigit() and len(word) < 20
    if is_number and parameter.least <= int(word) <= parameter.most:
        return int(word)
    wanted = "true or false"
    if parameter.kind is int:
        wanted = f"an integer of {parameter.least} to {parameter.most}"
    raise Problem(code="bad_parameter", message=f"{parameter.name} is {wanted}")


def read_path(request: Request) -> Mapping[str, str]:
    """Return the names in the path.

    Raises:
        Problem: One of them is no name: the database takes no U+0000.
    """
    names = cast("Mapping[str, str]", request.path_params)
    if any("\0" in name for name in names.values()):
        raise Problem(code="bad_parameter", message="no name holds U+0000")
    return names


def read_key(operation: Operation, request: Request) -> str | None:
    """Return the Idempotency-Key, where the operation takes one.

    Raises:
        Problem: It is not 1 to 128 visible ASCII characters.
    """
    key = request.headers.get("idempotency-key") if operation.takes_key else None
    if key is not None and not IDEMPOTENCY_KEY.match(key):
        raise Problem(
            code="bad_request", message="Idempotency-Key is 1 to 128 visible ASCII characters"
        )
    return key


async def read_body(operation: Operation, request: Request, bytes_max: int) -> object:
    """Return the body as the operation's type: raw bytes, or a document checked field by field.

    Raises:
        Problem: It is too large, of another media type, not JSON, or not such a document.
    """
    if operation.body is None:
        return None
    content = await _content(request, bytes_max)
    if operation.body is bytes:
        return content
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if media_type.lower() != "application/json":
        raise Problem(code="unsupported_media_type", message="the body must be application/json")
    return document(operation.body, content)


async def _content(request: Request, bytes_max: int) -> bytes:
    too_large = Problem(
        code="body_too_large",
        message=f"the body exceeds {bytes_max} bytes",
        headers={"connection": "close"},
    )
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or len(length) > 15 or int(length) > bytes_max:
        raise too_large
    content = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) > bytes_max:
                raise too_large
    return bytes(content)


def document(kind: type, content: bytes) -> object:
    """Return a JSON document as its class; unknown fields are refused, whatever their value.

    Raises:
        Problem: It is not JSON (`bad_json`), or not such a document (`bad_document`).
    """
    try:
        value = json_text.parse(content, bytes_max=len(content), path="body")
    except Malformed as error:
        raise Problem(code="bad_json", message=f"{error.path}: {error.message}") from error
    _refuse_unknown(kind, value)
    try:
        return cast("object", msgspec.convert(value, kind))
    except (msgspec.ValidationError, RecursionError) as error:
        raise Problem(code="bad_document", message=str(error)) from error


def _refuse_unknown(kind: type, value: object) -> None:
    if not attrs.has(kind) or not isinstance(value, dict):
        return
    known = attrs.fields_dict(kind)
    unknown = sorted(cast("dict[str, object]", value).keys() - known.keys())
    if unknown:
        raise Problem(
            code="bad_document",
            message=f"unknown fields: {', '.join(unknown)[:200]}; known: {', '.join(known)}",
        )
