"""Archives: what was written is read, in chunks of any size, and damage has a name and a place."""

import re
from collections.abc import Sequence
from contextlib import suppress

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattswarm.kernel.archive import ArchiveReader, ArchiveWriter, archive, read
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import EVENT_WIRE_BYTES_MAX

NETWORK = "local:" + "ab" * 32
SMALL = cbor2.dumps([b"body", bytes(64)])

bodies = st.binary(max_size=300) | st.integers(250, 65_536).map(bytes)
events = st.tuples(bodies, st.binary(min_size=64, max_size=64)).map(
    lambda pair: cbor2.dumps(list(pair))
)
CODES = {"not_an_archive", "not_an_event", "too_large", "truncated"}


def read_in_chunks(content: bytes, size: int) -> tuple[list[bytes], ArchiveReader]:
    reader = ArchiveReader()
    found: list[bytes] = []
    for at in range(0, len(content), size):
        found += reader.feed(content[at : at + size])
    return found, reader


@given(st.lists(events, max_size=20), st.integers(1, 5_000))
def test_what_was_written_is_read_in_chunks_of_any_size(wires: list[bytes], size: int) -> None:
    content = archive(NETWORK, wires)
    found, reader = read_in_chunks(content, size)
    assert found == wires
    whole = reader.end()
    assert (whole.network_id, whole.events, whole.is_intact) == (NETWORK, len(wires), True)


@given(st.lists(events, max_size=8), st.integers(0, 8))
def test_it_makes_no_difference_how_events_were_added(wires: list[bytes], parts: int) -> None:
    writer = ArchiveWriter(NETWORK)
    made = writer.begin() + writer.add(wires[:parts]) + writer.add(wires[parts:]) + writer.end()
    assert made == archive(NETWORK, wires)


def whole_events(content: bytes, wires: Sequence[bytes], size: int) -> list[bytes]:
    """Return the events that lie within the first bytes of an archive."""
    ends: list[int] = []
    at = content.index(wires[0])
    for wire in wires:
        at += len(wire)
        ends.append(at)
    return [wire for wire, end in zip(wires, ends, strict=True) if end <= size]


def test_an_archive_that_is_cut_at_any_byte_gives_what_was_whole_and_says_where_it_ends() -> None:
    wires = [SMALL, cbor2.dumps([bytes(30), bytes(64)]), cbor2.dumps([bytes(300), bytes(64)])]
    content = archive(NETWORK, wires)
    for size in range(len(content)):
        found, reader = read_in_chunks(content[:size], 64)
        assert found == whole_events(content, wires, size)
        with pytest.raises(Malformed) as refused:
            reader.end()
        assert refused.value.code == "truncated"
        positions = [int(word) for word in re.findall(r"byte (\d+)", str(refused.value))]
        assert positions[0] == size
        assert all(position <= size for position in positions)


@given(st.binary(max_size=400), st.integers(1, 400))
@example(content=b"", size=1)
def test_any_bytes_are_refused_with_a_code_and_a_place_within_them(
    content: bytes, size: int
) -> None:
    with pytest.raises(Malformed) as refused:
        read_in_chunks(content, size)[1].end()
    assert refused.value.code in CODES
    assert all(int(word) <= len(content) for word in re.findall(r"byte (\d+)", str(refused.value)))


@given(st.data())
def test_a_changed_byte_is_never_taken_for_an_intact_archive(data: st.DataObject) -> None:
    wires = data.draw(st.lists(events, min_size=1, max_size=4))
    content = bytearray(archive(NETWORK, wires))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(Malformed):
        assert not read(bytes(content))[1].is_intact


@given(st.binary(min_size=1, max_size=40))
def test_nothing_may_follow_the_trailer(more: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read(archive(NETWORK, [SMALL]) + more)
    assert refused.value.code == "not_an_archive"


@given(st.integers(EVENT_WIRE_BYTES_MAX, 2**64 - 1))
def test_what_claims_to_be_too_large_is_not_waited_for(length: int) -> None:
    begun = ArchiveWriter(NETWORK).begin() + b"\x82\x5b" + length.to_bytes(8, "big")
    with pytest.raises(Malformed) as refused:
        list(ArchiveReader().feed(begun))
    assert refused.value.code == "too_large"


def test_the_network_is_known_from_the_header_on_and_is_a_name() -> None:
    reader = ArchiveReader()
    assert reader.network_id is None
    list(reader.feed(archive(NETWORK, [])))
    assert reader.network_id == NETWORK
    with pytest.raises(Malformed) as refused:
        read(archive("no name", []))
    assert refused.value.code == "not_an_archive"
