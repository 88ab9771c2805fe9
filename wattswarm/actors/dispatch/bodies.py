"""The bodies that were stored or read last: most are wanted again at once, by a verifier."""

from collections import OrderedDict
from typing import Final

import attrs

BYTES_MAX: Final = 4 * 1_048_576


@attrs.define
class RecentBodies:
    """Bodies by digest, at most `bytes_max` in all."""

    bytes_max: int = BYTES_MAX
    _bodies: OrderedDict[str, bytes] = attrs.field(factory=OrderedDict[str, bytes])
    _bytes: int = 0

    def get(self, digest: str) -> bytes | None:
        """Return a body, if it is among them."""
        body = self._bodies.get(digest)
        if body is not None:
            self._bodies.move_to_end(digest)
        return body

    def put(self, digest: str, body: bytes) -> None:
        """Remember a body whose digest was found to be this one."""
        if digest in self._bodies or len(body) > self.bytes_max:
            return
        self._bodies[digest] = body
        self._bytes += len(body)
        while self._bytes > self.bytes_max:
            _, oldest = self._bodies.popitem(last=False)
            self._bytes -= len(oldest)
