"""The content of a governance version has one form, and its id is the hash of that."""

from typing import Any, cast

import pytest

from wattswarm.kernel import canonical, version
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.kernel.limits import PARAMS_MAX, POLICIES_MAX
from wattswarm.kernel.policy import BUILTIN, CROSSCHECK, bind
from wattswarm.kernel.version import Role, genesis, successor

NODES = [NodeId(bytes([number]) * 32) for number in range(1, 4)]
RECORD = genesis(
    NODES[0],
    members={NODES[1]: frozenset({Role.FINALIZER, Role.VERIFIER}), NODES[2]: frozenset()},
    open_roles=[Role.VERIFIER],
    params={"settle_ms": 2_000},
)


def content() -> dict[str, Any]:
    """Return a fresh copy of the content of the record."""
    encoded = canonical.encode(version.to_payload(RECORD))
    return cast("dict[str, Any]", canonical.decode(encoded, bytes_max=65_536))


def refusal(changed: dict[str, Any]) -> Malformed:
    with pytest.raises(Malformed) as refused:
        version.read(changed)
    return refused.value


def test_a_version_is_read_back_from_its_content() -> None:
    assert version.read(content()) == RECORD
    assert version.read(content()).id == RECORD.id


def test_a_successor_names_its_predecessor_and_what_it_supersedes() -> None:
    rival = successor(RECORD, effective_at=3)
    following = successor(RECORD, supersedes=frozenset({rival.id}), effective_at=4)
    assert (
        version.read(
            canonical.decode(canonical.encode(version.to_payload(following)), bytes_max=65_536)
        )
        == following
    )
    assert (following.prev, following.version) == (RECORD.id, 1)
    assert successor(following).supersedes == frozenset()


def test_every_field_changes_the_id() -> None:
    changes: list[dict[str, object]] = [
        {"effective_at": 1},
        {"params": {}},
        {"policies": RECORD.policies[:1]},
        {"open_roles": frozenset()},
        {"rules_version": 2},
        {"members": {NODES[0]: frozenset(Role)}},
        {"supersedes": frozenset({Digest(b"x" * 32)})},
    ]
    assert len({successor(RECORD, **change).id for change in changes}) == len(changes)


def test_roles_are_held_by_members_and_by_everybody_where_open() -> None:
    assert RECORD.holds(NODES[1], Role.FINALIZER)
    assert not RECORD.holds(NODES[2], Role.PROPOSER)
    assert RECORD.holds(NodeId(b"somebody".ljust(32)), Role.VERIFIER)
    assert RECORD.holders(Role.VERIFIER) == frozenset(NODES[:2])
    assert RECORD.finalizers == frozenset(NODES[:2])


def test_a_policy_is_registered_whatever_its_parameters() -> None:
    assert all(RECORD.registers(bind(policy)) for policy in BUILTIN.values())
    assert RECORD.registers(bind(CROSSCHECK, '{"min_score_bp":1}'))
    none = successor(RECORD, policies=())
    assert not none.registers(bind(CROSSCHECK))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("prev", b"x"),
        ("version", -1),
        ("effective_at", 2**48),
        ("members", {}),
        ("members", [[NODES[0]]]),
        ("members", [[NODES[1], ["finalizer"]], [NODES[0], ["finalizer"]]]),
        ("members", [[NODES[0], ["finalizer"]], [NODES[0], ["finalizer"]]]),
        ("members", [[NODES[0], ["verifier", "finalizer"]]]),
        ("members", [[NODES[0], ["admin"]]]),
        ("open_roles", ["verifier", "proposer"]),
        ("params", []),
        ("params", {"a b": 1}),
        ("params", {"admission": "ajar"}),
        ("policies", [{"id": "x", "version": 1}]),
        ("policies", [{"id": "x y", "version": 1, "hash": b"h" * 32}]),
        ("policies", [{"id": "x", "version": 0, "hash": b"h" * 32}]),
        ("threshold", "2"),
        ("rules_version", 0),
        ("supersedes", []),
        ("supersedes", [b"b" * 32, b"a" * 32]),
    ],
)
def test_every_field_has_its_form(key: str, value: object) -> None:
    refused = refusal(content() | {key: value})
    assert refused.code == "bad_field"
    assert refused.path.startswith(f"$.{key}")


@pytest.mark.parametrize("key", sorted(version.REQUIRED))
def test_every_field_must_be_there(key: str) -> None:
    changed = content()
    del changed[key]
    assert (refusal(changed).code, refusal(changed).path) == ("bad_field", f"$.{key}")


