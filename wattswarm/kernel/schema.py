"""JSON Schema, as outputs and policy parameters are checked: draft 2020-12, whole, and bounded.

A schema refers to nothing outside itself, its patterns run in linear time, and nesting is bounded.
A schema can still multiply the work (alternatives of alternatives), so untrusted ones are checked
in a worker process that may be killed, never where state is derived.

Source: JSON Schema 2020-12 (core and validation).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, cast

import jsonschema_rs

from wattswarm.kernel import json_text
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import (
    SCHEMA_BYTES_MAX,
    SCHEMA_FAULTS_MAX,
    SCHEMA_PATTERN_BYTES_MAX,
    SCHEMA_REFERENCES_MAX,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MESSAGE_CHARS_MAX: Final = 300

PATTERNS: Final = jsonschema_rs.RegexOptions(
    size_limit=SCHEMA_PATTERN_BYTES_MAX, dfa_size_limit=SCHEMA_PATTERN_BYTES_MAX
)
"""The engine without look-around and back-references: linear in the text."""


class Schema:
    """A compiled schema."""

    __slots__ = ("_validator",)

    def __init__(self, schema: Mapping[str, object], path: str = "$") -> None:
        """Compile a schema.

        Raises:
            Malformed: `bad_schema`, `bad_json` or `too_large`, with a path that begins with `path`.
        """
        size = len(json_text.write(schema, path).encode())
        if size > SCHEMA_BYTES_MAX:
            raise Malformed(
                code="too_large",
                path=path,
                message=f"a schema of {size} bytes, at most {SCHEMA_BYTES_MAX} are allowed",
            )
        if schema.get("$schema", DIALECT) != DIALECT:
            raise _bad(f"{path}.$schema", f"only {DIALECT} is understood; leave this field out")
        _check_references(schema, path)
        self._validator = _compile(schema, path)

    def is_valid(self, value: object) -> bool:
        """Tell whether a JSON value that `json_text.check` has passed is valid."""
        return self._validator.is_valid(value)

    def faults(self, value: object, path: str = "$") -> Iterator[tuple[str, str]]:
        """Yield (path, message) for the first faults of a JSON value."""
        for fault in islice(self._validator.iter_errors(value), SCHEMA_FAULTS_MAX):
            yield _json_path(path, fault.instance_path), _brief(fault.message)


REFERRING: Final = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})


def _check_references(schema: Mapping[str, object], path: str) -> None:
    """Refuse a schema that takes exponential time to compile; the others take linear time.

    Raises:
        Malformed: `bad_schema`.
    """
    words = Counter(_words(schema))
    references = sum(words[word] for word in REFERRING)
    if references > SCHEMA_REFERENCES_MAX and not UNEVALUATED.isdisjoint(words):
        raise _bad(
            path,
            f"a schema with {' or '.join(sorted(UNEVALUATED))} may refer to others "
            f"{SCHEMA_REFERENCES_MAX} times, not {references}: write these parts out",
        )


def _words(value: object) -> Iterator[str]:
    """Yield every name of every object in a JSON value."""
    match value:
        case Mapping():
            for name, item in cast("Mapping[str, object]", value).items():
                yield name
                yield from _words(item)
        case list() | tuple():
            for item in cast("Sequence[object]", value):
                yield from _words(item)
        case _:
            pass


def _compile(schema: Mapping[str, object], path: str) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.Draft202012Validator(
            cast("dict[str, Any]", dict(schema)), offline=True, pattern_options=PATTERNS
        )
    except jsonschema_rs.ValidationError as error:
        where = _json_path(path, error.instance_path)
        raise _bad(where, f"not a JSON Schema: {_brief(error.message)}") from error


def _json_path(root: str, parts: list[str | int]) -> str:
    return root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _brief(message: str) -> str:
    """Return a message without most of a long document that it quotes."""
    return message if len(message) <= MESSAGE_CHARS_MAX else f"{message[: MESSAGE_CHARS_MAX - 1]}…"


def _bad(path: str, message: str) -> Malformed:
    return Malformed(code="bad_schema", path=path, message=message)
