"""Who may do what: versions counted by content, admission, and the version that new work gets."""

from itertools import permutations

import attrs
import pytest

from wattswarm.kernel import governance
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import (
    Admission,
    Governance,
    Role,
    Standing,
    Version,
    Word,
    default_threshold,
    draft_admission,
    draft_update,
    genesis,
    local_genesis,
    network_id_of,
    sign,
    successor,
)
from wattswarm.kernel.governance.chain import Chain
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting

KEYS = [KeyPair.from_seed(bytes([number]) * 32) for number in range(1, 6)]
NODES = [key.node_id for key in KEYS]
FINALIZER = frozenset({Role.FINALIZER})
RECORD = genesis(NODES[0], members=dict.fromkeys(NODES[1:3], FINALIZER))
NETWORK = network_id_of(RECORD)


def carried(version: Version, *signers: int, by: int = 0, network: str = NETWORK) -> Event:
    """Return an event that carries a version with the signatures of these keys."""
    sigs = {NODES[each]: sign(network, version, KEYS[each]) for each in signers}
    return draft_update(version, sigs, 1_000).sign(network, KEYS[by])


def after(*events: Event, network: str = NETWORK) -> Governance:
    """Return what these events say together."""
    known = Governance(network)
    for event in events:
        known.add(event)
    return known


FIRST = carried(RECORD)
ONE = successor(RECORD, params={"settle_ms": 1, "admission": "closed"}, effective_at=2_000)
OTHER = successor(RECORD, params={"settle_ms": 2, "admission": "closed"}, effective_at=3_000)
TWO = successor(ONE, members={NODES[3]: FINALIZER, NODES[4]: frozenset()}, effective_at=4_000)


# --- the genesis record -------------------------------------------------------------------------


def test_a_local_network_is_named_by_its_only_node() -> None:
    record = local_genesis(NODES[0])
    assert network_id_of(record) == f"local:{NODES[0].hex()}"
    assert record == local_genesis(NODES[0])
    assert all(record.holds(NODES[0], role) for role in Role)
    assert record.admission is Admission.CLOSED


def test_any_other_network_is_named_by_the_hash_of_its_record() -> None:
    names = {
        network_id_of(record)
        for record in (
            RECORD,
            genesis(NODES[0], admission=Admission.OPEN),
            genesis(NODES[0], effective_at=1),
            genesis(NODES[0], params={"settle_ms": 0}),
        )
    }
    assert len(names) == 4
    assert all(name.startswith("net:") for name in names)


def test_the_genesis_record_is_valid_whoever_carries_it() -> None:
    known = after(carried(RECORD, by=4))
    assert known.genesis == known.head() == known.version(RECORD.id) == RECORD
    assert known.standing(carried(RECORD, by=4).event_id) == governance.EFFECTIVE


def test_another_networks_record_begins_nothing() -> None:
    foreign = carried(local_genesis(NODES[0]))
    known = after(foreign)
    assert known.head() is None
    assert known.standing(foreign.event_id) == Standing(Word.IGNORED, "foreign_genesis")


# --- validity -----------------------------------------------------------------------------------


def test_a_successor_needs_the_threshold_of_its_predecessor() -> None:
    known = after(FIRST, carried(ONE, 0))
    assert known.version(ONE.id) is None
    assert known.standing(carried(ONE, 0).event_id) == Standing(Word.WAITING, "quorum", ONE.id)
    assert known.add(carried(ONE, 1)).versions == {ONE.id}
    assert known.head() == ONE
    assert known.standing(carried(ONE, 0).event_id) == governance.EFFECTIVE


def test_a_signer_counts_once_however_often_it_signs() -> None:
    assert after(FIRST, carried(ONE, 0), carried(ONE, 0, by=1)).version(ONE.id) is None


def test_only_finalizers_of_the_predecessor_count() -> None:
    assert after(FIRST, carried(ONE, 0, 3, 4)).version(ONE.id) is None


def test_signatures_over_something_else_do_not_count() -> None:
    wrong = {
        NODES[0]: sign(NETWORK, ONE, KEYS[0]),
        NODES[1]: sign("net:other", ONE, KEYS[1]),
        NODES[2]: sign(NETWORK, OTHER, KEYS[2]),
    }
    assert after(FIRST, draft_update(ONE, wrong, 1).sign(NETWORK, KEYS[0])).version(ONE.id) is None


