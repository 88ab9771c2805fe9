"""Announcements on a local network, and who founds one."""

import random
from contextlib import suppress

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.kernel import canonical
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.limits import ID_CHARS_MAX
from wattswarm.kernel.signature import KeyPair
from wattswarm.transport.proto.discovery import (
    DATAGRAM_BYTES_MAX,
    EVERY_MS,
    JITTER,
    MISSED,
    NEIGHBOURS_MAX,
    Announcement,
    Neighbourhood,
    gives_way,
    pause_ms,
)

ME, PEER, OTHER = (KeyPair.from_seed(bytes([number]) * 32) for number in (1, 2, 3))
NETWORK = "lan:" + "0" * 32


def said_by(key: KeyPair, **changes: object) -> Announcement:
    """Return what a node announces."""
    made = Announcement(
        lan_name="lab",
        network_id=NETWORK,
        genesis=PEER.node_id,
        node=key.node_id,
        port=4_001,
        sent_at=1_000,
    )
    return attrs.evolve(made, **changes)


def around(**known: object) -> Neighbourhood:
    return attrs.evolve(Neighbourhood(ME.node_id, "lab", 4_001), **known)


def test_what_is_announced_is_read_again_and_fits_into_a_datagram() -> None:
    said = said_by(PEER, lan_name="n" * ID_CHARS_MAX, network_id="n" * ID_CHARS_MAX)
    datagram = said.encode(PEER)
    assert Announcement.read(datagram) == said
    assert len(datagram) <= DATAGRAM_BYTES_MAX


def test_what_the_node_did_not_sign_is_refused() -> None:
    items = canonical.decode(said_by(PEER).encode(PEER), bytes_max=DATAGRAM_BYTES_MAX)
    assert isinstance(items, list | tuple)
    for at, value in enumerate((None, "other", "other", bytes(32), OTHER.node_id, 4_002, 9)):
        changed = [*items[:at], value, *items[at + 1 :]]
        if value is not None:
            with pytest.raises(Malformed) as told:
                Announcement.read(canonical.encode(changed))
            assert told.value.code == "bad_signature"


@pytest.mark.parametrize(
    ("datagram", "code"),
    [
        (bytes(DATAGRAM_BYTES_MAX + 1), "too_large"),
        (b"", "not_cbor"),
        (b"hello", "not_cbor"),
        (canonical.encode([1, 2]), "bad_field"),
        (canonical.encode([2, "lab", "n", bytes(32), bytes(32), 1, 1, bytes(64)]), "bad_field"),
        (canonical.encode([1, "lab", "n", bytes(32), bytes(32), 0, 1, bytes(64)]), "bad_field"),
        (canonical.encode([1, "lab", "n", bytes(31), bytes(32), 1, 1, bytes(64)]), "bad_field"),
        (canonical.encode([1, "x" * 200, "n", bytes(32), bytes(32), 1, 1, bytes(64)]), "bad_field"),
    ],
)
def test_what_is_no_announcement_is_refused(datagram: bytes, code: str) -> None:
    with pytest.raises(Malformed) as told:
        Announcement.read(datagram)
    assert told.value.code == code


@given(st.binary(max_size=DATAGRAM_BYTES_MAX + 10), st.integers(0, 400), st.binary(max_size=9))
def test_any_bytes_are_read_or_refused(raw: bytes, at: int, patch: bytes) -> None:
    whole = said_by(PEER).encode(PEER)
    for datagram in (raw, whole[:at], whole[:at] + patch + whole[at + len(patch) :]):
        with suppress(Malformed):
            Announcement.read(datagram)


def test_a_node_is_known_by_what_it_said_last_and_where_it_came_from() -> None:
    known = around()
    assert known.hear(said_by(PEER), "10.0.0.2", 0)
    assert not known.hear(said_by(PEER, sent_at=1_001), "10.0.0.2", 1)
    assert not known.hear(said_by(PEER, sent_at=500, port=9), "10.0.0.66", 2), "an old one, again"
    assert [each.address for each in known.of(NETWORK, 2)] == ["10.0.0.2:4001"]
    assert known.hear(said_by(PEER, sent_at=2_000), "10.0.0.3", 3)
    assert [each.address for each in known.of(NETWORK, 3)] == ["10.0.0.3:4001"]


def test_other_names_networks_and_this_node_itself_are_left_out() -> None:
    known = around()
    assert not known.hear(said_by(PEER, lan_name="elsewhere"), "10.0.0.2", 0)
    assert not known.hear(said_by(ME), "10.0.0.1", 0)
    assert known.hear(said_by(OTHER, network_id="lan:other"), "10.0.0.4", 0)
    assert known.of(NETWORK, 0) == ()
    assert known.is_double(said_by(ME, port=4_002))
    assert not known.is_double(said_by(ME))
    assert not known.is_double(said_by(PEER, port=4_002))


def test_who_is_not_heard_of_any_more_is_forgotten() -> None:
    known = around()
    known.hear(said_by(PEER), "10.0.0.2", 0)
    assert known.of(NETWORK, MISSED * EVERY_MS)
    assert known.of(NETWORK, MISSED * EVERY_MS + 1) == ()
    assert known.hear(said_by(PEER), "10.0.0.2", MISSED * EVERY_MS + 1)


def test_no_more_are_known_than_may_be() -> None:
    known = around()
    for number in range(NEIGHBOURS_MAX + 5):
        node = NodeId(number.to_bytes(32, "big"))
        known.hear(said_by(PEER, node=node), "10.0.0.2", 0)
    found = known.of(NETWORK, 0)
    assert len(found) == NEIGHBOURS_MAX
    assert found[0].said.node == NodeId((NEIGHBOURS_MAX + 4).to_bytes(32, "big"))


def test_of_two_founders_one_gives_way_and_only_with_an_empty_log() -> None:
    low, high = sorted((PEER.node_id, OTHER.node_id))
    assert gives_way(high, low, has_only_genesis=True)
    assert not gives_way(low, high, has_only_genesis=True)
    assert not gives_way(high, low, has_only_genesis=False)
    known = around()
    assert known.first_founded(0) is None
    known.hear(said_by(PEER, genesis=high, network_id="lan:high"), "10.0.0.2", 0)
    known.hear(said_by(OTHER, genesis=low, network_id="lan:low"), "10.0.0.3", 0)
    found = known.first_founded(0)
    assert found is not None
    assert found.said.network_id == "lan:low"


def test_announcements_do_not_fall_into_step() -> None:
    dice = random.Random(4)
    pauses = [pause_ms(dice) for _ in range(100)]
    assert len(set(pauses)) > 50
    assert all(
        EVERY_MS * (1 - JITTER) - 1 <= each <= EVERY_MS * (1 + JITTER) + 1 for each in pauses
    )
