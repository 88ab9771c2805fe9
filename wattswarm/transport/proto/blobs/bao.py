"""A body as a stream that proves itself piece by piece: its size, then its tree in pre-order.

Before a subtree that is not sent as one leaf stand the CVs of its two halves. Leaves are groups of
16 KiB, or single chunks where only a part of a group is asked for. So every byte is checked against
the hash of the whole before it is delivered. The size is proven only by the last chunk: nothing is
allocated by it.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import attrs
from blake3 import blake3

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import ARTIFACT_BYTES_MAX
from wattswarm.transport.proto.blobs import tree
from wattswarm.transport.proto.blobs.errors import CutOff, WrongBytes
from wattswarm.transport.proto.blobs.ranges import ALL, CHUNK_BYTES, ChunkRanges, chunk_count

SIZE_BYTES: Final = 8
PAIR_BYTES: Final = 2 * tree.CV_BYTES
GROUPS_HELD: Final = 128
"""So many leaves are verified at once: 2 MiB, at which numpy is fast."""

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives bytes of a body by offset and length."""


@attrs.frozen
class Node:
    """A place in the tree: `chunks` from `first`; `left` and `right`: which halves are walked.

    A leaf walks neither.
    """

    first: int
    chunks: int
    left: bool = False
    right: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether its bytes stand in the stream."""
        return not (self.left or self.right)

    @property
    def offset(self) -> int:
        """Where its bytes begin."""
        return self.first * CHUNK_BYTES

    @property
    def half(self) -> int:
        """How many chunks are in its left half."""
        return _half(self.chunks)


def _half(chunks: int) -> int:
    return 1 << (chunks - 1).bit_length() - 1


def walk(size: int, ranges: ChunkRanges) -> Iterator[Node]:
    """Yield what stands in the stream of a body of `size` bytes, in order."""
    asked = ranges.within(size)
    total = max(chunk_count(size), 1)
    # What reaches the end of the body counts as open ended, as the ranges do.
    due = [(0, total)] if asked.meets(0, None) else []
    while due:
        first, chunks = due.pop()
        end = None if first + chunks == total else first + chunks
        if chunks == 1 or (chunks <= tree.GROUP_CHUNKS and asked.covers(first, end)):
            yield Node(first, chunks)
            continue
        middle = first + _half(chunks)
        node = Node(first, chunks, asked.meets(first, middle), asked.meets(middle, end))
        yield node
        if node.right:
            due.append((middle, first + chunks - middle))
        if node.left:
            due.append((first, node.half))


def length_of(node: Node, size: int) -> int:
    """Return how many bytes of a body of `size` bytes are below a node."""
    return min(size - node.offset, node.chunks * CHUNK_BYTES)


# --- sending ------------------------------------------------------------------------------------


@attrs.frozen
class Levels:
    """The CVs of a body's tree from its groups upwards, and of what is below by reading it."""

    size: int
    levels: tuple[tree.Words, ...]
    read: Read

    @classmethod
    def over(cls, size: int, outboard: bytes, read: Read) -> "Levels":
        """Return the CVs of a body with this outboard."""
        levels: list[tree.Words] = []
        if outboard:
            levels.append(tree.from_bytes(outboard))
            while levels[-1].shape[1] > 1:
                levels.append(tree.level_above(levels[-1]))
        return cls(size, tuple(levels), read)

    def pair(self, node: Node) -> bytes:
        """Return the CVs of the two halves of a node."""
        left, right = node.half, node.chunks - node.half
        return self._cv(node.first, left) + self._cv(node.first + left, right)

    def _cv(self, first: int, chunks: int) -> bytes:
        if first % tree.GROUP_CHUNKS == 0 and self.levels and self._is_whole(first, chunks):
            groups = -(-chunks // tree.GROUP_CHUNKS)
            level = (groups - 1).bit_length()
            at = first // tree.GROUP_CHUNKS >> level
            return tree.to_bytes(self.levels[level][:, at : at + 1])
        node = Node(first, chunks)
        return tree.subtree_cv(self.read(node.offset, length_of(node, self.size)), first)

    def _is_whole(self, first: int, chunks: int) -> bool:
        return chunks >= tree.GROUP_CHUNKS or first + chunks == chunk_count(self.size)


def encode(size: int, outboard: bytes, read: Read, ranges: ChunkRanges = ALL) -> Iterator[bytes]:
    """Yield the stream of these ranges of a body, in pieces of 16 KiB at most, read as they go."""
    yield size.to_bytes(SIZE_BYTES, "little")
    levels = Levels.over(size, outboard, read)
    for node in walk(size, ranges):
        yield read(node.offset, length_of(node, size)) if node.is_leaf else levels.pair(node)


# --- receiving ----------------------------------------------------------------------------------


@attrs.frozen
class Piece:
    """Verified bytes of a body, 16 KiB at most."""

    offset: int
    content: bytes


@attrs.frozen
class _Part:
    """A pair or a leaf as it came, and the CV that it must have; the top's is the root hash."""

    node: Node
    expected: bytes
    content: bytes
    is_top: bool


@attrs.define
class Decoder:
    """Verifies one body's stream as it comes.

    Holds `groups_held` leaves, their pairs and one unfinished part at most, whatever the size says.
    After an error it is of no more use.

    Args:
        root: The hash of the whole body. ranges: What was asked for. size_max: A larger body is
            refused at its header. groups_held: One notices a wrong byte within its group, and is
            slow; more notice it when so many are there, and say in which group it is.
    """

    root: bytes
    ranges: ChunkRanges = ALL
    size_max: int = ARTIFACT_BYTES_MAX
    groups_held: int = GROUPS_HELD

    size: int | None = None
    is_size_proven: bool = False
    _buffer: bytearray = attrs.field(factory=bytearray)
    _nodes: Iterator[Node] = attrs.field(factory=lambda: iter(()))
    _next: Node | None = None
    _is_top: bool = True
    _expected: list[bytes] = attrs.field(factory=list[bytes])
    _pairs: list[_Part] = attrs.field(factory=list[_Part])
    _leaves: list[_Part] = attrs.field(factory=list[_Part])

    @property
    def is_done(self) -> bool:
        """Whether all that was asked for has come."""
        return self.size is not None and self._next is None

    def feed(self, received: bytes) -> tuple[Piece, ...]:
        """Return what is verified now that these bytes came, in order.

        Raises:
            WrongBytes: They are not of that body.
            Malformed: `too_large`, or bytes after the end.
        """
        self._buffer += received
        found: deque[Piece] = deque()
        if len(self._buffer) < (self._due() or 0):
            return ()  # so that small pieces are not copied again and again
        at = 0
        view = bytes(self._buffer)
        while (length := self._due()) is not None and at + length <= len(view):
            self._take(view[at : at + length])
            at += length
            if len(self._leaves) + len(self._pairs) // 2 >= self.groups_held or self.is_done:
                found.extend(self.flush())
        del self._buffer[:at]
        if self.is_done and self._buffer:
            raise Malformed(message="bytes follow the end of the body")
        return tuple(found)

    def flush(self) -> tuple[Piece, ...]:
        """Return the leaves that are held, verified now: when more may be long in coming."""
        pairs, leaves = self._pairs, self._leaves
        self._pairs, self._leaves = [], []
        wrong = [*_wrong_pairs(pairs), *_wrong_leaves(leaves)]
        if wrong:
            offset = min(wrong)
            raise WrongBytes(offset=offset, message=f"wrong bytes at {offset}")
        self.is_size_proven |= any(map(self._is_last, leaves))
        return tuple(Piece(leaf.node.offset, leaf.content) for leaf in leaves)

    def end(self) -> None:
        """Take note that the stream ended.

        Raises:
            CutOff: Something is missing.
        """
        if not self.is_done:
            raise CutOff(message="the stream ended within the body")

    def _due(self) -> int | None:
        """Return how many bytes the next part has, or None after the last."""
        if self.size is None:
            return SIZE_BYTES
        if self._next is None:
            return None
        return length_of(self._next, self.size) if self._next.is_leaf else PAIR_BYTES

    def _take(self, part: bytes) -> None:
        if self.size is None:
            self._begin(int.from_bytes(part, "little"))
            return
        node = self._next
        assert node is not None, "nothing is due after the last part"
        taken = _Part(node, self._expected.pop(), part, self._is_top)
        self._is_top = False
        if node.is_leaf:
            self._leaves.append(taken)
        else:
            self._pairs.append(taken)
            halves = ((node.right, part[tree.CV_BYTES :]), (node.left, part[: tree.CV_BYTES]))
            self._expected += [cv for is_walked, cv in halves if is_walked]
        self._next = next(self._nodes, None)

    def _begin(self, size: int) -> None:
        if size > self.size_max:
            raise Malformed(code="too_large", message=f"{size} bytes, at most {self.size_max}")
        self.size = size
        self._expected = [self.root]
        self._nodes = walk(size, self.ranges)
        self._next = next(self._nodes, None)

    def _is_last(self, leaf: _Part) -> bool:
        return leaf.node.offset + len(leaf.content) == self.size


def _wrong_pairs(pairs: list[_Part]) -> Iterator[int]:
    """Yield the offsets of nodes whose two CVs do not hash to what is expected."""
    for is_top, flags in ((True, tree.PARENT | tree.ROOT), (False, tree.PARENT)):
        parts = [pair for pair in pairs if pair.is_top is is_top]
        if parts:
            joined = tree.from_bytes(b"".join(part.content for part in parts))
            yield from _unequal(parts, tree.parents(joined[:, ::2], joined[:, 1::2], flags=flags))


def _wrong_leaves(leaves: list[_Part]) -> Iterator[int]:
    """Yield the offsets of leaves that do not hash to what is expected; full groups together."""
    full: list[_Part] = []
    for leaf in leaves:
        if leaf.is_top:
            if blake3(leaf.content).digest() != leaf.expected:
                yield leaf.node.offset
        elif len(leaf.content) == tree.GROUP_BYTES:
            full.append(leaf)
        elif tree.subtree_cv(leaf.content, leaf.node.first) != leaf.expected:
            yield leaf.node.offset
    if full:
        contents = [leaf.content for leaf in full]
        yield from _unequal(full, tree.scattered(contents, [leaf.node.first for leaf in full]))


def _unequal(parts: list[_Part], cvs: tree.Words) -> Iterator[int]:
    hashes = tree.to_bytes(cvs)
    for index, part in enumerate(parts):
        if hashes[index * tree.CV_BYTES :][: tree.CV_BYTES] != part.expected:
            yield part.node.offset