def test_a_bad_signature_does_not_shut_out_a_good_one() -> None:
    bad = draft_update(ONE, {NODES[0]: bytes(64), NODES[1]: bytes(64)}, 1).sign(NETWORK, KEYS[3])
    assert after(bad, FIRST, carried(ONE, 0, 1)).version(ONE.id) == ONE


def test_a_version_waits_for_its_predecessor() -> None:
    early = carried(TWO, 0, 1)
    known = after(FIRST, early)
    assert known.standing(early.event_id) == Standing(Word.WAITING, "predecessor", ONE.id)
    assert known.add(carried(ONE, 1, 2)).versions == {ONE.id, TWO.id}
    assert known.head() == TWO


def test_numbers_follow_one_another() -> None:
    skipping = attrs.evolve(ONE, version=2)
    event = carried(skipping, 0, 1, 2)
    known = after(FIRST, event)
    assert known.version(skipping.id) is None
    assert known.standing(event.event_id) == Standing(Word.IGNORED, "wrong_version_number")


def test_a_valid_version_stays_valid_after_a_rival_and_a_successor() -> None:
    known = after(FIRST, carried(ONE, 0, 1), carried(TWO, 0, 1), carried(OTHER, 1, 2))
    assert all(known.version(each.id) == each for each in (RECORD, ONE, OTHER, TWO))


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0},
        {"threshold": 4},
        {"threshold": 1},
        {"members": {}},
        {"members": {NODES[0]: frozenset({Role.PROPOSER})}},
        {"open_roles": frozenset({Role.FINALIZER})},
        {"open_roles": frozenset({Role.COMMITTER})},
        {"version": 0},
        {"prev": None},
    ],
)
def test_what_could_never_be_valid_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed) as refused:
        successor(RECORD, **changes)
    assert refused.value.code == "bad_version"


def test_an_update_that_could_never_be_valid_is_ignored() -> None:
    event = carried(attrs.evolve(ONE, threshold=1), 0, 1, 2)
    assert after(FIRST, event).standing(event.event_id) == Standing(Word.IGNORED, "bad_version")


@pytest.mark.parametrize(
    ("finalizers", "threshold"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 5), (7, 5), (9, 7)]
)
def test_the_default_threshold(finalizers: int, threshold: int) -> None:
    assert default_threshold(finalizers) == threshold
    assert 2 * threshold > finalizers


def test_a_change_of_members_brings_the_default_threshold() -> None:
    assert TWO.threshold == 1
    assert successor(RECORD, params={}).threshold == RECORD.threshold


# --- forks --------------------------------------------------------------------------------------


def test_of_two_valid_successors_the_smaller_hash_gets_new_work() -> None:
    known = after(FIRST, carried(ONE, 0, 1), carried(OTHER, 1, 2))
    head = known.head()
    assert head is not None
    assert head.id == min(ONE.id, OTHER.id)


def test_whoever_signed_both_is_reported() -> None:
    known = after(FIRST, carried(ONE, 0, 1), carried(OTHER, 1, 2))
    (found,) = known.equivocators
    assert (found.node, found.prev) == (NODES[1], RECORD.id)
    assert found.signed == tuple(sorted((ONE.id, OTHER.id)))


def test_one_that_supersedes_the_other_by_name_is_no_equivocation() -> None:
    second = successor(RECORD, effective_at=9, supersedes=frozenset({ONE.id}))
    assert after(FIRST, carried(ONE, 0, 1), carried(second, 1, 2)).equivocators == ()


def test_a_forged_second_signature_accuses_nobody() -> None:
    forged = draft_update(OTHER, {NODES[1]: bytes(64)}, 1).sign(NETWORK, KEYS[4])
    assert after(FIRST, carried(ONE, 0, 1), forged).equivocators == ()


def test_the_head_at_a_time_is_one_that_is_in_effect() -> None:
    known = after(FIRST, carried(ONE, 0, 1), carried(TWO, 0, 1))
    assert [known.head(now) for now in (0, 1_999, 2_000, 3_999, 4_000)] == [
        RECORD,
        RECORD,
        ONE,
        ONE,
        TWO,
    ]


