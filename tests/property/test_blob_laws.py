"""What is encoded is decoded, whatever its size, ranges and pieces; what is wrong is told."""

from random import Random
from typing import Final

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.kernel.errors import Malformed
from wattswarm.transport.proto.blobs import bao, request, tree
from wattswarm.transport.proto.blobs.errors import CutOff, WrongBytes
from wattswarm.transport.proto.blobs.ranges import ALL, CHUNK_BYTES, SIZE_PROOF, ChunkRanges

MIB: Final = 1 << 20
SIZES: Final = [
    0,
    1,
    1023,
    1024,
    1025,
    16383,
    16384,
    16385,
    17000,
    65536,
    MIB,
    MIB + 17,
    3 * MIB + 5,
]
SHAPES: Final = [
    ALL,
    ChunkRanges((0, 10)),
    ChunkRanges((1, 3, 9, 13)),
    SIZE_PROOF,
    ChunkRanges((16, 48)),
    ChunkRanges((5,)),
]


def body(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def stream(content: bytes, ranges: ChunkRanges = ALL) -> bytes:
    hashed = tree.hash_body([content])
    return b"".join(
        bao.encode(len(content), hashed.outboard, lambda at, n: content[at : at + n], ranges)
    )


def feed_all(decoder: bao.Decoder, wire: bytes, delivered: list[bao.Piece]) -> None:
    for at in range(0, len(wire), 4096):
        delivered += decoder.feed(wire[at : at + 4096])


def decoded(decoder: bao.Decoder, wire: bytes, random: Random) -> list[bao.Piece]:
    found: list[bao.Piece] = []
    at = 0
    while at < len(wire):
        length = random.choice([1, 7, 64, 5000, 40_000, 300_000])
        found += decoder.feed(wire[at : at + length])
        at += length
    decoder.end()
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ranges", SHAPES, ids=str)
def test_what_is_encoded_is_decoded(size: int, ranges: ChunkRanges) -> None:
    content = body(size)
    decoder = bao.Decoder(blake3(content).digest(), ranges)
    pieces = decoded(decoder, stream(content, ranges), Random(size))

    asked = ranges.within(size)
    chunks = range(max(-(-size // CHUNK_BYTES), 1))
    last = len(chunks) - 1
    meant = [one for one in chunks if asked.meets(one, None if one == last else one + 1)]
    expected = [content[one * CHUNK_BYTES : (one + 1) * CHUNK_BYTES] for one in meant]
    assert b"".join(piece.content for piece in pieces) == b"".join(expected)
    for piece in pieces:
        assert len(piece.content) <= tree.GROUP_BYTES
        assert content[piece.offset : piece.offset + len(piece.content)] == piece.content
    assert decoder.is_size_proven == (last in meant)


def test_seventeen_thousand_bytes_are_sent_as_upstream_sends_them() -> None:
    wire = stream(body(17_000))
    assert len(wire) == 17_072
    assert wire[:8].hex() == "6842000000000000"
    assert wire[8:12].hex() == "a4480fcd"
    assert wire[36:44].hex() == "d44ca1b9b9bffe15"
    assert wire[68:72].hex() == "9594fd89"
    root = tree.root_of(tree.hash_body([body(17_000)]).outboard)
    assert root.hex().startswith("2dac1a9c")
    assert root.hex().endswith("9f66879")


@pytest.mark.parametrize("size", SIZES[9:])
def test_the_root_of_an_outboard_is_the_hash(size: int) -> None:
    hashed = tree.hash_body([body(size)])
    assert hashed.root == tree.root_of(hashed.outboard) == blake3(body(size)).digest()
    assert len(hashed.outboard) == 32 * -(-size // tree.GROUP_BYTES)


@given(at=st.integers(0, 70_000), bit=st.integers(0, 7), held=st.sampled_from([1, 64]))
def test_a_flipped_bit_is_noticed_before_its_group_is_delivered(
    at: int, bit: int, held: int
) -> None:
    content = body(65_536 + 17)
    wire = bytearray(stream(content))
    at = 8 + at % (len(wire) - 8)
    wire[at] ^= 1 << bit
    decoder = bao.Decoder(blake3(content).digest(), groups_held=held)
    delivered: list[bao.Piece] = []
    with pytest.raises(WrongBytes) as told:
        feed_all(decoder, bytes(wire), delivered)
    assert told.value.offset % tree.GROUP_BYTES == 0
    assert told.value.offset <= at
    for piece in delivered:
        assert content[piece.offset : piece.offset + len(piece.content)] == piece.content


def test_a_stream_that_ends_early_is_told_as_cut_off() -> None:
    wire = stream(body(40_000))
    for length in (0, 5, 8, 70, 20_000, len(wire) - 1):
        decoder = bao.Decoder(blake3(body(40_000)).digest())
        decoder.feed(wire[:length])
        with pytest.raises(CutOff):
            decoder.end()


@pytest.mark.parametrize("size", [0, 1024, 40_000])
def test_bytes_after_the_end_are_refused(size: int) -> None:
    with pytest.raises(Malformed):
        bao.Decoder(blake3(body(size)).digest()).feed(stream(body(size)) + b"\0")


@pytest.mark.parametrize("size", [2**64 - 1, 2**63, 64 * MIB + 1])
def test_an_absurd_size_is_refused_at_the_header(size: int) -> None:
    with pytest.raises(Malformed) as refused:
        bao.Decoder(b"\0" * 32).feed(size.to_bytes(8, "little"))
    assert refused.value.code == "too_large"


@given(st.binary(max_size=60_000))
def test_anything_ends_in_a_typed_error(garbage: bytes) -> None:
    decoder = bao.Decoder(b"\0" * 32)
    with pytest.raises(Malformed):
        decoded(decoder, garbage, Random(1))


@given(st.binary(max_size=200))
def test_a_request_of_anything_is_read_or_malformed(garbage: bytes) -> None:
    try:
        asked = request.read(b"\0" + garbage)
    except Malformed:
        return
    assert asked.encode() == b"\0" + garbage
