"""Frames: a length of four bytes, big-endian, then the type and the body that it counts.

What a length says is checked before anything is kept for it, so that a peer takes no more memory
than one frame.
"""

from collections.abc import Iterator
from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import SYNC_FRAME_BYTES_MAX

LENGTH_BYTES: Final = 4


@attrs.frozen
class Frame:
    """A type and a body."""

    kind: int
    body: bytes


def encode(frame: Frame) -> bytes:
    """Return a frame as it travels."""
    length = 1 + len(frame.body)
    return length.to_bytes(LENGTH_BYTES, "big") + bytes((frame.kind,)) + frame.body


@attrs.define
class FrameReader:
    """Takes a stream apart, in chunks of any size; holds one incomplete frame at most."""

    bytes_max: int = SYNC_FRAME_BYTES_MAX
    _rest: bytearray = attrs.field(init=False, factory=bytearray)

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete now; to be iterated to its end.

        Raises:
            Malformed: `too_large` or `bad_value`: the length is none that a frame may have. Nothing
                that follows can be read.
        """
        self._rest += chunk
        at = 0
        try:
            while (frame := self._next(at)) is not None:
                at += LENGTH_BYTES + 1 + len(frame.body)
                yield frame
        finally:
            del self._rest[:at]

    @property
    def is_between(self) -> bool:
        """Whether the stream could end here without cutting a frame in two."""
        return not self._rest

    def _next(self, at: int) -> Frame | None:
        start = at + LENGTH_BYTES
        if len(self._rest) < start:
            return None
        length = int.from_bytes(self._rest[at:start], "big")
        if length > self.bytes_max:
            message = f"a frame of {length} bytes, at most {self.bytes_max} are allowed"
            raise Malformed(code="too_large", message=message)
        if not length:
            raise Malformed(code="bad_value", message="a frame without a type")
        if len(self._rest) < start + length:
            return None
        return Frame(self._rest[start], bytes(self._rest[start + 1 : start + length]))
