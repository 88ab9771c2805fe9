"""Which chunks of a body are meant: sorted boundaries, and their forms on the wire.

Boundaries alternate between "from here on" and "up to here": `(1, 3, 9)` is chunk 1, chunk 2, and
all from chunk 9 on. On the wire stand the widths between boundaries.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.transport.proto.postcard import U64_MAX, Reader, varint

CHUNK_BYTES: Final = 1_024
CHUNK_MAX: Final = 2**64 - 1
ITEMS_MAX: Final = 1_048_576
"""Of boundaries or entries: more do not fit into a request of a megabyte."""


@attrs.frozen
class ChunkRanges:
    """A set of chunks; equal sets have equal boundaries, which rise strictly."""

    boundaries: tuple[int, ...] = ()

    @classmethod
    def of(cls, *spans: tuple[int, int | None]) -> "ChunkRanges":
        """Return the union of `[first, end)` spans; an end of None is open."""
        found: list[int] = []
        is_open = False
        for first, end in sorted(spans, key=lambda span: span[0]):
            if is_open or first == end:
                continue
            if found and first <= found[-1]:
                last = found.pop()
                end = None if end is None else max(last, end)
            else:
                found.append(first)
            if end is None:
                is_open = True
            else:
                found.append(end)
        return cls(tuple(found))

    def spans(self) -> tuple[tuple[int, int | None], ...]:
        """Return the spans that this is the union of, in order."""
        ends: Sequence[int | None] = [*self.boundaries[1::2], None]
        return tuple(zip(self.boundaries[::2], ends, strict=False))

    def meets(self, first: int, end: int | None) -> bool:
        """Tell whether a chunk of `[first, end)` is meant."""
        index = bisect_right(self.boundaries, first)
        if index % 2:
            return True
        return index < len(self.boundaries) and (end is None or self.boundaries[index] < end)

    def covers(self, first: int, end: int | None) -> bool:
        """Tell whether every chunk of `[first, end)` is meant."""
        index = bisect_right(self.boundaries, first)
        if index % 2 == 0:
            return False
        return index == len(self.boundaries) or (end is not None and end <= self.boundaries[index])

    def within(self, size: int) -> "ChunkRanges":
        """Return what these come to in a body of `size` bytes.

        Asking for what is past the end selects the last chunk, which proves the size. Ranges that
        reach the end are open.
        """
        last = max(chunk_count(size), 1) - 1
        index = bisect_left(self.boundaries, last)
        is_last_item = index == len(self.boundaries) - 1
        if index < len(self.boundaries) and self.boundaries[index] == last:
            kept = index + 1 if index % 2 == 0 or is_last_item else index
        else:
            kept = index + 1 if index % 2 == 0 else index
        return ChunkRanges(self.boundaries[:kept])

    def without(self, held: "ChunkRanges") -> "ChunkRanges":
        """Return the chunks of this that `held` lacks: what is to be asked for."""
        edges = sorted({0, *self.boundaries, *held.boundaries})
        parts = [*pairwise(edges), (edges[-1], None)]
        return ChunkRanges.of(
            *(part for part in parts if self.covers(*part) and not held.covers(*part))
        )

    def encode(self) -> bytes:
        """Return the widths between the boundaries, counted."""
        widths = (b - a for a, b in pairwise((0, *self.boundaries)))
        return varint(len(self.boundaries)) + b"".join(map(varint, widths))

    @classmethod
    def read(cls, reader: Reader) -> "ChunkRanges":
        """Return the ranges that are next.

        Raises:
            Malformed: They are empty in between, or pass the last number.
        """
        widths = reader.items(lambda: reader.varint(U64_MAX), least_bytes=1, most=ITEMS_MAX)
        boundaries = tuple(accumulate(widths))
        if 0 in widths[1:]:
            raise Malformed(message="a span of no chunks")
        if boundaries and boundaries[-1] > CHUNK_MAX:
            raise Malformed(message="a boundary is beyond 64 bits")
        return cls(boundaries)


NONE: Final = ChunkRanges()
ALL: Final = ChunkRanges((0,))
SIZE_PROOF: Final = ChunkRanges((CHUNK_MAX,))
"""Only the last chunk, whichever that is."""


def chunk_count(size: int) -> int:
    """Return how many chunks a body of `size` bytes has; an empty body has none."""
    return -(-size // CHUNK_BYTES)


@attrs.frozen
class RangesByBlob:
    """Ranges for each blob of a sequence: 0 is the sequence itself; the last entry repeats."""

    entries: tuple[tuple[int, ChunkRanges], ...]

    @classmethod
    def single(cls, ranges: ChunkRanges) -> "RangesByBlob":
        """Return ranges of one blob without children."""
        return cls(((0, ranges), (1, NONE)) if ranges.boundaries else ())

    def of(self, index: int) -> ChunkRanges:
        """Return what is asked of one blob."""
        place = bisect_right([at for at, _ in self.entries], index)
        return self.entries[place - 1][1] if place else NONE

    @property
    def has_children(self) -> bool:
        """Whether anything but blob 0 is asked for."""
        ends = [*(at for at, _ in self.entries[1:]), CHUNK_MAX]
        return any(
            ranges.boundaries and end > 1
            for (_, ranges), end in zip(self.entries, ends, strict=False)
        )

    def encode(self) -> bytes:
        """Return the entries, counted, each with its distance from the one before."""
        return varint(len(self.entries)) + b"".join(self._items())

    def _items(self) -> Iterable[bytes]:
        before = 0
        for at, ranges in self.entries:
            yield varint(at - before) + ranges.encode()
            before = at

    @classmethod
    def read(cls, reader: Reader) -> "RangesByBlob":
        """Return the entries that are next.

        Raises:
            Malformed: Two entries stand at one place, or one beyond 64 bits.
        """
        items = reader.items(
            lambda: (reader.varint(U64_MAX), ChunkRanges.read(reader)),
            least_bytes=2,
            most=ITEMS_MAX,
        )
        places = tuple(accumulate(delta for delta, _ in items))
        if any(left >= right for left, right in pairwise(places)):
            raise Malformed(message="entries of ranges are not in order")
        if places and places[-1] > CHUNK_MAX:
            raise Malformed(message="an entry of ranges is beyond 64 bits")
        return cls(tuple(zip(places, (ranges for _, ranges in items), strict=True)))
