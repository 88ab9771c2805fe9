"""The laws of derivation on drawn histories; `python -m tests.laws` tries many more."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws import set_laws
from tests.laws.__main__ import Check, laws, main
from tests.laws.histories import history
from tests.laws.report import Law

CHECKS: dict[str, Check] = {
    "superset": set_laws.check_superset,
    "non-interference": set_laws.check_non_interference,
    "irrevocable": set_laws.check_irrevocable,
    "order": set_laws.check_order,
    "stratified": set_laws.check_stratified,
}


@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**64), size=st.integers(5, 120))
def test_a_law_holds(name: str, seed: int, size: int) -> None:
    rng = random.Random(seed)
    law = Law(0, name)
    CHECKS[name](law, history(rng, size), rng, f"seed {seed}, size {size}")
    assert law.violations == []


def test_the_command_prints_a_line_for_each_law(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--histories", "3", "--seed", "11"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "seed 11, 3 histories"
    assert [line.split(":")[0] for line in printed[1:]] == [
        f"law {law.number} {law.name}" for law in laws()
    ]
    assert all(line.endswith(" 0 violations") for line in printed[1:])
    assert not any(": 0 checks" in line for line in printed)
