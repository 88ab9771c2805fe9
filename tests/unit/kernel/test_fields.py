"""Reading a field ends in what was promised, or in an error with its path."""

from collections.abc import Callable

import pytest

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed

PAIR: list[Value] = [b"n" * 32, b"s" * 64]


@pytest.mark.parametrize(
    ("read", "path"),
    [
        (lambda: fields.uint(True, "$.a"), "$.a"),
        (lambda: fields.uint(5, "$.a", least=6), "$.a"),
        (lambda: fields.flag(1, "$.a"), "$.a"),
        (lambda: fields.octets(b"x", "$.a", 2), "$.a"),
        (lambda: fields.text("éé", "$.a", bytes_max=3), "$.a"),
        (lambda: fields.word("c", "$.a", ("a", "b")), "$.a"),
        (lambda: fields.array("ab", "$.a"), "$.a"),
        (lambda: fields.array([1, 2], "$.a", most=1), "$.a"),
        (lambda: fields.signatures([PAIR, PAIR], "$.a", most=9), "$.a"),
        (lambda: fields.signatures([PAIR, PAIR], "$.a", most=1), "$.a"),
        (lambda: fields.signatures([[b"n" * 32]], "$.a", most=9), "$.a[0]"),
        (lambda: fields.signatures([[b"n" * 32, b"s"]], "$.a", most=9), "$.a[0][1]"),
    ],
)
def test_another_form_is_refused_with_its_path(read: Callable[[], object], path: str) -> None:
    with pytest.raises(Malformed) as refused:
        read()
    assert (refused.value.code, refused.value.path) == ("bad_field", path)


def test_a_map_has_its_required_fields_and_no_unknown_ones() -> None:
    keys = {"required": frozenset({"a"}), "optional": frozenset({"b"})}
    assert fields.mapping({"a": 1, "b": 2}, "$", **keys) == {"a": 1, "b": 2}
    for value, code, path in (
        ([], "bad_field", "$"),
        ({"b": 1}, "bad_field", "$.a"),
        ({"a": 1, "c": 1}, "unknown_field", "$.c"),
    ):
        with pytest.raises(Malformed) as refused:
            fields.mapping(value, "$", **keys)  # pyright: ignore[reportArgumentType]
        assert (refused.value.code, refused.value.path) == (code, path)


def test_signatures_are_pairs_in_ascending_order() -> None:
    assert fields.signatures([PAIR, [b"o" * 32, b"s" * 64]], "$", most=2) == (
        (b"n" * 32, b"s" * 64),
        (b"o" * 32, b"s" * 64),
    )
