"""What the three policies say of an output, and how they are named and bound."""

import attrs
import pytest

from wattswarm.kernel import policy
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.policy import (
    BUILTIN,
    CROSSCHECK,
    SCHEMA_ONLY,
    SCHEMA_THRESHOLDS,
    PolicyBinding,
    ReasonCode,
    bind,
    evaluate,
)
from wattswarm.kernel.schema import Schema

SCHEMA = {
    "type": "object",
    "required": ["answer"],
    "properties": {"answer": {"type": "string"}},
}
THRESHOLDS = bind(SCHEMA_THRESHOLDS, '{"max_len":40,"min_confidence_bp":8000}')
CROSS = bind(CROSSCHECK, '{"min_score_bp":8500}')


@pytest.mark.parametrize(
    ("binding", "output", "score_bp", "expected"),
    [
        (bind(SCHEMA_ONLY), {"answer": "x"}, None, ("passed", 10_000, (100,))),
        (bind(SCHEMA_ONLY), {"answer": "x"}, 7_100, ("passed", 7_100, (100,))),
        (bind(SCHEMA_ONLY), {}, None, ("failed", 0, (101,))),
        (bind(SCHEMA_ONLY), {"answer": 1}, 9_000, ("failed", 0, (101,))),
        (bind(SCHEMA_ONLY), {"answer": b"x"}, None, ("failed", 0, (101,))),
        (THRESHOLDS, {"answer": "x", "confidence": 0.8}, None, ("passed", 10_000, (100,))),
        (THRESHOLDS, {"answer": "x", "confidence": 0.79995}, None, ("passed", 10_000, (100,))),
        (THRESHOLDS, {"answer": "x", "confidence": 0.3}, None, ("failed", 2_000, (102,))),
        (THRESHOLDS, {"answer": "x", "confidence": True}, None, ("failed", 2_000, (102,))),
        (THRESHOLDS, {"answer": "x"}, None, ("failed", 2_000, (102,))),
        (THRESHOLDS, {"answer": "x" * 40, "confidence": 1}, None, ("failed", 2_000, (103,))),
        (THRESHOLDS, ["x" * 40], 1_000, ("failed", 1_000, (101, 102, 103))),
        (bind(SCHEMA_THRESHOLDS), {"answer": "x" * 9_999}, None, ("passed", 10_000, (100,))),
        (CROSS, {"answer": "x", "check_summary": "seen"}, None, ("passed", 9_000, (100,))),
        (CROSS, {"answer": "x", "check_summary": "seen"}, 8_499, ("failed", 8_499, (105,))),
        (CROSS, {"answer": "x", "check_summary": " "}, None, ("failed", 3_000, (104, 105))),
        (bind(CROSSCHECK), {"answer": "x"}, None, ("failed", 3_000, (104,))),
        (bind(CROSSCHECK), 7, None, ("failed", 3_000, (101, 104))),
    ],
)
def test_what_a_policy_says(
    binding: PolicyBinding,
    output: object,
    score_bp: int | None,
    expected: tuple[str, int, tuple[int, ...]],
) -> None:
    outcome = evaluate(binding, output, SCHEMA, score_bp=score_bp)
    assert (outcome.status, outcome.score_bp, outcome.reason_codes) == expected
    assert set(outcome.reason_codes) <= set(BUILTIN[binding.id].reason_codes)


def test_a_compiled_schema_says_the_same() -> None:
    assert evaluate(CROSS, {}, Schema(SCHEMA)) == evaluate(CROSS, {}, SCHEMA)


@pytest.mark.parametrize("fraction", [-1.0, float("nan"), 0.0, 0.00004])
def test_a_fraction_of_nothing_is_no_basis_point(fraction: float) -> None:
    assert policy.basis_points(fraction) == 0


@pytest.mark.parametrize(("fraction", "points"), [(0.00005, 1), (0.5, 5_000), (1.5, 10_000)])
def test_a_fraction_is_rounded_half_up(fraction: float, points: int) -> None:
    assert policy.basis_points(fraction) == points


@pytest.mark.parametrize(
    ("params", "code", "path"),
    [
        ('{"min_score_bp":"high"}', "bad_params", "$.params.min_score_bp"),
        ('{"min_score_bp":10001}', "bad_params", "$.params.min_score_bp"),
        ('{"min_score_bp":0.5}', "bad_params", "$.params.min_score_bp"),
        ('{"min_score":1}', "bad_params", "$.params"),
        ("[]", "bad_params", "$.params"),
        ("{", "bad_json", "$.params"),
    ],
)
def test_parameters_of_another_form_are_an_error(params: str, code: str, path: str) -> None:
    with pytest.raises(Malformed) as refused:
        evaluate(bind(CROSSCHECK, params), {}, SCHEMA)
    assert (refused.value.code, refused.value.path) == (code, path)


def test_an_integer_may_be_written_as_a_double() -> None:
    assert policy.read_params(bind(CROSSCHECK, '{"min_score_bp":8500.0}')) == {"min_score_bp": 8500}


def test_a_policy_that_this_program_lacks_is_an_error() -> None:
    for unknown in (
        attrs.evolve(CROSS, id="vp.other.v1"),
        attrs.evolve(CROSS, version=2),
        attrs.evolve(CROSS, params="{}"),
    ):
        with pytest.raises(Malformed) as refused:
            evaluate(unknown, {}, SCHEMA)
        assert refused.value.code == "policy_unsupported"


def test_a_policys_hash_covers_its_whole_specification() -> None:
    variants = [
        CROSSCHECK,
        attrs.evolve(CROSSCHECK, rule="always"),
        attrs.evolve(CROSSCHECK, version=2),
        attrs.evolve(CROSSCHECK, params_schema={}),
        attrs.evolve(CROSSCHECK, reason_codes=(ReasonCode.SCHEMA_OK,)),
    ]
    assert len({variant.name.hash for variant in variants}) == len(variants)


def test_a_bindings_hash_covers_its_parameters() -> None:
    assert CROSS.hash != bind(CROSSCHECK).hash
    assert CROSS.binds(CROSSCHECK.name)
    assert not CROSS.binds(SCHEMA_ONLY.name)
    assert not attrs.evolve(CROSS, params="{}").binds(CROSSCHECK.name)


def test_a_binding_is_read_back_from_its_payload() -> None:
    assert policy.read_binding(CROSS.to_payload()) == CROSS


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a b"},
        {"version": 0},
        {"hash": b"x"},
        {"params": 1},
        {"params": "x" * 5_000},
        {"y": 1},
    ],
)
def test_a_binding_of_another_form_is_refused(change: dict[str, Value]) -> None:
    with pytest.raises(Malformed):
        policy.read_binding({**CROSS.to_payload(), **change})
