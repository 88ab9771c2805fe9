"""Schemas are whole JSON Schema 2020-12, and refer to nothing outside themselves."""

import pytest

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.schema import Schema


def nested(depth: int) -> dict[str, object]:
    """Return objects within one another."""
    value: dict[str, object] = {}
    for _ in range(depth):
        value = {"not": value}
    return value


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"type": "objekt"}, "bad_schema"),
        ({"$ref": "https://example.org/schema"}, "bad_schema"),
        ({"$ref": "file:///etc/hostname"}, "bad_schema"),
        ({"$ref": "#/$defs/missing"}, "bad_schema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "bad_schema"),
        ({"pattern": "(?=a)b"}, "bad_schema"),
        ({"pattern": r"(a)\1"}, "bad_schema"),
        ({"pattern": "["}, "bad_schema"),
        ({"pattern": "((a{100}){100}){100}"}, "bad_schema"),
        ({"title": "x" * 33_000}, "too_large"),
        ({"const": "\ud800"}, "bad_json"),
        (nested(70), "bad_json"),
    ],
)
def test_what_cannot_be_checked_safely_is_refused(schema: dict[str, object], code: str) -> None:
    with pytest.raises(Malformed) as refused:
        Schema(schema, "$.output_schema")
    assert refused.value.code == code
    assert refused.value.path.startswith("$.output_schema")


def test_the_path_leads_to_the_fault_in_the_schema() -> None:
    with pytest.raises(Malformed) as refused:
        Schema({"properties": {"a": {"items": [{"minLength": -1}]}}})
    assert refused.value.path == "$.properties.a.items"


def test_keywords_of_the_whole_draft_are_obeyed() -> None:
    schema = Schema(
        {
            "$defs": {"tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}}},
            "$ref": "#/$defs/tree",
            "dependentRequired": {"left": ["right"]},
            "unevaluatedProperties": {"type": "integer"},
        }
    )
    assert schema.is_valid({"left": {"left": {}}, "right": 1})
    assert not schema.is_valid({"left": {"left": 5}, "right": 1})
    assert not schema.is_valid({"left": {}})
    assert not schema.is_valid({"other": "text"})


def test_a_pattern_takes_linear_time() -> None:
    assert not Schema({"pattern": "^(a+)+$"}).is_valid("a" * 200_000 + "b")


def test_a_fault_does_not_quote_a_whole_document() -> None:
    ((_, message),) = Schema({"type": "integer"}).faults("x" * 100_000)
    assert len(message) <= 300
    with pytest.raises(Malformed) as refused:
        Schema({"type": "x" * 10_000})
    assert len(refused.value.message) <= 330


def test_faults_are_listed_with_paths_and_bounded() -> None:
    schema = Schema({"items": {"type": "integer"}})
    faults = list(schema.faults([1, "a", *["b"] * 100], "$.output"))
    assert faults[0] == ("$.output[1]", '"a" is not of type "integer"')
    assert len(faults) == 32


def test_a_schema_that_takes_exponential_time_to_compile_is_refused() -> None:
    parts: dict[str, object] = {
        f"d{depth}": {
            "allOf": [{"$ref": f"#/$defs/d{depth + 1}"}] * 2,
            "unevaluatedProperties": False,
        }
        for depth in range(60)
    }
    with pytest.raises(Malformed) as caught:
        Schema({"$defs": {**parts, "d60": {}}, "$ref": "#/$defs/d0"}, "$.output_schema")
    assert (caught.value.code, caught.value.path) == ("bad_schema", "$.output_schema")


def test_many_references_and_unevaluated_words_are_each_allowed() -> None:
    part = {"$ref": "#/$defs/part"}
    many = {f"p{number}": part for number in range(200)}
    assert Schema({"$defs": {"part": {"type": "object"}}, "properties": many}).is_valid({"p1": {}})
    closed = Schema(
        {
            "$defs": {"part": {"properties": {"a": {}}}},
            "allOf": [part] * 10,
            "unevaluatedProperties": False,
        }
    )
    assert closed.is_valid({"a": 1})
    assert not closed.is_valid({"b": 1})
