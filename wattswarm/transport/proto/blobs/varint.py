"""Numbers as postcard writes them: seven bits a byte, the lowest first, in the fewest bytes."""

from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed

BITS: Final = 7
MORE: Final = 0x80
U64_MAX: Final = 2**64 - 1
VARINT_BYTES_MAX: Final = 10


def varint(value: int) -> bytes:
    """Return the bytes of a number from 0 to 2^64 - 1."""
    assert 0 <= value <= U64_MAX, value
    out = bytearray()
    while value >= MORE:
        out.append(value & (MORE - 1) | MORE)
        value >>= BITS
    out.append(value)
    return bytes(out)


@attrs.define
class Cursor:
    """Reads on in bytes; every call raises `Malformed` rather than to pass their end."""

    content: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        if length > len(self.content) - self.at:
            raise Malformed(message="it ends within a field")
        self.at += length
        return self.content[self.at - length : self.at]

    def varint(self) -> int:
        """Return the next number."""
        value = 0
        for index in range(VARINT_BYTES_MAX):
            byte = self.take(1)[0]
            value |= (byte & (MORE - 1)) << (BITS * index)
            if byte < MORE:
                if value > U64_MAX or (index and not byte):
                    raise Malformed(message="a number is beyond 64 bits, or written too long")
                return value
        raise Malformed(message="a number is beyond 64 bits")

    def count(self) -> int:
        """Return the next number, a count of items of a byte at least."""
        count = self.varint()
        if count > len(self.content) - self.at:
            raise Malformed(code="too_many", message=f"{count} items cannot be in what follows")
        return count

    def end(self) -> None:
        """Refuse bytes that are left."""
        if self.at != len(self.content):
            raise Malformed(message=f"{len(self.content) - self.at} bytes are left over")
