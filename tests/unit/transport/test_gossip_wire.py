"""Gossip on the wire: the bytes of iroh-gossip, and nothing but typed errors for others."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.gossip_vectors import VECTORS, A, B
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.gossip.frames import (
    MESSAGE_BYTES_MAX,
    FrameReader,
    frame,
    header,
)
from wattswarm.transport.proto.gossip.messages import (
    ADDRESSES_MAX,
    PEERS_MAX,
    Disconnect,
    ForwardJoin,
    Gossip,
    Graft,
    IHave,
    Join,
    Message,
    Neighbor,
    Peer,
    Priority,
    Prune,
    Shuffle,
    ShuffleReply,
    Whereabouts,
    decode,
    encode,
)
from wattswarm.transport.proto.postcard import U16_MAX, U64_MAX, Reader, varint

nodes = st.binary(min_size=32, max_size=32).map(NodeId)
digests = st.binary(min_size=32, max_size=32).map(Digest)
u16 = st.integers(0, U16_MAX)
ipv4 = st.tuples(st.ip_addresses(v=4), u16).map(lambda each: f"{each[0]}:{each[1]}")
ipv6 = st.tuples(st.ip_addresses(v=6), u16).map(lambda each: f"[{each[0]}]:{each[1]}")
places = st.builds(
    Whereabouts,
    st.none() | st.text(st.characters(codec="utf-8"), max_size=40),
    st.lists(ipv4 | ipv6, max_size=5, unique=True).map(tuple),
)
peers = st.builds(Peer, nodes, st.none() | places)
messages = st.one_of(
    st.builds(Join, st.none() | places),
    st.builds(ForwardJoin, peers, u16),
    st.builds(Shuffle, nodes, st.lists(peers, max_size=8).map(tuple), u16),
    st.builds(ShuffleReply, st.lists(peers, max_size=8).map(tuple)),
    st.builds(Neighbor, st.sampled_from(Priority), st.none() | places),
    st.builds(Disconnect, st.booleans()),
    st.builds(Gossip, digests, st.binary(max_size=200), st.none() | u16),
    st.just(Prune()),
    st.builds(Graft, st.none() | digests, u16),
    st.builds(IHave, st.lists(st.tuples(digests, u16), max_size=20).map(tuple)),
)


@pytest.mark.parametrize(("message", "written"), VECTORS, ids=lambda each: type(each).__name__)
def test_the_bytes_are_those_of_iroh(message: Message, written: str) -> None:
    assert encode(message).hex() == written
    assert decode(bytes.fromhex(written)) == message


@given(messages)
def test_every_message_is_read_as_it_was_written(message: Message) -> None:
    written = encode(message)
    assert encode(decode(written)) == written


def test_addresses_are_a_sorted_set() -> None:
    mixed = Whereabouts(None, ("[::1]:9", "10.0.0.2:300", "10.0.0.2:5", "10.0.0.2:5", "9.0.0.1:1"))
    read = decode(encode(Join(mixed)))
    assert read == Join(Whereabouts(None, ("9.0.0.1:1", "10.0.0.2:5", "10.0.0.2:300", "[::1]:9")))


def test_nothing_known_of_a_place_is_an_empty_byte_string() -> None:
    assert decode(bytes.fromhex("00000100")) == Join(Whereabouts())


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "too_short"),
        ("00", "too_short"),
        ("0006", "unknown_kind"),
        ("0200", "unknown_kind"),
        ("01", "too_short"),
        ("010100", "trailing_bytes"),
        ("000002", "bad_field"),
        (f"0001{A}0006ff", "trailing_bytes"),
        (f"0001{A}008600", "bad_varint"),
        (f"0001{A}00ffffffffffffffffffff01", "bad_varint"),
        (f"0001{A}00808004", "too_large"),
        ("0003ffff03", "too_large"),
        (f"000302{B}00", "too_short"),
        ("00040200", "too_large"),
        ("0001" + A + "01020001" + "06", "too_short"),
        ("00000103" + "0102c3", "too_short"),
        ("00000105" + "0102c32800", "bad_field"),
    ],
)
def test_what_is_no_message_is_refused(written: str, code: str) -> None:
    with pytest.raises(Malformed) as told:
        decode(bytes.fromhex(written))
    assert told.value.code == code


def test_lists_are_bounded_before_they_are_read() -> None:
    for count in (PEERS_MAX + 1, ADDRESSES_MAX + 1):
        with pytest.raises(Malformed) as told:
            decode(b"\0\3" + varint(count) + bytes(33 * count))
        assert told.value.code == "too_large"
    with pytest.raises(Malformed) as told:
        decode(bytes(MESSAGE_BYTES_MAX + 1))
    assert told.value.code == "too_large"


@given(st.binary(max_size=300), messages, st.integers(0, 300), st.binary(max_size=5))
def test_any_bytes_are_read_or_refused(raw: bytes, message: Message, at: int, patch: bytes) -> None:
    whole = encode(message)
    for written in (raw, whole[:at], whole[:at] + patch + whole[at + len(patch) :]):
        with suppress(Malformed):
            decode(written)


@given(st.integers(0, U64_MAX))
def test_varints_are_written_in_their_shortest_form(value: int) -> None:
    written = varint(value)
    assert Reader(written).varint(U64_MAX) == value
    assert len(written) == max(1, -(-value.bit_length() // 7))


# --- frames ---------------------------------------------------------------------------------------


@given(st.lists(messages, max_size=6), st.lists(st.integers(1, 50), max_size=60))
def test_frames_are_put_together_from_any_pieces(said: list[Message], cuts: list[int]) -> None:
    topic = bytes.fromhex(A)
    stream = header(topic) + b"".join(frame(encode(each)) for each in said)
    reader, found, at = FrameReader(), list[bytes](), 0
    for size in [*cuts, len(stream)]:
        found += reader.feed(stream[at : at + size])
        at += size
    assert reader.topic == topic
    assert found == [encode(each) for each in said]
    reader.end()


def test_a_stream_begins_with_a_topic() -> None:
    assert header(bytes.fromhex(A)).hex() == "00000020" + A
    with pytest.raises(Malformed) as told:
        list(FrameReader().feed(frame(b"short")))
    assert told.value.code == "bad_header"


def test_a_frame_that_is_too_large_is_refused_before_it_is_read() -> None:
    reader = FrameReader()
    with pytest.raises(Malformed) as told:
        list(reader.feed(header(bytes(32)) + (MESSAGE_BYTES_MAX + 1).to_bytes(4, "big")))
    assert told.value.code == "too_large"
    largest = MESSAGE_BYTES_MAX.to_bytes(4, "big") + bytes(MESSAGE_BYTES_MAX)
    assert [len(each) for each in FrameReader(bytes(32)).feed(largest)] == [MESSAGE_BYTES_MAX]


def test_a_stream_that_ends_within_a_frame_is_told() -> None:
    reader = FrameReader(bytes(32))
    assert list(reader.feed(b"\0\0\0\2x")) == []
    with pytest.raises(Malformed):
        reader.end()
