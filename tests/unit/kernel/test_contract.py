"""The terms of a task: complete and strict in the log, short and forgiving on paper."""

from typing import Any, cast

import attrs
import pytest

from wattswarm.kernel import canonical, contract, version
from wattswarm.kernel.contract import (
    Allocator,
    BudgetMode,
    Contract,
    Independence,
    Mode,
    Places,
    StageUnits,
    resolve,
    to_payload,
    voters_max,
)
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.policy import CROSSCHECK, SCHEMA_ONLY, bind
from wattswarm.kernel.version import Role, Version, genesis, local_genesis, network_id_of, successor

ME, YOU, THEM = (NodeId(bytes([number]) * 32) for number in range(1, 4))
NOW_MS = 1_790_000_000_000
LOCAL = local_genesis(ME)
PEERS = genesis(
    ME,
    members={YOU: frozenset(Role), THEM: frozenset({Role.VERIFIER})},
    open_roles=[Role.PROPOSER],
)
REFERENCE = {"digest": "blake3:" + "0" * 64, "size_bytes": 5, "mime": "text/plain"}


def resolved(doc: dict[str, Any] | None = None, *, pin: Version = LOCAL, **fields: Any) -> Contract:
    """Return the contract of a document, which must have one."""
    result = attempt({**(doc or {}), **fields}, pin)
    assert isinstance(result, Contract), result
    return result


def errors(doc: dict[str, Any] | None = None, *, pin: Version = LOCAL, **fields: Any) -> set[str]:
    """Return what is wrong with a document, each as `path code`."""
    result = attempt({**(doc or {}), **fields}, pin)
    assert isinstance(result, Rejection), result
    assert result.code == "contract_invalid"
    listed = cast("list[dict[str, str]]", result.details["errors"])
    assert all(each["message"] for each in listed)
    return {f"{each['path']} {each['code']}" for each in listed}


def attempt(doc: dict[str, Any], pin: Version) -> Contract | Rejection:
    doc = {"task_type": "summarize", **doc}
    root = LOCAL if pin is LOCAL else PEERS
    return resolve(doc, network_id=network_id_of(root), pin=pin, created_at=NOW_MS, creator=ME)


# --- defaults -----------------------------------------------------------------------------------


def test_a_task_type_is_enough() -> None:
    made = resolved()
    assert (made.name, made.inputs, made.inputs_ref, made.output_schema) == ("", "{}", None, "{}")
    assert made.policy == bind(SCHEMA_ONLY)
    assert (made.mode, made.budget_mode) == (Mode.ONE_SHOT, BudgetMode.LIFETIME)
    assert (made.quorum_threshold, made.da_quorum_threshold) == (1, 1)
    assert (made.allocator, made.decider) == (Allocator.OPEN, None)
    assert made.max_concurrency == Places(propose=1, verify=2)
    assert (made.max_proposers, made.max_verifiers, made.topk) == (1, 2, 3)
    assert (made.no_new_evidence_rounds, made.max_attempts) == (3, 3)
    assert (made.lease_ms, made.time_ms) == (30_000, 600_000)
    assert made.commit_window_ms == made.reveal_window_ms == made.decision_window_ms == 10_000
    assert made.decider_timeout_ms == 10_000
    assert made.expires_at == NOW_MS + 3_600_000
    assert made.stage_units == StageUnits(explore=350, verify=450, finalize=200)
    assert (made.max_steps, made.cost_units) == (100, 1_000)
    assert attrs.astuple(made.reuse) == (1, 20_000, 200)
    assert attrs.astuple(made.settlement) == (86_400_000, 1_000, 10, 50, 3, ME)


def test_a_local_network_votes_plainly_and_asks_for_no_independence() -> None:
    alone, among_others = resolved(), resolved(pin=PEERS)
    assert (alone.independence, alone.commit_reveal) == (Independence.NONE, False)
    assert (among_others.independence, among_others.commit_reveal) == (Independence.NODE, True)


def test_from_four_verifiers_on_one_is_no_quorum() -> None:
    members = {NodeId(bytes([number]) * 32): frozenset(Role) for number in range(2, 5)}
    pin = genesis(ME, members=members)
    made = resolved(pin=pin)
    assert (made.quorum_threshold, made.max_verifiers) == (2, 3)
    assert made.max_concurrency == Places(propose=1, verify=3)


