"""Deterministic CBOR, and nothing else: one byte string for each value.

The values are maps with text keys, arrays, text without U+0000, byte strings, booleans and unsigned
integers below 2**53. No floats, null, tags or undefined; an absent field is a key left out. All
keys being text, sorting them by length first is the order of the RFC.

Source: RFC 8949, section 4.2.1.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn, TypeAlias, Union, cast

import cbor2

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import ARRAY_ITEMS_MAX, DEPTH_MAX, UINT_MAX

Value: TypeAlias = Union[  # noqa: UP007 - unlike a string, it can stand in `Value | None`
    bool, int, str, bytes, Sequence["Value"], Mapping[str, "Value"]
]

SURROGATE: Final = re.compile("[\ud800-\udfff]")

TAGS: Final = (
    *range(6),
    *(25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799),
)
"""Tags that cbor2 decodes by itself.

Those of shared values (28, 29) and strings (25, 256) would let a small input stand for a value of
any size, so every tag is refused while it is read, and not only afterwards.
"""


def _refuse(value: object, immutable: bool) -> NoReturn:
    raise ValueError("a tag")


REFUSED: Final[Mapping[int, Callable[[object, bool], object]]] = dict.fromkeys(TAGS, _refuse)


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
        Malformed: `too_large`, `not_cbor`, `not_canonical` (another encoding, trailing bytes, keys
            out of order), or the codes of `check`.
    """
    if len(data) > bytes_max:
        raise Malformed(
            code="too_large", message=f"{len(data)} bytes, at most {bytes_max} are allowed"
        )
    value = loads(data)
    if not _is_ordered(value, 0):
        check(value)
        raise Malformed(code="not_canonical", message="the keys of a map are not in order")
    # Of a value of ours with its keys in order, the plain encoding is the deterministic one.
    if cbor2.dumps(value) != data:
        raise Malformed(code="not_canonical", message="not the deterministic encoding of its value")
    return cast("Value", value)


def loads(data: bytes) -> object:
    """Return what `data` encodes: CBOR of our form, but perhaps not in its one encoding.

    Raises:
        Malformed: `not_cbor`.
    """
    try:
        return cbor2.loads(
            data,
            max_depth=DEPTH_MAX + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
            semantic_decoders=REFUSED,
            tag_hook=_refuse,
        )
    except (cbor2.CBORError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise Malformed(code="not_cbor", message=f"not CBOR of our form: {error}") from error


def check(value: object) -> Value:
    """Return `value` if every part of it may stand in a signed value.

    Raises:
        Malformed: `bad_value`, `too_deep` or `too_many`, with the path.
    """
    _walk(value, "$", 0)
    return cast("Value", value)


def _is_ordered(value: object, depth: int) -> bool:
    """Tell whether `value` passes `check` and has the keys of its maps in order; in a hurry."""
    kind = type(value)
    if kind is str:
        text = cast("str", value)
        return "\0" not in text and (text.isascii() or not SURROGATE.search(text))
    if kind is int:
        return 0 <= cast("int", value) <= UINT_MAX
    if kind is dict:
        return _is_ordered_map(cast("dict[object, object]", value), depth + 1)
    if kind is list:
        return _is_ordered_array(cast("list[object]", value), depth + 1)
    return kind is bytes or kind is bool


def _is_ordered_array(value: list[object], depth: int) -> bool:
    if depth > DEPTH_MAX or len(value) > ARRAY_ITEMS_MAX:
        return False
    for item in value:  # noqa: SIM110 - a generator would take twice the time
        if type(item) is not bytes and not _is_ordered(item, depth):
            return False
    return True


def _is_ordered_map(value: dict[object, object], depth: int) -> bool:
    if depth > DEPTH_MAX or len(value) > ARRAY_ITEMS_MAX:
        return False
    last, last_size = "", -1
    for key, item in value.items():
        if type(key) is not str or "\0" in key:
            return False
        size = len(key) if key.isascii() else _size(key)
        if size < last_size or (size == last_size and key <= last):
            return False
        if type(item) is not bytes and not _is_ordered(item, depth):
            return False
        last, last_size = key, size
    return True


def _size(key: str) -> int:
    return len(key.encode(errors="surrogatepass"))


def _walk(value: object, path: str, depth: int) -> None:
    kind = type(value)
    if kind is str:
        _check_text(cast("str", value), path)
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


def _check_text(text: str, path: str) -> None:
    if "\0" in text:
        raise Malformed(code="bad_value", path=path, message="text may not hold U+0000")
    if not text.isascii() and SURROGATE.search(text):
        raise Malformed(code="bad_value", path=path, message="text with half a surrogate pair")


def _walk_container(value: dict[object, object] | list[object], path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Malformed(code="too_deep", path=path, message=f"nested deeper than {DEPTH_MAX}")
    if len(value) > ARRAY_ITEMS_MAX:
        raise Malformed(code="too_many", path=path, message=f"more than {ARRAY_ITEMS_MAX} items")
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str:
                raise Malformed(code="bad_value", path=path, message="a key that is not text")
            _check_text(key, path)
            _walk(item, f"{path}.{key}", depth)
    else:
        for index, item in enumerate(value):
            _walk(item, f"{path}[{index}]", depth)
