"""The form of a payload: which fields a kind has, and how each is read and written.

A form is a table, not code: a class, and for each of its fields the function that reads it. Reading
knows no defaults; an optional field that is absent is None, and None is never written.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final, Generic, TypeAlias, TypeVar, cast

import attrs

from wattswarm.kernel import artifact, fields
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import ARTIFACT_DIGEST, ID_TEXT, EventId
from wattswarm.kernel.limits import (
    ARRAY_ITEMS_MAX,
    ATTEMPT_MAX,
    BASIS_POINTS,
    CREATED_AT_MAX,
    ID_CHARS_MAX,
    REASON_BYTES_MAX,
    REASON_CODE_MAX,
    REASON_CODES_MAX,
    RECEIPT_BYTES_MAX,
    SUMMARY_BYTES_MAX,
)

P = TypeVar("P", covariant=True)
Reader: TypeAlias = "Callable[[Value, str], object]"

PATH: Final = "$.payload"


@attrs.frozen
class Form(Generic[P]):
    """The fields of one payload class: `required` and `optional` map their names to readers."""

    kind: str
    made: Callable[..., P]
    required: Mapping[str, Reader]
    optional: Mapping[str, Reader] = attrs.field(factory=dict[str, Reader])

    @cached_property
    def _readers(self) -> Mapping[str, tuple[Reader, str]]:
        both = {**self.required, **self.optional}
        return {name: (reader, f"{PATH}.{name}") for name, reader in both.items()}

    @cached_property
    def _names(self) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(self.required), frozenset(self.optional)

    def read(self, payload: Mapping[str, Value]) -> P:
        """Return the payload that this map is.

        Raises:
            Malformed: `unknown_field` or `bad_field`, with the path.
        """
        required, optional = self._names
        found = fields.mapping(payload, PATH, required=required, optional=optional)
        readers = self._readers
        made: dict[str, object] = {}
        for name, value in found.items():
            reader, path = readers[name]
            made[name] = reader(value, path)
        return self.made(**made)


def write(payload: object) -> dict[str, Value]:
    """Return the map that a payload class stands for; what is None is left out."""
    names = [field.name for field in attrs.fields(cast("type[attrs.AttrsInstance]", type(payload)))]
    values = ((name, getattr(payload, name)) for name in names)
    return {name: plain(value) for name, value in values if value is not None}


def plain(value: object) -> Value:
    """Return the canonical value of one field."""
    match value:
        case bool() | bytes():
            return value
        case int():
            return int(value)
        case str():
            return str.__str__(value)
        case ArtifactRef():
            return value.to_payload()
        case tuple() | list():
            return [plain(item) for item in cast("Sequence[object]", value)]
        case _:
            return cast("Value", value)


# --- readers of fields ------------------------------------------------------------------------


def id32(value: Value, path: str) -> bytes:
    """Return the id, node or hash of 32 bytes that `value` is."""
    if type(value) is not bytes or len(value) != 32:
        raise fields.bad(path, "not a byte string of 32 bytes")
    return value


def ids(value: Value, path: str) -> tuple[EventId, ...]:
    """Return the array of event ids that `value` is."""
    return _ids(value, path, ARRAY_ITEMS_MAX)


def ids_up_to(most: int) -> Reader:
    """Return a reader of an array of at most `most` event ids."""
    return lambda value, path: _ids(value, path, most)


def _ids(value: Value, path: str, most: int) -> tuple[EventId, ...]:
    items = fields.array(value, path, most=most)
    for item in items:
        if type(item) is not bytes or len(item) != 32:
            raise fields.bad(path, "an item is not a byte string of 32 bytes")
    return tuple(cast("Sequence[EventId]", items))


def number(value: Value, path: str) -> int:
    """Return the number that `value` is."""
    return fields.uint(value, path)


def date(value: Value, path: str) -> int:
    """Return the date in ms since the Unix epoch that `value` is."""
    return fields.uint(value, path, most=CREATED_AT_MAX)


def attempt(value: Value, path: str) -> int:
    """Return the number of an attempt that `value` is."""
    return fields.uint(value, path, least=1, most=ATTEMPT_MAX)


def basis_points(value: Value, path: str) -> int:
    """Return the fraction in basis points that `value` is."""
    return fields.uint(value, path, most=BASIS_POINTS)


def flag(value: Value, path: str) -> bool:
    """Return the boolean that `value` is."""
    return fields.flag(value, path)


def reason(value: Value, path: str) -> str:
    """Return the reason for people that `value` is."""
    return fields.text(value, path, bytes_max=REASON_BYTES_MAX)


def receipt(value: Value, path: str) -> str:
    """Return the receipt that `value` is."""
    return fields.text(value, path, bytes_max=RECEIPT_BYTES_MAX)


def summary(value: Value, path: str) -> str:
    """Return the summary that `value` is."""
    return fields.text(value, path, bytes_max=SUMMARY_BYTES_MAX)


def name(value: Value, path: str) -> str:
    """Return the id string that `value` is."""
    if type(value) is not str or not ID_TEXT.match(value):
        raise fields.bad(path, "not 1 to 128 letters, digits, dots, colons, dashes or underscores")
    return value


def words(allowed: Sequence[str]) -> Reader:
    """Return a reader of an array of some of the `allowed` words, each once and in that order."""
    place = {word: index for index, word in enumerate(allowed)}

    def read(value: Value, path: str) -> tuple[str, ...]:
        items = fields.array(value, path, most=len(allowed))
        found = tuple(fields.word(item, f"{path}[{at}]", allowed) for at, item in enumerate(items))
        if any(place[left] >= place[right] for left, right in pairwise(found)):
            raise fields.bad(path, f"not in the order {', '.join(allowed)}, or one stands twice")
        return found

    return read


def label(value: Value, path: str) -> str:
    """Return the text for people, not blank, that `value` is: a provider or a model."""
    if type(value) is not str or not value.strip() or len(value) > ID_CHARS_MAX:
        raise fields.bad(path, f"not text of 1 to {ID_CHARS_MAX} characters that is not blank")
    return value


def artifact_digest(value: Value, path: str) -> str:
    """Return the name of an artifact that `value` is."""
    if type(value) is not str or not ARTIFACT_DIGEST.match(value):
        raise fields.bad(path, "not `blake3:` and 64 lower-case hex digits")
    return value


def artifact_ref(value: Value, path: str) -> ArtifactRef:
    """Return the reference that `value` is."""
    return artifact.read(value, path)


def artifact_refs(value: Value, path: str) -> tuple[ArtifactRef, ...]:
    """Return the references that `value` is an array of."""
    items = fields.array(value, path)
    return tuple(artifact.read(item, f"{path}[{index}]") for index, item in enumerate(items))


def reason_codes(value: Value, path: str) -> tuple[int, ...]:
    """Return the one or more numeric reason codes that `value` is an array of."""
    items = fields.array(value, path, most=REASON_CODES_MAX)
    if not items:
        raise fields.bad(path, "at least one reason code is needed")
    return tuple(
        fields.uint(item, f"{path}[{index}]", most=REASON_CODE_MAX)
        for index, item in enumerate(items)
    )