def test_defaults_yield_to_what_was_given() -> None:
    short = resolved(time_ms=5_000, cost_units=10)
    assert (short.lease_ms, short.reuse.verify_time_ms) == (5_000, 5_000)
    assert short.stage_units == StageUnits(explore=3, verify=4, finalize=2)
    assert resolved(lease_ms=700_000).time_ms == 700_000
    assert resolved(quorum_threshold=2, pin=PEERS).max_verifiers == 3
    assert resolved(mode="continuous").budget_mode is BudgetMode.EPOCH_RENEW


def test_a_group_may_be_given_in_part() -> None:
    assert resolved(max_concurrency={"propose": 3}).max_concurrency == Places(propose=3, verify=2)
    assert resolved(settlement={"K": 7}).settlement.k == 7


# --- what people write --------------------------------------------------------------------------


def test_json_is_written_in_one_form() -> None:
    made = resolved(
        inputs={"b": 1.0, "a": "é"},
        output_schema={"type": "object"},
        policy={"id": "vp.crosscheck.v1", "params": {"min_score_bp": 9_000}},
    )
    assert made.inputs == '{"a":"é","b":1}'
    assert made.output_schema == '{"type":"object"}'
    assert made.policy == bind(CROSSCHECK, '{"min_score_bp":9000}')


def test_a_policy_may_be_named_by_its_id_and_checked_by_its_hash() -> None:
    bound = bind(CROSSCHECK)
    assert resolved(policy="vp.crosscheck.v1").policy == bound
    full = {"id": bound.id, "version": 1, "hash": bound.hash.hex(), "params": "{}"}
    assert resolved(policy=full).policy == bound


def test_nodes_are_written_in_hex() -> None:
    made = resolved(pin=PEERS, decider=YOU.hex(), settlement={"authority": THEM.hex()})
    assert (made.decider, made.settlement.authority) == (YOU, THEM)
    assert resolved(decider="by_rank").decider is None


def test_a_life_may_be_given_instead_of_an_end() -> None:
    assert resolved(expires_in_ms=60_000).expires_at == NOW_MS + 60_000
    assert resolved(expires_at=NOW_MS + 1).expires_at == NOW_MS + 1


def test_large_inputs_are_named_by_reference() -> None:
    made = resolved(inputs_ref=REFERENCE)
    assert made.inputs is None
    assert made.inputs_ref is not None
    assert made.inputs_ref.size_bytes == 5


def test_the_sample_works_alone_and_among_others() -> None:
    for pin in (LOCAL, PEERS):
        assert resolved(contract.sample(), pin=pin).task_type == "summarize"


