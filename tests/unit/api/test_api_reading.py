"""Whatever bytes come as a body, a document comes out of them or a problem."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.api.problems import Problem, status_of
from wattswarm.api.reading import document
from wattswarm.api.routes import OPERATIONS
from wattswarm.kernel.codes import REFUSALS
from wattswarm.surface.actor import Tune
from wattswarm.surface.executor import ExecutorSpec

BODIES = sorted(
    {item.body for item in OPERATIONS if item.body not in (None, bytes)}, key=lambda kind: str(kind)
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(kind=st.sampled_from(BODIES), content=st.binary(max_size=64))
def test_any_bytes_give_a_document_or_a_problem(kind: type, content: bytes) -> None:
    assert_document_or_problem(kind, content)


@given(kind=st.sampled_from(BODIES), given_fields=st.data())
def test_any_fields_give_a_document_or_a_problem(kind: type, given_fields: st.DataObject) -> None:
    names = st.sampled_from(sorted(attrs.fields_dict(kind))) | st.text(max_size=5)
    fields = given_fields.draw(st.dictionaries(names, json_values, max_size=4))
    assert_document_or_problem(kind, json.dumps(fields).encode())


def assert_document_or_problem(kind: type, content: bytes) -> None:
    with suppress(Refused):
        assert isinstance(read(kind, content), kind)


class Refused(Exception):
    """The content is none, and a problem of the request says so."""


def read(kind: type, content: bytes) -> object:
    try:
        return document(kind, content)
    except Problem as problem:
        if status_of(problem.code) in (400, 422):
            raise Refused from problem
        raise


def test_left_out_fields_have_their_defaults_and_unknown_ones_are_refused() -> None:
    made = document(ExecutorSpec, b'{"name": "a", "base_url": "http://b"}')
    assert made == ExecutorSpec(name="a", base_url="http://b")
    with pytest.raises(Problem) as caught:
        document(ExecutorSpec, b'{"name": "a", "base_url": "http://b", "base_ulr": "c"}')
    assert "base_ulr" in str(caught.value)
    assert caught.value.code == "bad_document"


def test_a_number_is_not_taken_for_another_kind() -> None:
    for value in ("true", "1.5", '"1"', "null"):
        with pytest.raises(Problem):
            document(Tune, f'{{"dials": {{"batch": {value}}}}}'.encode())


def test_refusals_by_a_rule_are_conflicts_unless_the_table_says_otherwise() -> None:
    statuses: Mapping[str, int] = {code: status_of(code) for code in REFUSALS}
    assert statuses.pop("contract_invalid") == 422
    assert set(statuses.values()) <= {409}


def test_operations_that_take_a_body_or_change_something_are_no_reads() -> None:
    reads = [item for item in OPERATIONS if item.method == "GET"]
    assert all(item.body is None and item.status == 200 for item in reads)
