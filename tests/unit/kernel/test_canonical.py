"""One byte string for each value, and nothing else is read."""

import pytest

from wattswarm.kernel import canonical
from wattswarm.kernel.errors import Malformed


def refusal(data: bytes) -> str:
    with pytest.raises(Malformed) as refused:
        canonical.decode(data, bytes_max=100_000)
    return refused.value.code


@pytest.mark.parametrize(
    ("hexes", "code"),
    [
        ("", "not_cbor"),  # nothing at all
        ("8001", "not_canonical"),  # trailing bytes
        ("1801", "not_canonical"),  # 1 in two bytes
        ("1b0000000000000001", "not_canonical"),  # 1 in nine bytes
        ("5801ff", "not_canonical"),  # a length in two bytes
        ("9fff", "not_cbor"),  # indefinite array
        ("bfff", "not_cbor"),  # indefinite map
        ("5f41ffff", "not_cbor"),  # indefinite byte string
        ("a2616101616102", "not_cbor"),  # the same key twice
        ("a2616201616101", "not_canonical"),  # keys out of order
        ("a262616101616202", "not_canonical"),  # a longer key first
        ("a10102", "not_cbor"),  # a key that is an integer
        ("a141610a", "bad_value"),  # a key that is a byte string
        ("f6", "bad_value"),  # null
        ("f7", "bad_value"),  # undefined
        ("f90000", "bad_value"),  # a float
        ("20", "bad_value"),  # -1
        ("1b0020000000000000", "bad_value"),  # 2**53
        ("6100", "bad_value"),  # U+0000
        ("63eda080", "not_cbor"),  # half a surrogate pair
        ("61ff", "not_cbor"),  # not UTF-8
        ("c240", "not_cbor"),  # a big integer
        ("d9d9f700", "not_cbor"),  # self-described CBOR
        ("d90100820161d81900", "not_cbor"),  # string references
        ("d81c8201d81d00", "not_cbor"),  # a value that holds itself
        ("d8401801", "not_cbor"),  # an unknown tag
        ("f3", "bad_value"),  # a simple value
    ],
)
def test_anything_but_the_one_encoding_is_refused(hexes: str, code: str) -> None:
    assert refusal(bytes.fromhex(hexes)) == code


def test_nesting_ends_at_sixteen() -> None:
    assert canonical.decode(b"\x81" * 15 + b"\x80", bytes_max=100) is not None
    assert refusal(b"\x81" * 16 + b"\x80") == "too_deep"
    assert refusal(b"\x81" * 90_000) == "not_cbor"


def test_a_small_input_cannot_stand_for_a_large_value() -> None:
    # Ten levels, each an array of two references to the one below: 2**10 times the innermost text.
    level = b"\x69innermost"
    for depth in range(10):
        level = b"\xd8\x1c\x82" + level + b"\xd8\x1d" + bytes([depth])
    assert refusal(level) == "not_cbor"


def test_too_many_items_are_refused() -> None:
    assert refusal(b"\x99\x10\x01" + b"\x00" * 4_097) == "too_many"


def test_too_many_bytes_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(Malformed) as refused:
        canonical.decode(b"\xff" * 11, bytes_max=10)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("value", [None, 1.0, -1, 2**53, "\0", "\ud800", {1: 2}, {"a": {"\0": 1}}])
def test_what_may_not_be_signed_is_not_encoded(value: object) -> None:
    with pytest.raises(Malformed):
        canonical.encode(value)  # pyright: ignore[reportArgumentType]


def test_an_error_says_where() -> None:
    with pytest.raises(Malformed) as refused:
        canonical.encode({"a": [True, {"b": -1}]})
    assert refused.value.path == "$.a[1].b"


def test_keys_are_ordered_by_length_and_then_by_bytes() -> None:
    encoded = canonical.encode({"é": 1, "z": 2, "aa": 3, "b": 4})
    assert encoded.hex() == "a461620461" + "7a02" + "62616103" + "62c3a901"


def test_what_is_out_of_bounds_within_a_value_in_order_is_refused_by_its_own_name() -> None:
    many = b"\xb9\x10\x01" + b"".join(b"\x63" + b"%03x" % n + b"\x00" for n in range(4_096))
    assert refusal(many + b"\x641000\x00") == "too_many"
    assert refusal(b"\xa1\x61a" * 16 + b"\xa0") == "too_deep"
    assert refusal(bytes.fromhex("a1616120")) == "bad_value"
    assert refusal(bytes.fromhex("8120")) == "bad_value"