# --- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"task_type": "a b"}, "$.task_type bad_field"),
        ({"name": "x" * 257}, "$.name bad_field"),
        ({"name": None}, "$.name bad_field"),
        ({"inputs": []}, "$.inputs bad_field"),
        ({"inputs": {"a": 2**60 + 1}}, "$.inputs.a bad_json"),
        ({"inputs": {"a": "x" * 33_000}}, "$.inputs too_large"),
        ({"inputs": {}, "inputs_ref": REFERENCE}, "$.inputs inconsistent"),
        ({"inputs_ref": {**REFERENCE, "digest": "md5:1"}}, "$.inputs_ref.digest bad_field"),
        ({"output_schema": {"type": "objekt"}}, "$.output_schema.type bad_schema"),
        ({"policy": "vp.crosschek.v1"}, "$.policy.id policy_unsupported"),
        ({"policy": {}}, "$.policy.id policy_unsupported"),
        ({"policy": {"id": "vp.crosscheck.v1", "version": 2}}, "$.policy.version policy_mismatch"),
        ({"policy": {"id": "vp.crosscheck.v1", "hash": "0"}}, "$.policy.hash policy_mismatch"),
        ({"policy": {"id": "vp.crosscheck.v1", "parms": {}}}, "$.policy.parms unknown_field"),
        (
            {"policy": {"id": "vp.crosscheck.v1", "params": {"min_score_bp": "x"}}},
            "$.policy.params.min_score_bp bad_params",
        ),
        ({"policy": {"id": "vp.crosscheck.v1", "params": "{"}}, "$.policy.params bad_json"),
        ({"mode": "once"}, "$.mode bad_field"),
        ({"mode": "continuous", "budget_mode": "lifetime"}, "$.budget_mode inconsistent"),
        ({"quorum_threshold": 0}, "$.quorum_threshold bad_field"),
        ({"quorum_threshold": 2}, "$.quorum_threshold quorum_unreachable"),
        ({"quorum_threshold": 2, "max_verifiers": 1}, "$.max_verifiers inconsistent"),
        ({"da_quorum_threshold": 2}, "$.da_quorum_threshold quorum_unreachable"),
        ({"da_quorum_threshold": 3, "max_verifiers": 2}, "$.max_verifiers inconsistent"),
        ({"independence": "node"}, "$.independence nobody_can_verify"),
        ({"commit_reveal": 1}, "$.commit_reveal bad_field"),
        ({"allocator": "lottery"}, "$.allocator bad_field"),
        ({"decider": "me"}, "$.decider bad_field"),
        ({"decider": YOU.hex()}, "$.decider decider_not_committer"),
        ({"max_concurrency": 3}, "$.max_concurrency bad_field"),
        ({"max_concurrency": {"verfy": 3}}, "$.max_concurrency.verfy unknown_field"),
        ({"max_concurrency": {"verify": 0}}, "$.max_concurrency.verify bad_field"),
        ({"max_attempts": 65}, "$.max_attempts bad_field"),
        ({"lease_ms": 5.0}, "$.lease_ms bad_field"),
        ({"lease_ms": 10, "time_ms": 9}, "$.time_ms inconsistent"),
        ({"expires_at": NOW_MS}, "$.expires_at already_expired"),
        ({"expires_at": 2**48}, "$.expires_at bad_field"),
        ({"expires_in_ms": 0}, "$.expires_in_ms bad_field"),
        ({"expires_in_ms": 5, "expires_at": 5}, "$.expires_in_ms inconsistent"),
        ({"stage_units": {"explore": 999}}, "$.stage_units inconsistent"),
        ({"stage_units": {"explore": 0}}, "$.stage_units.explore bad_field"),
        ({"reuse": {"verify_time_ms": 600_001}}, "$.reuse.verify_time_ms inconsistent"),
        ({"reuse": {"verify_units": 1_001}}, "$.reuse.verify_units inconsistent"),
        (
            {"settlement": {"implicit_weight_bp": 10_001}},
            "$.settlement.implicit_weight_bp bad_field",
        ),
        ({"settlement": {"K": 0}}, "$.settlement.K bad_field"),
        ({"settlement": {"authority": "x"}}, "$.settlement.authority bad_field"),
        ({"settlement": 1}, "$.settlement bad_field"),
        ({"swarm_scope": "global"}, "$.swarm_scope unknown_field"),
    ],
)
def test_each_mistake_is_told_with_its_path(fields: dict[str, Any], error: str) -> None:
    assert error in errors(fields)


def test_only_the_mistake_is_told() -> None:
    assert errors(lease_ms=0) == {"$.lease_ms bad_field"}
    assert errors(expires_at="soon") == {"$.expires_at bad_field"}
    assert errors(policy=7) == {"$.policy bad_field"}


def test_all_mistakes_are_told_at_once() -> None:
    found = errors(
        taks_type="x", inputs=3, quorum_threshold=-1, settlement={"K": 0, "authority": "x"}
    )
    assert found == {
        "$.taks_type unknown_field",
        "$.inputs bad_field",
        "$.quorum_threshold bad_field",
        "$.settlement.K bad_field",
        "$.settlement.authority bad_field",
    }


def test_a_missing_task_type_is_told() -> None:
    result = resolve({}, network_id="local:x", pin=LOCAL, created_at=NOW_MS, creator=ME)
    assert isinstance(result, Rejection)
    assert str(result) == "$.task_type: this field is missing; it has no default"


def test_an_unknown_field_comes_with_the_nearest_one() -> None:
    result = attempt({"max_verifers": 3, "zzz": 1}, LOCAL)
    assert isinstance(result, Rejection)
    told = [each["message"] for each in cast("list[dict[str, str]]", result.details["errors"])]
    assert told == [
        "there is no field max_verifers; did you mean max_verifiers?",
        "there is no field zzz; leave it out",
    ]


def test_a_contract_that_would_not_fit_into_an_event_is_refused() -> None:
    text = "x" * 32_000
    assert errors(inputs={"a": text}, output_schema={"title": text}) == {"$.inputs too_large"}


# --- what the roles allow -----------------------------------------------------------------------


def test_a_task_that_nobody_could_work_on_is_refused() -> None:
    only_final = successor(LOCAL, members={ME: frozenset({Role.FINALIZER})})
    assert errors(pin=only_final) == {
        "$ nobody_can_propose",
        "$ nobody_can_decide",
        "$.independence nobody_can_verify",
    }


def test_a_policy_must_be_registered() -> None:
    without = successor(LOCAL, policies=(CROSSCHECK.name,))
    assert errors(pin=without, independence="none") == {"$.policy policy_not_registered"}


