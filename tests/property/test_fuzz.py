"""A share of `python -m tests.fuzz`: damaged inputs end in a value or in a typed error."""

import secrets

import pytest

from tests.fuzz import DECODERS, fuzz

INPUTS = 400


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_damaged_inputs_are_read_or_refused(name: str) -> None:
    report = fuzz(name, inputs=INPUTS, seed=secrets.randbelow(2**31))
    assert report.failures == []
    assert report.refused
    assert report.accepted + report.refused.total() == INPUTS


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_inputs_that_are_whole_are_read(name: str) -> None:
    for seed in DECODERS[name].seeds():
        DECODERS[name].decode(seed)
