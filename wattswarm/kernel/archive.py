"""The event archive: events in a file, to be kept, carried, and taken in by whoever checks them.

An archive is a CBOR sequence (RFC 8742): a header, events as they travel, and a trailer with a hash
of everything before it. The form is docs/protocol/archive.md.

Nothing in it is believed. The trailer tells whether the archive is as it was made; each event is
judged for itself by whoever takes it in. Reader and writer hold one event and one chunk at a time.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs
from blake3 import blake3

from wattswarm.kernel import canonical
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import HASH_BYTES, Context
from wattswarm.kernel.ids import ID_TEXT, Digest
from wattswarm.kernel.limits import EVENT_WIRE_BYTES_MAX

FORMAT: Final = "wattswarm-archive/1"
MEDIA_TYPE: Final = "application/cbor-seq"

PAIR: Final = 0x82
"""Head of an array of two items: an event."""

MAP_OF_TWO: Final = 0xA2
"""Head of a map of two entries: the header, or the trailer."""

UINT, BYTES, TEXT = 0x00, 0x40, 0x60
"""Major types, as they stand in a head."""

WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
"""Bytes that a length or an integer takes beyond the head, by the head's low five bits."""

PIECES: Final[Mapping[int, tuple[frozenset[int], ...]]] = {
    PAIR: (frozenset({BYTES}),) * 2,
    MAP_OF_TWO: (frozenset({TEXT}), frozenset({UINT, BYTES, TEXT})) * 2,
}
"""What stands in an item, by its head: the major types that each piece may have."""


class _Part(enum.Enum):
    """What may come next, by the heads that it may begin with, and in words."""

    HEADER = (frozenset({MAP_OF_TWO}), "a header")
    EVENTS = (frozenset({PAIR, MAP_OF_TWO}), "an event or the trailer")
    OVER = (frozenset[int](), "nothing more")


@attrs.frozen(kw_only=True)
class Whole:
    """What a complete archive came to.

    `is_intact`: the trailer's hash and count are those of what was read.
    """

    network_id: str
    events: int
    digest: Digest
    is_intact: bool


@attrs.define
class ArchiveWriter:
    """Makes one archive, piece by piece: `begin`, `add` as often as needed, `end`."""

    network_id: str
    _hasher: blake3 = attrs.field(init=False)
    _events: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._hasher = blake3(derive_key_context=Context.ARCHIVE)

    def begin(self) -> bytes:
        """Return the header."""
        return self._hashed(canonical.encode({"format": FORMAT, "network_id": self.network_id}))

    def add(self, events: Iterable[bytes]) -> bytes:
        """Return these events, given as they travel, as they stand in the archive."""
        wires = list(events)
        self._events += len(wires)
        return self._hashed(b"".join(wires))

    def end(self) -> bytes:
        """Return the trailer."""
        return canonical.encode({"hash": self._hasher.digest(), "events": self._events})

    def _hashed(self, made: bytes) -> bytes:
        self._hasher.update(made)
        return made


def archive(network_id: str, events: Iterable[bytes]) -> bytes:
    """Return a whole archive of events, given as they travel."""
    writer = ArchiveWriter(network_id)
    return writer.begin() + writer.add(events) + writer.end()


def read(content: bytes) -> tuple[Sequence[bytes], Whole]:
    """Return the events of a whole archive, and what it came to; raises as `ArchiveReader`."""
    reader = ArchiveReader()
    events = tuple(reader.feed(content))
    return events, reader.end()


