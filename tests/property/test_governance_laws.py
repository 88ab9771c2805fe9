"""Laws of the governance chain: any order of a set says the same, and a larger set only more."""

from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import (
    Admission,
    Governance,
    Role,
    Version,
    Word,
    draft_admission,
    draft_update,
    genesis,
    network_id_of,
    sign,
    successor,
)
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.signature import KeyPair

KEYS = [KeyPair.from_seed(bytes([number]) * 32) for number in range(20, 25)]
NODES = [key.node_id for key in KEYS]
RECORD = genesis(NODES[0], members={node: frozenset({Role.FINALIZER}) for node in NODES[1:3]})
NETWORK = network_id_of(RECORD)


def _chain() -> list[Version]:
    """Return versions with forks, changes of finalizers, and one that opens admission."""
    one = successor(RECORD, effective_at=1_000)
    rival = successor(RECORD, effective_at=2_000)
    handed = successor(one, members={node: frozenset({Role.FINALIZER}) for node in NODES[2:5]})
    opened = successor(handed, params={"admission": Admission.OPEN.value})
    return [one, rival, handed, opened, successor(rival, effective_at=3_000)]


VERSIONS = _chain()
UNIVERSE: list[Event] = [
    draft_update(RECORD, {}, 1).sign(NETWORK, KEYS[4]),
    *(
        draft_update(version, {key.node_id: sign(NETWORK, version, key)}, 2).sign(NETWORK, KEYS[0])
        for version, key in product(VERSIONS, KEYS)
    ),
    *(
        draft_update(version, {node: bytes(64) for node in NODES}, 3).sign(NETWORK, KEYS[1])
        for version in VERSIONS
    ),
    *(
        draft_admission(NodeId(node), 4).sign(NETWORK, key)
        for node, key in product((b"a" * 32, b"b" * 32), KEYS[1:])
    ),
]

subsets = st.sets(st.sampled_from(range(len(UNIVERSE)))).map(sorted)


def said(order: list[int]) -> Governance:
    """Return what these events of the universe say, added in this order."""
    known = Governance(NETWORK)
    for index in order:
        known.add(UNIVERSE[index])
    return known


def shown(known: Governance) -> tuple[object, ...]:
    """Return everything that can be asked."""
    return (known.rows(), known.standings(), known.equivocators, known.head(), known.admitted)


@given(subsets, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_any_order_and_repetition_says_the_same(chosen: list[int], random: Random) -> None:
    shuffled = [*chosen, *chosen[::2]]
    random.shuffle(shuffled)
    assert shown(said(shuffled)) == shown(said(chosen))


@given(subsets, subsets)
@settings(deadline=None)
def test_more_events_only_add(chosen: list[int], others: list[int]) -> None:
    fewer, more = said(chosen), said([*others, *chosen])
    assert {row[0] for row in fewer.rows()["governance_versions"]} <= {
        row[0] for row in more.rows()["governance_versions"]
    }
    assert fewer.admitted <= more.admitted
    assert all(more.admits(node) for node in NODES if fewer.admits(node))
    for index in chosen:
        name = UNIVERSE[index].event_id
        before, after = fewer.standing(name), more.standing(name)
        assert before is not None
        assert after is not None
        assert before.word is not Word.EFFECTIVE or after.word is Word.EFFECTIVE


@given(subsets)
@settings(deadline=None)
def test_what_add_reports_is_what_became_valid(chosen: list[int]) -> None:
    known = Governance(NETWORK)
    reported = [name for index in chosen for name in known.add(UNIVERSE[index]).versions]
    assert len(reported) == len(set(reported))
    assert sorted(reported) == [row[0] for row in known.rows()["governance_versions"]]


@given(subsets)
@settings(deadline=None)
def test_every_valid_version_has_its_quorum(chosen: list[int]) -> None:
    known = said(chosen)
    for version in VERSIONS:
        if known.version(version.id) is None:
            continue
        assert version.prev is not None
        prev = known.version(version.prev)
        assert prev is not None
        signers = {
            key.node_id
            for index, (signed, key) in enumerate(product(VERSIONS, KEYS), start=1)
            if index in chosen and signed is version
        }
        assert len(signers & prev.finalizers) >= prev.threshold
