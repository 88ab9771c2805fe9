"""Laws of contracts: what is resolved is read back; what is wrong is refused, and no more."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from wattswarm.kernel import canonical, contract
from wattswarm.kernel.contract import Contract, resolve, to_payload
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.version import Role, genesis, local_genesis, network_id_of

ME, YOU = NodeId(b"m" * 32), NodeId(b"y" * 32)
PINS = (local_genesis(ME), genesis(ME, members={YOU: frozenset(Role)}))
NOW_MS = 1_790_000_000_000

durations = st.integers(1, 10**6)
documents = st.fixed_dictionaries(
    {"task_type": st.sampled_from(["summarize", "a.b:c-d_e"])},
    optional={
        "name": st.text(
            st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20
        ),
        "inputs": st.dictionaries(st.sampled_from("abc"), st.text("xyé", max_size=9), max_size=3),
        "output_schema": st.sampled_from([{}, {"type": "object", "required": ["answer"]}]),
        "policy": st.sampled_from(
            [
                "vp.schema_only.v1",
                {"id": "vp.crosscheck.v1", "params": {"min_score_bp": 5_000}},
                {"id": "vp.schema_thresholds.v1", "params": '{"max_len": 9}'},
            ]
        ),
        "mode": st.sampled_from(["one_shot", "continuous"]),
        "quorum_threshold": st.integers(1, 2),
        "independence": st.sampled_from(["node", "executor", "none"]),
        "commit_reveal": st.booleans(),
        "allocator": st.sampled_from(["open", "creator"]),
        "decider": st.sampled_from(["by_rank", ME.hex()]),
        "max_concurrency": st.dictionaries(
            st.sampled_from(["propose", "verify"]), st.integers(1, 9)
        ),
        "max_proposers": st.integers(1, 9),
        "lease_ms": durations,
        "time_ms": durations,
        "commit_window_ms": durations,
        "expires_in_ms": durations,
        "cost_units": st.integers(1, 5_000),
        "stage_units": st.dictionaries(st.sampled_from(["explore", "verify"]), st.integers(1, 900)),
        "settlement": st.fixed_dictionaries({}, optional={"K": st.integers(1, 99)}),
    },
)
scraps = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def resolved(document: dict[str, Any], pin: int) -> Contract | Rejection:
    return resolve(
        document,
        network_id=network_id_of(PINS[pin]),
        pin=PINS[pin],
        created_at=NOW_MS,
        creator=ME,
    )


@given(documents, st.integers(0, 1))
@settings(deadline=None)
def test_what_is_resolved_is_read_back(document: dict[str, Any], pin: int) -> None:
    made = resolved(document, pin)
    if isinstance(made, Contract):
        encoded = canonical.encode(to_payload(made))
        assert contract.read(canonical.decode(encoded, bytes_max=65_536)) == made


@given(documents, st.integers(0, 1))
@settings(deadline=None)
def test_a_document_is_resolved_the_same_whatever_its_order(
    document: dict[str, Any], pin: int
) -> None:
    backwards = {key: document[key] for key in reversed(document)}
    made, other = resolved(document, pin), resolved(backwards, pin)
    if isinstance(made, Rejection):
        assert isinstance(other, Rejection)
        assert _listed(made) == _listed(other)
    else:
        assert made == other


@given(documents, st.dictionaries(st.sampled_from([*contract.sample(), "lease_ms", "x"]), scraps))
@settings(deadline=None)
def test_a_spoilt_document_is_resolved_or_refused(
    document: dict[str, Any], spoilt: dict[str, Any]
) -> None:
    made = resolved({**document, **spoilt}, 0)
    if isinstance(made, Rejection):
        assert made.details["errors"]
    else:
        assert contract.read(canonical.decode(canonical.encode(to_payload(made)), bytes_max=65_536))


@given(st.data())
@settings(deadline=None)
def test_a_spoilt_contract_is_read_or_refused(data: st.DataObject) -> None:
    made = resolved(contract.sample(), 0)
    assert isinstance(made, Contract)
    terms = dict(to_payload(made))
    terms[data.draw(st.sampled_from(sorted(terms)))] = data.draw(scraps)
    try:
        read = contract.read(terms)
    except Malformed:
        return
    assert to_payload(read) == terms


def _listed(rejection: Rejection) -> list[str]:
    errors = rejection.details["errors"]
    assert isinstance(errors, list)
    return sorted(json.dumps(error, sort_keys=True) for error in errors)
