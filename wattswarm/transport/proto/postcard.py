"""The part of postcard that iroh's protocols are written in: read strictly, written in one form.

Integers are LEB128 varints, options and enums one byte, byte strings and lists begin with their
length; structs and arrays of a fixed size are their fields and nothing else.

Source: the postcard wire format specification, version 1.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from wattswarm.kernel.errors import Malformed

T = TypeVar("T")

VARINT_BYTES_MAX: Final = 10
U8_MAX: Final = 0xFF
U16_MAX: Final = 0xFFFF
U64_MAX: Final = 2**64 - 1


def varint(value: int) -> bytes:
    """Return an unsigned integer of at most 64 bits."""
    assert 0 <= value <= U64_MAX, value
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def sized(octets: bytes) -> bytes:
    """Return a byte string with its length."""
    return varint(len(octets)) + octets


def option(written: bytes | None) -> bytes:
    """Return an option that holds what was written, or nothing."""
    return b"\0" if written is None else b"\1" + written


@attrs.define
class Reader:
    """Reads a message from its beginning; what is wrong is told with its offset."""

    _data: bytes
    _at: int = 0

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def octets(self, size: int) -> bytes:
        """Return so many bytes."""
        if size > self.remaining:
            raise self.wrong("too_short", f"{size} bytes are expected, {self.remaining} are left")
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def u8(self) -> int:
        """Return one byte as a number."""
        return self.octets(1)[0]

    def varint(self, most: int) -> int:
        """Return an unsigned integer of at most `most`, in its shortest form."""
        value = shift = 0
        for _ in range(VARINT_BYTES_MAX):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte <= 0x7F:
                if byte == 0 and shift:
                    raise self.wrong("bad_varint", "an integer that is longer than it has to be")
                return self._bounded(value, most)
            shift += 7
        raise self.wrong("bad_varint", "an integer of more than 64 bits")

    def flag(self) -> bool:
        """Return a boolean."""
        value = self.u8()
        if value > 1:
            raise self.wrong("bad_field", f"{value} is not true or false")
        return value == 1

    def option(self, read: Callable[[], T]) -> T | None:
        """Return what `read` reads, or None."""
        return read() if self.flag() else None

    def sized(self, bytes_max: int) -> bytes:
        """Return a byte string of at most `bytes_max` bytes that begins with its length."""
        return self.octets(self.varint(bytes_max))

    def items(self, read: Callable[[], T], *, least_bytes: int, most: int) -> tuple[T, ...]:
        """Return a list of at most `most` items; each takes `least_bytes` at least.

        How many there are is held against what is left before anything is read.
        """
        count = self.varint(most)
        if count * least_bytes > self.remaining:
            raise self.wrong("too_short", f"{count} items do not fit into what is left")
        return tuple(read() for _ in range(count))

    def end(self) -> None:
        """Return when everything was read."""
        if self.remaining:
            raise self.wrong("trailing_bytes", f"{self.remaining} bytes after the end")

    def wrong(self, code: str, message: str) -> Malformed:
        """Return the error that says what is wrong here."""
        return Malformed(code=code, path=f"byte {self._at}", message=message)

    def _bounded(self, value: int, most: int) -> int:
        if value > most:
            raise self.wrong("too_large", f"{value}, at most {most} is allowed")
        return value