def test_a_pin_is_stale_ten_seconds_after_a_successor_took_effect() -> None:
    known = after(FIRST, carried(ONE, 0, 1))
    assert not known.is_stale(RECORD.id, 2_000 + 9_999)
    assert known.is_stale(RECORD.id, 2_000 + 10_000)
    assert not known.is_stale(ONE.id, 10**12)


# --- admission ----------------------------------------------------------------------------------


def test_members_of_any_valid_version_are_admitted() -> None:
    known = after(FIRST)
    assert [known.admits(node) for node in NODES] == [True, True, True, False, False]
    known.add(carried(ONE, 0, 1))
    known.add(carried(TWO, 0, 1))
    assert all(known.admits(node) for node in NODES)


def test_a_finalizer_of_any_valid_version_admits_others() -> None:
    admission = draft_admission(NodeId(b"n" * 32), 1).sign(NETWORK, KEYS[3])
    known = after(FIRST, admission)
    assert not known.admits(NodeId(b"n" * 32))
    assert known.standing(admission.event_id) == Standing(Word.IGNORED, "missing_role")
    known.add(carried(ONE, 0, 1))
    known.add(carried(TWO, 0, 1))
    assert known.admits(NodeId(b"n" * 32))
    assert known.standing(admission.event_id) == governance.EFFECTIVE


def test_open_admission_once_valid_holds_for_ever() -> None:
    opened = successor(RECORD, params={"admission": "open"})
    closed = successor(opened, params={"admission": "closed"})
    known = after(FIRST, carried(opened, 0, 1), carried(closed, 0, 1))
    assert known.head() == closed
    assert known.admits(NodeId(b"anybody".ljust(32)))


# --- form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lane_class": LaneClass.WORK}, "wrong_class"),
        ({"scope": "group:a"}, "wrong_scope"),
        ({"task_id": b"t" * 32}, "wrong_scope"),
        ({"kind": "GOVERNANCE_ENDED"}, "unknown_kind"),
        ({"payload": {}}, "bad_field"),
        ({"payload": {"version": {}, "sigs": []}}, "bad_field"),
        ({"payload": {**draft_update(RECORD, {}, 1).payload, "x": 1}}, "unknown_field"),
    ],
)
def test_an_event_of_another_form_is_ignored(changes: dict[str, object], code: str) -> None:
    draft = attrs.evolve(draft_update(RECORD, {}, 1), **changes)
    event = draft.sign(NETWORK, KEYS[0])
    known = after(event)
    assert known.standing(event.event_id) == Standing(Word.IGNORED, code)
    assert known.head() is None
    assert known.standings() == {event.event_id: Standing(Word.IGNORED, code)}


def test_signers_are_listed_in_ascending_order() -> None:
    payload = draft_update(ONE, {node: bytes(64) for node in NODES[:2]}, 1).payload
    sigs = payload["sigs"]
    assert isinstance(sigs, list)
    backwards = {**payload, "sigs": sigs[::-1]}
    event = attrs.evolve(draft_update(ONE, {}, 1), payload=backwards).sign(NETWORK, KEYS[0])
    assert after(FIRST, event).standing(event.event_id) == Standing(Word.IGNORED, "bad_field")


def test_an_event_of_another_network_is_ignored() -> None:
    event = draft_update(RECORD, {}, 1).sign("net:other", KEYS[0])
    assert after(event).standing(event.event_id) == Standing(Word.IGNORED, "wrong_network")


def test_an_event_that_was_not_added_has_no_standing() -> None:
    assert after().standing(FIRST.event_id) is None


def test_a_draft_of_an_admission_is_a_control_event() -> None:
    draft: Draft = draft_admission(NODES[4], 5)
    assert (draft.lane_class, draft.scope, draft.task_id) == (LaneClass.CONTROL, "global", None)


# --- order --------------------------------------------------------------------------------------


def test_every_order_says_the_same() -> None:
    events = [
        FIRST,
        carried(ONE, 0),
        carried(ONE, 1, 2, by=3),
        carried(OTHER, 1, 2),
        carried(TWO, 0, 1),
        draft_admission(NodeId(b"n" * 32), 1).sign(NETWORK, KEYS[3]),
    ]
    seen: set[str] = set()
    for order in permutations(events):
        known = after(*order, *order[:2])
        seen.add(repr((known.rows(), known.standings(), known.equivocators, known.head())))
    assert len(seen) == 1


