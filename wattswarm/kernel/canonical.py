"""Deterministic CBOR, and nothing else: one byte string for each value.

The values are maps with text keys, arrays, text without U+0000, byte strings, booleans and unsigned
integers below 2**53. No floats, null, tags or undefined; an absent field is a key left out. All
keys being text, sorting them by length first is the order of the RFC.

Source: RFC 8949, section 4.2.1.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union, cast

import cbor2

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import ARRAY_ITEMS_MAX, DEPTH_MAX, UINT_MAX

Value: TypeAlias = Union[  # noqa: UP007 - unlike a string, it can stand in `Value | None`
    bool, int, str, bytes, Sequence["Value"], Mapping[str, "Value"]
]


def encode(value: Value) -> bytes:
    """Return the one encoding of `value`.

    Raises:
        Malformed: The value holds something that signed values may not hold.
    """
    check(value)
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, bytes_max: int) -> Value:
    """Return the value that `data` encodes, provided that `data` is its one encoding.

    Raises:
        Malformed: `too_large`, `not_cbor`, `not_canonical` (another encoding, trailing bytes,
        duplicate
            keys), or the codes of `check`.
    """
    if len(data) > bytes_max:
        raise Malformed(
            code="too_large", message=f"{len(data)} bytes, at most {bytes_max} are allowed"
        )
    try:
        value: object = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise Malformed(code="not_cbor", message=f"not CBOR: {type(error).__name__}") from error
    checked = check(value)
    if cbor2.dumps(checked, canonical=True) != data:
        raise Malformed(code="not_canonical", message="not the deterministic encoding of its value")
    return checked


def check(value: object) -> Value:
    """Return `value` if every part of it may stand in a signed value.

    Raises:
        Malformed: `bad_value`, `too_deep` or `too_many`, with the path.
    """
    _walk(value, "$", 0)
    return cast("Value", value)


def _walk(value: object, path: str, depth: int) -> None:
    kind = type(value)
    if kind is str:
        if "\0" in cast("str", value):
            raise Malformed(code="bad_value", path=path, message="text may not hold U+0000")
    elif kind is int:
        if not 0 <= cast("int", value) <= UINT_MAX:
            raise Malformed(code="bad_value", path=path, message="an integer outside 0 … 2**53 - 1")
    elif kind is bytes or kind is bool:
        return
    elif kind is dict or kind is list or kind is tuple:
        _walk_container(cast("dict[object, object] | list[object]", value), path, depth + 1)
    else:
        raise Malformed(
            code="bad_value", path=path, message=f"{kind.__name__} is not an allowed type"
        )


def _walk_container(value: dict[object, object] | list[object], path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Malformed(code="too_deep", path=path, message=f"nested deeper than {DEPTH_MAX}")
    if len(value) > ARRAY_ITEMS_MAX:
        raise Malformed(code="too_many", path=path, message=f"more than {ARRAY_ITEMS_MAX} items")
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str:
                raise Malformed(code="bad_value", path=path, message="a key that is not text")
            _walk(key, path, depth)
            _walk(item, f"{path}.{key}", depth)
    else:
        for index, item in enumerate(value):
            _walk(item, f"{path}[{index}]", depth)
