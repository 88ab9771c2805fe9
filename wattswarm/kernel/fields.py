"""Strict reading of payload fields: each function returns what it promises or raises.

A decoder knows no defaults and forgives nothing: another implementation must come to the same
verdict.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import ARRAY_ITEMS_MAX, UINT_MAX


def bad(path: str, message: str) -> Malformed:
    """Return the error of a field whose value may not stand there."""
    return Malformed(code="bad_field", path=path, message=message)


def inconsistent(path: str, message: str) -> Malformed:
    """Return the error of fields that contradict each other."""
    return Malformed(code="inconsistent", path=path, message=message)


def mapping(
    value: Value | None, path: str, *, required: frozenset[str], optional: frozenset[str]
) -> Mapping[str, Value]:
    """Return the map that `value` is, its keys being all of `required` and some of `optional`.

    Raises:
        Malformed: `bad_field` (not a map, or a key is missing) or `unknown_field`.
    """
    if type(value) is not dict:
        raise bad(path, "not a map")
    fields = cast("dict[str, Value]", value)
    keys = fields.keys()
    missing = required - keys
    if missing:
        raise bad(f"{path}.{min(missing)}", "this field is missing")
    unknown = keys - required - optional
    if unknown:
        raise Malformed(
            code="unknown_field", path=f"{path}.{min(unknown)}", message="no such field"
        )
    return fields


def uint(value: Value | None, path: str, *, least: int = 0, most: int = UINT_MAX) -> int:
    """Return the integer of `least` to `most` that `value` is."""
    if type(value) is not int or not least <= value <= most:
        raise bad(path, f"not an integer of {least} to {most}")
    return value


def flag(value: Value | None, path: str) -> bool:
    """Return the boolean that `value` is."""
    if type(value) is not bool:
        raise bad(path, "not true or false")
    return value


def octets(value: Value | None, path: str, size: int = 32) -> bytes:
    """Return the byte string of exactly `size` bytes that `value` is."""
    if type(value) is not bytes or len(value) != size:
        raise bad(path, f"not a byte string of {size} bytes")
    return value


def text(value: Value | None, path: str, *, bytes_max: int) -> str:
    """Return the text of at most `bytes_max` bytes of UTF-8 that `value` is."""
    if type(value) is not str or len(value.encode()) > bytes_max:
        raise bad(path, f"not text of at most {bytes_max} bytes")
    return value


def word(value: Value | None, path: str, allowed: Sequence[str]) -> str:
    """Return the one of the `allowed` words that `value` is."""
    if type(value) is not str or value not in allowed:
        raise bad(path, f"not one of {', '.join(allowed)}")
    return value


def array(value: Value | None, path: str, *, most: int = ARRAY_ITEMS_MAX) -> Sequence[Value]:
    """Return the array of at most `most` items that `value` is."""
    if type(value) is not list and type(value) is not tuple:
        raise bad(path, "not an array")
    items = cast("Sequence[Value]", value)
    if len(items) > most:
        raise bad(path, f"more than {most} items")
    return items


def signatures(value: Value | None, path: str, *, most: int) -> tuple[tuple[bytes, bytes], ...]:
    """Return the pairs (node, signature), ascending by node and each node once, that `value` is.

    The signatures are not checked: they are facts only once the signer's role is known.
    """
    pairs = tuple(
        _signature(item, f"{path}[{index}]")
        for index, item in enumerate(array(value, path, most=most))
    )
    if any(left[0] >= right[0] for left, right in pairwise(pairs)):
        raise bad(path, "signers are not in ascending order, or one stands twice")
    return pairs


def _signature(item: Value, path: str) -> tuple[bytes, bytes]:
    pair = array(item, path, most=2)
    if len(pair) != 2:
        raise bad(path, "not a pair [node, signature]")
    return octets(pair[0], f"{path}[0]", 32), octets(pair[1], f"{path}[1]", 64)
