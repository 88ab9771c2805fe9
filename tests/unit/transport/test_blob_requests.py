"""Requests for bodies are written and read as iroh-blobs does."""

import pytest

from wattswarm.kernel.errors import Malformed
from wattswarm.transport.proto.blobs import request
from wattswarm.transport.proto.blobs.errors import NotServed
from wattswarm.transport.proto.blobs.ranges import (
    ALL,
    NONE,
    SIZE_PROOF,
    ChunkRanges,
    RangesByBlob,
)
from wattswarm.transport.proto.blobs.request import Get
from wattswarm.transport.proto.postcard import Reader, varint

H = b"\xaa" * 32


@pytest.mark.parametrize(
    ("asked", "ranges"),
    [
        (Get.blob(H), "02 00 0100 01 00"),
        (Get(H, RangesByBlob(((0, ALL),))), "01 00 0100"),
        (Get.blob(H, ChunkRanges((0, 10))), "02 00 02000a 01 00"),
        (Get.blob(H, SIZE_PROOF), "02 00 01 ffffffffffffffffff01 01 00"),
    ],
)
def test_a_request_is_written_as_upstream_writes_it(asked: Get, ranges: str) -> None:
    wire = b"\0" + H + bytes.fromhex(ranges)
    assert asked.encode() == wire
    assert request.read(wire) == asked


@pytest.mark.parametrize(
    ("ranges", "wire"),
    [
        (ALL, "0100"),
        (NONE, "00"),
        (ChunkRanges((0, 10)), "02000a"),
        (ChunkRanges.of((9, 13), (1, 3)), "0401020604"),
    ],
)
def test_ranges_are_written_as_widths(ranges: ChunkRanges, wire: str) -> None:
    assert ranges.encode().hex() == wire
    assert ChunkRanges.read(Reader(bytes.fromhex(wire))) == ranges


def test_the_last_entry_of_a_request_repeats() -> None:
    asked = RangesByBlob(((0, ALL), (2, NONE), (3, SIZE_PROOF)))
    assert [asked.of(index) for index in (0, 1, 2, 3, 99)] == [
        ALL,
        ALL,
        NONE,
        SIZE_PROOF,
        SIZE_PROOF,
    ]


@pytest.mark.parametrize("kind", [1, 8, 9])
def test_kinds_that_are_not_served_are_refused_with_a_code(kind: int) -> None:
    with pytest.raises(NotServed) as refused:
        request.read(bytes((kind,)) + H)
    assert (refused.value.kind, refused.value.RESET_CODE) == (kind, 1)


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"\x02",
        b"\0" + H[:31],
        Get.blob(H).encode() + b"\0",
        Get.blob(H).encode()[:-1],
        b"\0" + H + varint(2**60),
        b"\0" + H + bytes.fromhex("01 00 02 0000"),
        b"\0" + H + bytes.fromhex("01 00 01 8000"),
        b"\0" * (request.REQUEST_BYTES_MAX + 2),
    ],
)
def test_what_is_no_request_is_malformed(wire: bytes) -> None:
    with pytest.raises(Malformed):
        request.read(wire)


@pytest.mark.parametrize(
    ("boundaries", "chunks", "kept"),
    [
        ((2**64 - 1,), 17, (2**64 - 1,)),
        ((0, 17), 17, (0,)),
        ((0, 16), 17, (0, 16)),
        ((0, 16, 30), 17, (0,)),
        ((16, 20), 17, (16,)),
        ((0, 10), 17, (0, 10)),
        ((0, 10, 30, 40), 17, (0, 10, 30)),
        ((5,), 0, (5,)),
    ],
)
def test_asking_past_the_end_asks_for_the_last_chunk(
    boundaries: tuple[int, ...], chunks: int, kept: tuple[int, ...]
) -> None:
    assert ChunkRanges(boundaries).within(chunks * 1024).boundaries == kept


def test_what_is_held_is_not_asked_for_again() -> None:
    held = ChunkRanges.of((0, 4), (8, 12))
    assert ALL.without(held) == ChunkRanges.of((4, 8), (12, None))
    assert ALL.without(NONE) == ALL
    assert held.without(ALL) == NONE
