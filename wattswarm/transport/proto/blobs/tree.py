"""Chaining values of BLAKE3 subtrees, many at once.

The `blake3` package tells only the hash of a whole. Here chunks, and then parents, are the lanes of
numpy arrays: slow for one chunk, fast for a thousand. CVs are rows of eight words.

Source: the BLAKE3 paper, sections 2.1-2.5.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import attrs
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from wattswarm.transport.proto.blobs.ranges import CHUNK_BYTES

Words: TypeAlias = NDArray[np.uint32]

CV_BYTES: Final = 32
CV_WORDS: Final = 8
BLOCK_BYTES: Final = 64
BLOCK_WORDS: Final = 16
BLOCKS: Final = CHUNK_BYTES // BLOCK_BYTES
GROUP_CHUNKS: Final = 16
GROUP_BYTES: Final = GROUP_CHUNKS * CHUNK_BYTES
GROUP_LEVELS: Final = 4
IMPORT_BYTES: Final = 2_097_152
"""Hashed at once: enough lanes to be fast, few enough to stay in the caches."""

CHUNK_START: Final = 1
CHUNK_END: Final = 2
PARENT: Final = 4
ROOT: Final = 8

IV: Final = np.array(
    [
        *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
        *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
    ],
    np.uint32,
)
NO_COUNTER: Final = np.array([0], np.uint64)
"""Of a parent."""

PERMUTATION: Final = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)


def _schedule() -> Iterator[tuple[list[int], ...]]:
    order = list(range(BLOCK_WORDS))
    for _ in range(7):
        yield order[0:8:2], order[1:8:2], order[8::2], order[9::2]
        order = [order[index] for index in PERMUTATION]


SCHEDULE: Final = tuple(_schedule())
"""Which words of a block go into each half step of a round."""

LEFT_1: Final = [1, 2, 3, 0]
LEFT_2: Final = [2, 3, 0, 1]
LEFT_3: Final = [3, 0, 1, 2]


def _rotate(words: Words, scratch: Words, bits: int) -> None:
    np.left_shift(words, np.uint32(32 - bits), out=scratch)
    np.right_shift(words, np.uint32(bits), out=words)
    np.bitwise_or(words, scratch, out=words)


def _half(state: list[Words], scratch: Words, message: Words, turns: tuple[int, int]) -> None:
    a, b, c, d = state
    a += b
    a += message
    d ^= a
    _rotate(d, scratch, turns[0])
    c += d
    b ^= c
    _rotate(b, scratch, turns[1])


def _mix(state: list[Words], scratch: Words, even: Words, odd: Words) -> None:
    _half(state, scratch, even, (16, 12))
    _half(state, scratch, odd, (8, 7))


def _compress(
    cvs: Words, blocks: Words, counters: NDArray[np.uint64], tail: tuple[int, int]
) -> Words:
    """Return the CVs (8 rows) after a block (16 rows) each; `tail` is block length and flags."""
    lanes = blocks.shape[1]
    d = np.empty((4, lanes), np.uint32)
    d[0] = counters & np.uint64(0xFFFFFFFF)
    d[1] = counters >> np.uint64(32)
    d[2], d[3] = tail
    state = [cvs[:4].copy(), cvs[4:].copy(), np.repeat(IV[:4, None], lanes, axis=1), d]
    scratch = np.empty((4, lanes), np.uint32)
    for first, second, third, fourth in SCHEDULE:
        _mix(state, scratch, blocks[first], blocks[second])
        a, b, c, d = state
        state = [a, b[LEFT_1], c[LEFT_2], d[LEFT_3]]
        _mix(state, scratch, blocks[third], blocks[fourth])
        a, b, c, d = state
        state = [a, b[LEFT_3], c[LEFT_2], d[LEFT_1]]
    a, b, c, d = state
    return np.concatenate((a ^ c, b ^ d))


def _whole_chunks(content: bytes | memoryview, counters: NDArray[np.uint64]) -> Words:
    words = np.frombuffer(content, "<u4").reshape(-1, BLOCKS, BLOCK_WORDS)
    cvs = np.repeat(IV[:, None], len(words), axis=1)
    for index in range(BLOCKS):
        flags = CHUNK_START * (index == 0) | CHUNK_END * (index == BLOCKS - 1)
        block = np.ascontiguousarray(words[:, index].T).astype(np.uint32, copy=False)
        cvs = _compress(cvs, block, counters, (BLOCK_BYTES, flags))
    return cvs


def _last_chunk(content: bytes, counter: int) -> Words:
    """Return the CV of one chunk that is not full and not empty."""
    cvs = IV[:, None]
    at = np.array([counter], np.uint64)
    for offset in range(0, len(content), BLOCK_BYTES):
        block = content[offset : offset + BLOCK_BYTES]
        is_last = offset + BLOCK_BYTES >= len(content)
        flags = CHUNK_START * (offset == 0) | CHUNK_END * is_last
        words = np.frombuffer(block.ljust(BLOCK_BYTES, b"\0"), "<u4").astype(np.uint32)
        cvs = _compress(cvs, words[:, None], at, (len(block), flags))
    return cvs


def chunk_cvs(content: bytes, first_chunk: int) -> Words:
    """Return the CVs, as columns, of the chunks of bytes that begin at a chunk."""
    whole = len(content) // CHUNK_BYTES
    counters = np.arange(first_chunk, first_chunk + whole, dtype=np.uint64)
    parts: list[Words] = []
    if whole:
        parts.append(_whole_chunks(memoryview(content)[: whole * CHUNK_BYTES], counters))
    if rest := content[whole * CHUNK_BYTES :]:
        parts.append(_last_chunk(rest, first_chunk + whole))
    return np.concatenate(parts, axis=1)


def parents(lefts: Words, rights: Words, *, flags: int = PARENT) -> Words:
    """Return the CVs of the parents of columns of CVs."""
    lanes = lefts.shape[1]
    start = np.repeat(IV[:, None], lanes, axis=1)
    blocks = np.concatenate((lefts, rights))
    return _compress(start, blocks, np.repeat(NO_COUNTER, lanes), (BLOCK_BYTES, flags))


def level_above(cvs: Words) -> Words:
    """Return the CVs one level up; one without a partner goes up as it is."""
    even = cvs.shape[1] // 2 * 2
    above = parents(cvs[:, 0:even:2], cvs[:, 1:even:2]) if even else cvs[:, :0]
    return np.concatenate((above, cvs[:, even:]), axis=1)


def to_bytes(cvs: Words) -> bytes:
    """Return columns of CVs as bytes, one CV after the other."""
    return np.ascontiguousarray(cvs.T).astype("<u4", copy=False).tobytes()


def from_bytes(outboard: bytes) -> Words:
    """Return CVs that stand one after the other as columns."""
    words = np.frombuffer(outboard, "<u4").reshape(-1, CV_WORDS)
    return np.ascontiguousarray(words.T).astype(np.uint32, copy=False)


def subtree_cv(content: bytes, first_chunk: int) -> bytes:
    """Return the CV of a subtree that is not the whole tree."""
    cvs = chunk_cvs(content, first_chunk)
    while cvs.shape[1] > 1:
        cvs = level_above(cvs)
    return to_bytes(cvs)


def group_cvs(content: bytes, first_chunk: int) -> bytes:
    """Return the CVs of the groups of bytes that begin at a group, one after the other."""
    cvs = chunk_cvs(content, first_chunk)
    for _ in range(GROUP_LEVELS):
        cvs = level_above(cvs)
    return to_bytes(cvs)


def scattered(groups: list[bytes], first_chunks: list[int]) -> Words:
    """Return the CVs, as columns, of full groups that lie anywhere."""
    starts = np.array(first_chunks, np.uint64)[:, None]
    counters: NDArray[np.uint64] = (starts + np.arange(GROUP_CHUNKS, dtype=np.uint64)).ravel()
    cvs = _whole_chunks(b"".join(groups), counters)
    for _ in range(GROUP_LEVELS):
        cvs = level_above(cvs)
    return cvs


@attrs.frozen
class Hashed:
    """What one pass over a body tells; the outboard of a body of one group is empty."""

    root: bytes
    size: int
    outboard: bytes


def hash_body(pieces: Iterable[bytes]) -> Hashed:
    """Return the hash and the outboard of a body that comes in pieces, holding little of it."""
    hasher, size, cvs = blake3(), 0, bytearray()
    for batch in _batches(pieces):
        hasher.update(batch)
        cvs += group_cvs(batch, size // CHUNK_BYTES)
        size += len(batch)
    return Hashed(hasher.digest(), size, bytes(cvs) if size > GROUP_BYTES else b"")


def _batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= IMPORT_BYTES:
            yield bytes(held[:IMPORT_BYTES])
            del held[:IMPORT_BYTES]
    if held:
        yield bytes(held)


def root_of(outboard: bytes) -> bytes:
    """Return the hash of a body of two groups or more."""
    cvs = from_bytes(outboard)
    while cvs.shape[1] > 2:
        cvs = level_above(cvs)
    return to_bytes(parents(cvs[:, :1], cvs[:, 1:], flags=PARENT | ROOT))
