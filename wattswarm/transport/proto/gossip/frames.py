"""The streams of gossip: on each one topic, first its name, then messages, each with its length.

Source: the wire format of iroh-gossip, ALPN `/iroh-gossip/1`.
"""

import struct
from collections.abc import Iterator
from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import HASH_BYTES

ALPN: Final = b"/iroh-gossip/1"
MESSAGE_BYTES_MAX: Final = 4_096
"""Equal in a whole network: a frame of this size is read, but not written."""

CONTENT_BYTES_MAX: Final = 4_056
"""Of what is said: what a message leaves, with its id, its length and its hops."""

LENGTH: Final = struct.Struct(">I")


def frame(message: bytes) -> bytes:
    """Return a message with its length."""
    assert len(message) < MESSAGE_BYTES_MAX, len(message)
    return LENGTH.pack(len(message)) + message


def header(topic: bytes) -> bytes:
    """Return the first frame of a stream."""
    assert len(topic) == HASH_BYTES, len(topic)
    return frame(topic)


@attrs.define
class FrameReader:
    """Takes the bytes of one stream as they come, and gives whole messages.

    No more is held than one message and what came with it.
    """

    topic: bytes | None = None
    _held: bytearray = attrs.field(factory=bytearray)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the messages that are whole now; the topic is known before the first of them.

        Raises:
            Malformed: A frame is too large, or the first one is no topic.
        """
        self._held += piece
        while (message := self._next()) is not None:
            if self.topic is not None:
                yield message
            elif len(message) == HASH_BYTES:
                self.topic = message
            else:
                raise Malformed(code="bad_header", message=f"a topic of {len(message)} bytes")

    def end(self) -> None:
        """Return when the stream may end here.

        Raises:
            Malformed: It ended in the middle of a frame.
        """
        if self._held:
            raise Malformed(code="too_short", message="the stream ended in the middle of a frame")

    def _next(self) -> bytes | None:
        if len(self._held) < LENGTH.size:
            return None
        (size,) = LENGTH.unpack_from(self._held)
        if size > MESSAGE_BYTES_MAX:
            raise Malformed(
                code="too_large", message=f"a frame of {size} bytes, at most {MESSAGE_BYTES_MAX}"
            )
        end = LENGTH.size + size
        if len(self._held) < end:
            return None
        message = bytes(self._held[LENGTH.size : end])
        del self._held[:end]
        return message
