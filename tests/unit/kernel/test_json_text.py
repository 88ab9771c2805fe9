"""Free JSON is read strictly and written in the canonical form of RFC 8785."""

import pytest

from wattswarm.kernel import json_text
from wattswarm.kernel.errors import Malformed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # The samples of RFC 8785, appendix B, as far as JSON has them.
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (999999999999999700000.0, "999999999999999700000"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (333333333.33333325, "333333333.33333325"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
        (10.0, "10"),
        # Where Python takes an exponent and ECMAScript does not.
        (0.0001, "0.0001"),
        (-0.00009999, "-0.00009999"),
        (4503599627370495.5, "4503599627370495.5"),
        (1e16, "10000000000000000"),
        (123, "123"),
        (2**60, "1152921504606847000"),
        (2**80, "1.2089258196146292e+24"),
        # Section 3.2.2.2 and 3.2.3: escapes, and names in the order of UTF-16 code units.
        ('€$\x0f\nA\'B"\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\"/"'),
        (
            {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7},
            '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
        ),
        ([None, True, False, [], {}], "[null,true,false,[],{}]"),
    ],
)
def test_the_text_is_that_of_the_rfc(value: object, text: str) -> None:
    assert json_text.write(value) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        "1e999",
        '{"a":1,"a":2}',
        '"\\ud800"',
        '{"\\udfff":1}',
        "[" * 70 + "]" * 70,
        "[" * 20_000,
        "01",
        "'a'",
        "1" * 5_000,
    ],
)
def test_what_implementations_disagree_on_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        json_text.parse(text, bytes_max=100_000)
    assert refused.value.code == "bad_json"


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(Malformed) as refused:
        json_text.parse(b'"\xff"', bytes_max=100)
    assert refused.value.code == "bad_json"


def test_size_is_counted_in_bytes_and_first() -> None:
    assert json_text.parse('"é"', bytes_max=4) == "é"
    with pytest.raises(Malformed) as refused:
        json_text.parse('"é"', bytes_max=3, path="$.inputs")
    assert (refused.value.code, refused.value.path) == ("too_large", "$.inputs")


@pytest.mark.parametrize(
    "value", [2**53 + 1, -(2**60) - 1, 10**400, float("inf"), {1: 2}, b"x", {"a": {1}}]
)
def test_what_json_cannot_hold_is_not_written(value: object) -> None:
    with pytest.raises(Malformed):
        json_text.write(value)


def test_an_error_says_where() -> None:
    with pytest.raises(Malformed) as refused:
        json_text.write({"a": [1, {"b": b"x"}]}, "$.inputs")
    assert refused.value.path == "$.inputs.a[1].b"


def test_words_are_written_beside_numbers_that_are_no_integers() -> None:
    assert json_text.write([None, True, 1.5, "é", {"b": False, "a": 1e21}]) == (
        '[null,true,1.5,"é",{"a":1e+21,"b":false}]'
    )


def test_an_integer_of_many_digits_is_the_double_nearest_to_it() -> None:
    assert json_text.parse(b"[123456789012345678901234567890]", bytes_max=99) == [
        1.2345678901234568e29
    ]
    assert json_text.parse(b"[9999999999999999]", bytes_max=99) == [1e16]
    assert json_text.parse(b"[1" + b"0" * 300 + b"]", bytes_max=999) == [1e300]
    assert json_text.parse(b"[9007199254740991]", bytes_max=99) == [9007199254740991]