def test_rows_hold_columns_of_plain_types_in_the_order_of_their_keys() -> None:
    known = after(FIRST, carried(ONE, 0, 1), carried(OTHER, 1, 2), carried(TWO, 0, 1))
    rows = known.rows()
    for table in rows.values():
        assert list(table) == sorted(table, key=lambda row: tuple(map(_sortable, row)))
        assert len({len(row) for row in table}) <= 1
    assert len(rows["governance_versions"]) == 4
    assert len(rows["governance_equivocations"]) == 2
    head: Digest = TWO.id if ONE.id < OTHER.id else OTHER.id
    assert [row[0] for row in rows["governance_versions"] if row[-1]] == [head]


def _sortable(cell: int | str | bytes | bool | None) -> bytes:
    return cell if isinstance(cell, bytes) else repr(cell).encode()


def test_a_standing_is_a_verdict_in_other_words() -> None:
    name = ONE.id
    assert governance.EFFECTIVE.verdict == Effective()
    assert Standing(Word.IGNORED, "bad_version").verdict == Ignored("bad_version")
    assert Standing(Word.WAITING, "quorum", name).verdict == Waiting((Need(On.QUORUM, name),))
    for code in ("predecessor", "version"):
        assert Standing(Word.WAITING, code, name).verdict == Waiting((Need(On.VERSION, name),))


def test_only_admissions_by_finalizers_count_and_are_told_with_who_gave_them() -> None:
    guest, other = NodeId(b"n" * 32), NodeId(b"o" * 32)
    given = draft_admission(guest, 1).sign(NETWORK, KEYS[1])
    void = draft_admission(other, 1).sign(NETWORK, KEYS[3])
    known = after(FIRST, given, void)
    assert known.admitted == {*RECORD.members, guest}
    assert not known.admits(other)
    rows = known.rows()
    assert [row[:3] for row in rows["governance_admissions"]] == [(guest, NODES[1], given.event_id)]
    assert [row[0] for row in rows["governance_verdicts"]] == [void.event_id]


def test_versions_descend_from_all_that_came_before_and_from_no_others() -> None:
    chain = Chain(NETWORK)
    for event in (FIRST, carried(ONE, 0, 1), carried(OTHER, 0, 1), carried(TWO, 0, 1)):
        chain.take_update(event)
    for pin in (RECORD, ONE, TWO):
        assert chain.descends(TWO.id, pin.id)
    assert not chain.descends(TWO.id, OTHER.id)
    assert not chain.descends(ONE.id, TWO.id)
    assert not chain.descends(Digest(bytes(32)), RECORD.id)


def test_signatures_of_others_leave_those_of_finalizers_as_they_are() -> None:
    outsiders = (KeyPair.from_seed(bytes([number]) * 32) for number in range(50, 99))
    first = next(key for key in outsiders if key.node_id < min(NODES[:3]))
    sigs = {key.node_id: sign(NETWORK, ONE, key) for key in (first, KEYS[0], KEYS[1])}
    known = after(FIRST, draft_update(ONE, sigs, 1_000).sign(NETWORK, first))
    assert known.version(ONE.id) == ONE


@pytest.mark.parametrize(
    ("kind", "changes", "path"),
    [
        ("GOVERNANCE_UPDATED", {"more": 1}, "$.payload.more"),
        ("GOVERNANCE_UPDATED", {"sigs": 7}, "$.payload.sigs"),
        ("GOVERNANCE_UPDATED", {"version": 7}, "$.payload.version"),
        ("NODE_ADMITTED", {"more": 1}, "$.payload.more"),
        ("NODE_ADMITTED", {"node": 7}, "$.payload.node"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    kind: str, changes: dict[str, Value], path: str
) -> None:
    whole = {"GOVERNANCE_UPDATED": FIRST, "NODE_ADMITTED": draft_admission(NODES[4], 1)}[kind]
    draft = Draft(
        kind=kind,
        scope="global",
        lane_class=LaneClass.CONTROL,
        task_id=None,
        epoch=0,
        created_at=1,
        payload={**whole.payload, **changes},
    )
    chain = Chain(NETWORK)
    take = chain.take_update if kind == "GOVERNANCE_UPDATED" else chain.take_admission
    with pytest.raises(Malformed) as refused:
        take(draft.sign(NETWORK, KEYS[0]))
    assert refused.value.path == path
