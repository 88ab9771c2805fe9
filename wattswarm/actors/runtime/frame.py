"""Frames: what the bytes on a link between two processes of one node are cut into.

A frame is a 24-byte little-endian header and a body. The header is `u32 length of the body · u32
CRC-32 of the rest of the header and the body · u8 version · u8 type · u16 flags · u32 channel ·
u64 id`. The length is checked before anything of the body is kept. Any damage ends the link with
`BadWire`; it never ends the process.

Pure: bytes in, frames out.
"""

from enum import IntEnum
from struct import Struct
from typing import Final
from zlib import crc32

from wattswarm.actors.runtime.errors import BadWire

VERSION: Final = 1
FRAME_BYTES_MAX: Final = 1 << 20
"""Largest body; what is larger belongs into a file that the message names."""

_HEADER: Final = Struct("<IIBBHIQ")
_CHECKED: Final = Struct("<BBHIQ")
HEADER_BYTES: Final = _HEADER.size
_CRC_FROM: Final = 8


class FrameType(IntEnum):
    """What a frame is for; `channel` and `id` mean what is said here."""

    TELL = 1
    """Message on a channel."""
    ASK = 2
    """Message on a channel that wants the answer under its id; the body is `[message, remaining
    ms]`."""
    REPLY = 3
    """Answer to the ask with that id."""
    FAIL = 4
    """Failure of the ask with that id."""
    CANCEL = 5
    """Nobody waits any more for the ask with that id."""
    CREDIT = 6
    """`id` more messages may be sent to the actor of that channel."""
    CONTROL = 7
    """A message between the runtimes themselves."""


_TYPES: Final = {int(one): one for one in FrameType}


class Frame:
    """One frame; `body` is CBOR or empty."""

    __slots__ = ("body", "channel", "id", "type")

    def __init__(self, type_: FrameType, channel: int, id_: int, body: bytes) -> None:
        self.type = type_
        self.channel = channel
        self.id = id_
        self.body = body

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frame) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Frame({self.type.name}, {self.channel}, {self.id}, {len(self.body)} bytes)"

    def _key(self) -> tuple[FrameType, int, int, bytes]:
        return self.type, self.channel, self.id, self.body


def encode_frame(type_: FrameType, channel: int, id_: int, body: bytes = b"") -> bytes:
    """Return the bytes of a frame.

    Raises:
        ValueError: The body is larger than a frame may be. Our own bug.
    """
    if len(body) > FRAME_BYTES_MAX:
        raise ValueError(f"a frame of {len(body)} bytes; at most {FRAME_BYTES_MAX} are allowed")
    checked = _CHECKED.pack(VERSION, type_, 0, channel, id_)
    crc = crc32(body, crc32(checked))
    return _HEADER.pack(len(body), crc, VERSION, type_, 0, channel, id_) + body


class FrameParser:
    """Cuts a stream of bytes into frames, however it arrives."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that are complete now.

        Raises:
            BadWire: The stream is damaged; nothing that follows can be trusted.
        """
        stream = self._rest + chunk if self._rest else chunk
        frames: list[Frame] = []
        at, size = 0, len(stream)
        view = memoryview(stream)
        while size - at >= HEADER_BYTES:
            length, crc, version, type_, flags, channel, id_ = _HEADER.unpack_from(stream, at)
            if version != VERSION or flags or type_ not in _TYPES or length > FRAME_BYTES_MAX:
                raise BadWire(reason=f"no frame of ours: version {version}, {length} bytes")
            end = at + HEADER_BYTES + length
            if end > size:
                break
            if crc32(view[at + _CRC_FROM : end]) != crc:
                raise BadWire(reason="checksum of a frame is wrong")
            frames.append(Frame(_TYPES[type_], channel, id_, stream[at + HEADER_BYTES : end]))
            at = end
        self._rest = stream[at:] if at else stream
        return frames

    @property
    def is_between_frames(self) -> bool:
        """Whether the stream may end here."""
        return not self._rest