@pytest.mark.parametrize(
    ("verifiers", "proposers", "open_roles", "independence", "most"),
    [
        ([ME], [ME], [], Independence.NODE, 0),
        ([ME], [ME], [], Independence.EXECUTOR, 1),
        ([ME], [ME], [], Independence.NONE, 1),
        ([ME, YOU], [ME], [], Independence.NODE, 1),
        ([ME, YOU], [ME, YOU], [], Independence.NODE, 1),
        ([ME, YOU], [ME, THEM], [], Independence.NODE, 2),
        ([ME], [YOU], [], Independence.NODE, 1),
        ([ME], [ME], [Role.PROPOSER], Independence.NODE, 1),
        ([], [ME], [], Independence.NODE, 0),
        ([ME], [ME], [Role.VERIFIER], Independence.NODE, None),
    ],
)
def test_how_many_could_vote(
    verifiers: list[NodeId],
    proposers: list[NodeId],
    open_roles: list[Role],
    independence: Independence,
    most: int | None,
) -> None:
    members: dict[NodeId, set[Role]] = {node: set() for node in (ME, YOU, THEM)}
    members[THEM].add(Role.FINALIZER)
    for role, nodes in ((Role.VERIFIER, verifiers), (Role.PROPOSER, proposers)):
        for node in nodes:
            members[node].add(role)
    pin = attrs.evolve(
        LOCAL,
        members={node: frozenset(roles) for node, roles in members.items()},
        open_roles=frozenset(open_roles),
    )
    assert voters_max(pin, independence) == most


# --- in the log ---------------------------------------------------------------------------------


def complete() -> dict[str, Any]:
    """Return a fresh copy of a complete contract as it stands in a payload."""
    encoded = canonical.encode(to_payload(resolved(pin=PEERS, decider=YOU.hex())))
    return cast("dict[str, Any]", canonical.decode(encoded, bytes_max=65_536))


def test_a_contract_is_read_back_from_its_payload() -> None:
    for doc in ({}, {"inputs_ref": REFERENCE}, {"decider": YOU.hex()}, contract.sample()):
        made = resolved(doc, pin=PEERS)
        encoded = canonical.encode(to_payload(made))
        assert contract.read(canonical.decode(encoded, bytes_max=65_536)) == made


@pytest.mark.parametrize("name", sorted(complete()))
def test_a_reader_knows_no_defaults(name: str) -> None:
    terms = complete()
    del terms[name]
    with pytest.raises(Malformed) as refused:
        contract.read(terms)
    assert refused.value.path == f"$.{name}"


def test_a_reader_takes_no_other_fields() -> None:
    with pytest.raises(Malformed) as refused:
        contract.read(complete() | {"expires_in_ms": 5})
    assert (refused.value.code, refused.value.path) == ("unknown_field", "$.expires_in_ms")


def test_a_reader_checks_the_relations_too() -> None:
    with pytest.raises(Malformed) as refused:
        contract.read(complete() | {"time_ms": 1})
    assert (refused.value.code, refused.value.path) == ("inconsistent", "$.time_ms")


def test_a_reader_parses_no_json() -> None:
    assert contract.read(complete() | {"inputs": "not JSON"}).inputs == "not JSON"


@pytest.mark.parametrize("value", [None, b"x", [], "contract"])
def test_a_contract_is_a_map(value: Any) -> None:
    with pytest.raises(Malformed):
        contract.read(value)


def test_a_version_that_was_used_is_a_valid_one() -> None:
    assert version.read(version.to_payload(LOCAL)) == LOCAL


def test_of_fields_that_are_wrong_nothing_further_is_said() -> None:
    mine = {"decider": 7, "independence": "strangers"}
    assert errors(mine, pin=PEERS) == {"$.decider bad_field", "$.independence bad_field"}


def test_where_anybody_may_verify_no_quorum_is_out_of_reach() -> None:
    pin = successor(PEERS, open_roles=frozenset({Role.PROPOSER, Role.VERIFIER}))
    assert voters_max(pin, Independence.NONE) is None
    assert resolved(pin=pin, quorum_threshold=50).quorum_threshold == 50
    assert errors(pin=PEERS, quorum_threshold=50) == {"$.quorum_threshold quorum_unreachable"}


def test_a_part_of_the_terms_in_the_log_is_whole() -> None:
    complete = to_payload(resolved())
    units = cast("dict[str, Any]", complete["stage_units"])
    spoilt = {**complete, "stage_units": {key: units[key] for key in units if key != "verify"}}
    with pytest.raises(Malformed) as refused:
        contract.read(spoilt)
    assert refused.value.path == "$.stage_units.verify"
