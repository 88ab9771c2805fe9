"""Packed bytes: integers as unsigned LEB128, the rest as it is; lengths are checked before use."""

from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import UINT_MAX
from wattswarm.transport.proto.postcard import varint

GROUP_BITS: Final = 7
GROUP: Final = (1 << GROUP_BITS) - 1
MORE: Final = 1 << GROUP_BITS
INTEGER_BYTES_MAX: Final = 8
"""What 53 bits take."""


def packed(value: int) -> bytes:
    """Return an integer of 0 … 2⁵³ − 1 as LEB128, in as few bytes as it takes."""
    assert 0 <= value <= UINT_MAX, value
    return varint(value)


@attrs.define
class Unpacker:
    """Reads a body from its beginning to its end.

    All methods raise:
        Malformed: `truncated`, `bad_value`, `too_many`, or `malformed` for what is left over.
    """

    _body: bytes
    _at: int = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        end = self._at + size
        if end > len(self._body):
            raise Malformed(code="truncated", message=f"the body ends before byte {end}")
        taken = self._body[self._at : end]
        self._at = end
        return taken

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def integer(self, most: int = UINT_MAX) -> int:
        """Return the next integer, in its shortest form and at most `most`."""
        start, value = self._at, 0
        for position in range(INTEGER_BYTES_MAX):
            octet = self.byte()
            value |= (octet & GROUP) << (GROUP_BITS * position)
            if octet < MORE:
                break
        else:
            raise self._bad(start, "an integer of more than 53 bits")
        if value > most or (octet == 0 and position):
            raise self._bad(start, f"not an integer of 0 to {most} in its shortest form")
        return value

    def count(self, most: int, item_bytes: int) -> int:
        """Return how many items follow: no more than are allowed, or than there are bytes for."""
        count = self.integer()
        if count > most:
            raise Malformed(code="too_many", message=f"{count} items, at most {most} are allowed")
        if count * item_bytes > len(self._body) - self._at:
            raise Malformed(code="truncated", message=f"too few bytes for {count} items")
        return count

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(len(self._body) - self._at)

    def end(self) -> None:
        """Check that nothing is left over."""
        if self._at != len(self._body):
            left = len(self._body) - self._at
            raise Malformed(message=f"{left} bytes follow the end of the message")

    def _bad(self, at: int, message: str) -> Malformed:
        return Malformed(code="bad_value", message=f"{message}, at byte {at}")
