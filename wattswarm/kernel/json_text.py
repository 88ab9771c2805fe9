"""Free JSON: read strictly, written in one form.

Inputs, schemas and policy parameters travel in payloads as one JSON text and are digested as bytes,
so ours writes them in the canonical form of RFC 8785. Reading refuses what implementations disagree
on: duplicate names, NaN and infinities, lone surrogates, and nesting that could exhaust a stack.

Source: RFC 8259; RFC 7493 (I-JSON); RFC 8785 (JSON Canonicalization Scheme).
"""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import JSON_DEPTH_MAX, UINT_MAX

EXPONENT_FROM: Final = 21
"""ECMAScript writes numbers below 10**21 without an exponent."""

INTEGER_CHARS_MAX: Final = len(str(-UINT_MAX))
"""A longer number is not an integer that a double can hold exactly."""

ZEROS_MAX: Final = 6
"""ECMAScript writes at most this many zeros, one of them before the point."""

PLAIN_FRACTION_MIN: Final = 1e-4
PLAIN_FRACTION_MAX: Final = 1e16
"""Between these Python writes a number that is not whole as ECMAScript does: without exponent."""

PLAIN_CHAR_MAX: Final = "\ud7ff"
"""Text of characters up to here has no surrogates, and one order by code points and UTF-16."""

ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
"""Writes what `_is_plain` is told of in the canonical form, and in a fraction of the time."""

PATH_NAME_CHARS: Final = 64
"""Of a name in a path: a hostile document could otherwise make megabytes of path for each value."""


def parse(text: str | bytes, *, bytes_max: int, path: str = "$") -> object:
    """Return the JSON value that `text` is.

    Raises:
        Malformed: `too_large` or `bad_json`, with a path that begins with `path`.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="surrogatepass"))
    if size > bytes_max:
        raise Malformed(
            code="too_large", path=path, message=f"{size} bytes of JSON, at most {bytes_max}"
        )
    try:
        source = text.decode() if isinstance(text, bytes) else text
        value: object = json.loads(
            source,
            object_pairs_hook=_object,
            parse_int=_parse_integer,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise Malformed(code="bad_json", path=path, message=f"not JSON: {error}") from error
    check(value, path)
    return value


def check(value: object, path: str = "$") -> None:
    """Return when `value` is made of JSON values only, not nested too deeply.

    Raises:
        Malformed: `bad_json`, with a path that begins with `path`.
    """
    if not _is_plain(value, 0):
        _walk(value, path, 0)


def write(value: object, path: str = "$") -> str:
    """Return the one canonical text of a JSON value.

    Raises:
        Malformed: `bad_json`, for what JSON cannot hold, and for integers that a double cannot.
    """
    if _is_plain(value, 0):
        return ENCODER.encode(value)
    _walk(value, path, 0)
    return "".join(_pieces(value, path))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same name twice")
    return made


def _parse_integer(digits: str) -> int | float:
    """Return the number; beyond 2**53 it is a double, as it is to everybody else."""
    if len(digits) <= INTEGER_CHARS_MAX:
        value = int(digits)
        if -UINT_MAX <= value <= UINT_MAX:
            return value
    return float(digits)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _is_plain(value: object, depth: int) -> bool:
    """Tell whether a value is JSON beyond doubt, and one that everybody writes in the same way.

    That is most of it: text without surrogates, integers that a double holds exactly, fractions
    that take no exponent.
    """
    kind = type(value)
    if kind is str:
        return _is_plain_text(cast("str", value))
    if kind is int:
        return -UINT_MAX <= cast("int", value) <= UINT_MAX
    if value is None or kind is bool:
        return True
    if kind is float:
        return _is_plain_fraction(cast("float", value))
    if depth >= JSON_DEPTH_MAX:
        return False
    if kind is dict:
        members = cast("dict[object, object]", value)
        return all(
            type(key) is str and _is_plain_text(key) and _is_plain(item, depth + 1)
            for key, item in members.items()
        )
    if kind is list or kind is tuple:
        return all(_is_plain(item, depth + 1) for item in cast("Sequence[object]", value))
    return False


def _is_plain_fraction(value: float) -> bool:
    return PLAIN_FRACTION_MIN <= abs(value) < PLAIN_FRACTION_MAX and not value.is_integer()


def _is_plain_text(text: str) -> bool:
    return text.isascii() or max(text) <= PLAIN_CHAR_MAX


def _walk(value: object, path: str, depth: int) -> None:
    if depth > JSON_DEPTH_MAX:
        raise _bad(path, f"nested deeper than {JSON_DEPTH_MAX}")
    match value:
        case None | bool() | int():
            pass
        case float():
            if not math.isfinite(value):
                raise _bad(path, "not a finite number")
        case str():
            _check_text(value, path)
        case Mapping():
            for key, item in cast("Mapping[object, object]", value).items():
                if not isinstance(key, str):
                    raise _bad(path, "a name that is not text")
                _check_text(key, path)
                _walk(item, f"{path}.{key[:PATH_NAME_CHARS]}", depth + 1)
        case list() | tuple():
            for index, item in enumerate(cast("Sequence[object]", value)):
                _walk(item, f"{path}[{index}]", depth + 1)
        case _:
            raise _bad(path, f"{type(value).__name__} is not a JSON type")


def _check_text(text: str, path: str) -> None:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise _bad(path, "text with half a surrogate pair")


def _pieces(value: object, path: str) -> list[str]:
    match value:
        case None | bool():
            return [json.dumps(value)]
        case int():
            return [_integer(value, path)]
        case float():
            return [_number(value)]
        case str():
            return [json.dumps(value, ensure_ascii=False)]
        case Mapping():
            return _object_pieces(cast("Mapping[str, object]", value), path)
        case _:
            return _array_pieces(cast("Sequence[object]", value), path)


def _object_pieces(value: Mapping[str, object], path: str) -> list[str]:
    pieces = ["{"]
    for key in sorted(value, key=_utf16):
        if len(pieces) > 1:
            pieces.append(",")
        pieces += (json.dumps(key, ensure_ascii=False), ":")
        pieces += _pieces(value[key], f"{path}.{key[:PATH_NAME_CHARS]}")
    pieces.append("}")
    return pieces


def _array_pieces(value: Sequence[object], path: str) -> list[str]:
    pieces = ["["]
    for index, item in enumerate(value):
        if index:
            pieces.append(",")
        pieces += _pieces(item, f"{path}[{index}]")
    pieces.append("]")
    return pieces


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _integer(value: int, path: str) -> str:
    if -UINT_MAX <= value <= UINT_MAX:
        return str(value)
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf
    if nearest != value:
        raise _bad(path, "an integer beyond 2**53 that a double cannot hold exactly")
    return _number(nearest)


def _number(value: float) -> str:
    """Return the ECMAScript form of a finite double (RFC 8785, section 3.2.2.3)."""
    if value == 0:
        return "0"
    sign, numerals, exponent = Decimal(repr(value)).as_tuple()
    written = "".join(map(str, numerals))
    point = len(written) + cast("int", exponent)
    digits = written.lstrip("0")
    point -= len(written) - len(digits)
    return ("-" if sign else "") + _place_point(digits.rstrip("0"), point)


def _place_point(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= EXPONENT_FROM:
        return digits + "0" * (point - count)
    if 0 < point <= EXPONENT_FROM:
        return f"{digits[:point]}.{digits[point:]}"
    if -ZEROS_MAX < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


def _bad(path: str, message: str) -> Malformed:
    return Malformed(code="bad_json", path=path, message=message)