@attrs.define
class ArchiveReader:
    """Takes one archive apart, in chunks of any size.

    Its methods raise:
        Malformed: `not_an_archive`, `not_an_event`, `too_large` or `truncated`, with the position
            in bytes. Events that were yielded before are not concerned.
    """

    _part: _Part = attrs.field(init=False, default=_Part.HEADER)
    _rest: bytearray = attrs.field(init=False, factory=bytearray)
    _passed: int = attrs.field(init=False, default=0)
    _events: int = attrs.field(init=False, default=0)
    _network_id: str = attrs.field(init=False, default="")
    _hasher: blake3 = attrs.field(init=False)
    _is_intact: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._hasher = blake3(derive_key_context=Context.ARCHIVE)

    @property
    def network_id(self) -> str | None:
        """The network that the header names, once it has been read."""
        return self._network_id or None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the events that are complete now, as they travel; to be iterated to its end."""
        self._rest += chunk
        at = 0
        try:
            while (end := self._end_of_item(at)) is not None:
                event = self._take(bytes(self._rest[at:end]), at)
                at = end
                if event is not None:
                    yield event
        finally:
            del self._rest[:at]
            self._passed += at

    def end(self) -> Whole:
        """Return what the archive came to; nothing more may be fed."""
        if self._part is not _Part.OVER:
            size = self._passed + len(self._rest)
            within = f"within the item that begins at byte {self._passed}"
            where = within if self._rest else "before its trailer"
            raise Malformed(code="truncated", message=f"the archive ends at byte {size}, {where}")
        return Whole(
            network_id=self._network_id,
            events=self._events,
            digest=Digest(self._hasher.digest()),
            is_intact=self._is_intact,
        )

    def _end_of_item(self, start: int) -> int | None:
        """Return where the item that begins here ends; None when it is not all here yet."""
        if start == len(self._rest):
            return None
        heads, expected = self._part.value
        head = self._rest[start]
        if head not in heads:
            raise self._wrong(start, expected)
        at = start + 1
        for kinds in PIECES[head]:
            end = _end_of_piece(self._rest, at, kinds)
            if end is None:
                return None
            if end <= at:
                raise self._wrong(at, "a piece of known length")
            if end - start > EVENT_WIRE_BYTES_MAX:
                message = f"the item at byte {self._passed + start} is too large"
                raise Malformed(code="too_large", message=message)
            at = end
        return at if at <= len(self._rest) else None

    def _take(self, item: bytes, at: int) -> bytes | None:
        """Go on by one item; return it if it is an event."""
        if item[0] == PAIR:
            self._hasher.update(item)
            self._events += 1
            return item
        if self._part is _Part.HEADER:
            self._network_id = self._header(item)
            self._hasher.update(item)
            self._part = _Part.EVENTS
        else:
            self._is_intact = self._trailer(item, at) == (self._hasher.digest(), self._events)
            self._part = _Part.OVER
        return None

    def _header(self, item: bytes) -> str:
        match _value(item):
            case {"format": str(form), "network_id": str(network)} if form == FORMAT:
                if ID_TEXT.match(network):
                    return network
            case _:
                pass
        raise self._wrong(0, f"a header of {FORMAT}")

    def _trailer(self, item: bytes, at: int) -> tuple[bytes, int]:
        match _value(item):
            case {"hash": bytes(found), "events": int(events)} if len(found) == HASH_BYTES:
                return found, events
            case _:
                pass
        raise self._wrong(at, "a trailer")

    def _wrong(self, at: int, expected: str) -> Malformed:
        code = "not_an_event" if self._part is _Part.EVENTS else "not_an_archive"
        position = self._passed + at
        return Malformed(code=code, message=f"{expected} is expected at byte {position}")


def _end_of_piece(buffer: bytearray, at: int, kinds: frozenset[int]) -> int | None:
    """Return where the piece that begins here ends, within the buffer or beyond it.

    None when its head is not all here; `at` itself when it begins as none of these kinds does.
    """
    if at >= len(buffer):
        return None
    kind, low = buffer[at] & 0xE0, buffer[at] & 0x1F
    width = WIDTHS.get(low, 0)
    if kind not in kinds or (low >= 24 and not width):
        return at
    body = at + 1 + width
    if body > len(buffer):
        return None
    value = int.from_bytes(buffer[at + 1 : body], "big") if width else low
    return body if kind == UINT else body + value


def _value(item: bytes) -> Value | None:
    """Return what an item says, in its one encoding; None when it says nothing."""
    try:
        return canonical.decode(item, bytes_max=EVENT_WIRE_BYTES_MAX)
    except Malformed:
        return None