def test_other_fields_are_refused() -> None:
    assert refusal(content() | {"nonce": 1}).code == "unknown_field"


def test_policies_stand_in_order_and_once() -> None:
    policies = content()["policies"]
    assert refusal(content() | {"policies": policies[::-1]}).code == "bad_field"
    assert refusal(content() | {"policies": [policies[0], policies[0]]}).code == "bad_field"


def test_two_of_three_and_all_of_fewer_sign_by_default() -> None:
    found = [version.default_threshold(number) for number in range(1, 8)]
    assert found == [1, 2, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(("threshold", "is_valid"), [(0, False), (2, False), (3, True), (5, False)])
def test_a_threshold_is_a_majority_of_the_finalizers(threshold: int, is_valid: bool) -> None:
    members = {NodeId(bytes([number]) * 32): frozenset({Role.FINALIZER}) for number in range(3)}
    made = [
        lambda: genesis(NodeId(b"g" * 32), members=members, threshold=threshold),
        lambda: successor(genesis(NodeId(b"g" * 32), members=members), threshold=threshold),
    ]
    for make in made:
        if is_valid:
            assert make().threshold == threshold
            continue
        with pytest.raises(Malformed) as refused:
            make()
        assert (refused.value.code, refused.value.path) == ("bad_version", "$")
        assert f"a threshold of {threshold} " in refused.value.message


def test_both_roles_that_may_be_open_may_be_open_at_once() -> None:
    open_roles = frozenset({Role.PROPOSER, Role.VERIFIER})
    assert successor(RECORD, open_roles=open_roles).open_roles == open_roles


def test_what_is_wrong_with_a_list_of_drafts_is_said_with_its_place() -> None:
    for value, path in ((7, "$.supersedes"), ([7], "$.supersedes[0]"), ([], "$.supersedes")):
        assert refusal(content() | {"supersedes": value}).path == path


NAMED = {"id": "x", "version": 1, "hash": b"h" * 32}
ORDER = "not in ascending order, or one item stands twice"


@pytest.mark.parametrize(
    ("key", "value", "place", "said"),
    [
        ("members", 7, "", ""),
        ("members", [7], "[0]", ""),
        ("members", [[NODES[0]]], "[0]", "not a pair [node, roles]"),
        ("members", [[NODES[0], ["finalizer"], 1]], "[0]", "not a pair [node, roles]"),
        ("members", [[b"x", ["finalizer"]]], "[0][0]", ""),
        ("members", [[NODES[0], 7]], "[0][1]", ""),
        ("members", [[NODES[0], ["finalizer", "finalizer"]]], "[0][1]", ORDER),
        ("open_roles", 7, "", ""),
        ("params", 7, "", f"not a map of at most {PARAMS_MAX} parameters"),
        ("params", {"a b": 1}, "", "a parameter's name that is not an id"),
        ("policies", 7, "", ""),
        ("policies", [NAMED, NAMED], "", ORDER),
        ("policies", [NAMED | {"id": 7}], "[0].id", ""),
        ("policies", [NAMED | {"id": "x y"}], "[0].id", "not an id"),
        ("policies", [NAMED | {"hash": 7}], "[0].hash", ""),
        ("supersedes", [], "", "an empty list is left out"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    key: str, value: object, place: str, said: str
) -> None:
    refused = refusal(content() | {key: value})
    assert (refused.code, refused.path) == ("bad_field", f"$.{key}{place}")
    assert said in ("", refused.message)


def test_lists_have_room_for_so_many_and_no_more() -> None:
    names = [f"n{number:04}" for number in range(max(PARAMS_MAX, POLICIES_MAX) + 1)]
    policies = [NAMED | {"id": name} for name in names]
    for key, most, whole in (
        ("params", PARAMS_MAX, lambda many: dict.fromkeys(names[:many], 1)),
        ("policies", POLICIES_MAX, lambda many: policies[:many]),
    ):
        assert version.read(content() | {key: whole(most)}) is not None
        assert refusal(content() | {key: whole(most + 1)}).path == f"$.{key}"


def test_what_no_version_could_be_is_said_with_the_place_of_the_whole() -> None:
    for change, said in (
        ({"open_roles": ["committer"]}, "only proposer and verifier may be open roles"),
        ({"version": 1}, "version 0, and only version 0, has no predecessor"),
    ):
        with pytest.raises(Malformed) as refused:
            version.read(content() | change, "$.x")
        assert (refused.value.code, refused.value.path) == ("bad_version", "$.x")
        assert refused.value.message == said
