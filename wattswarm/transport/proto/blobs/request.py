"""What is asked on a stream of its own: the first byte is the kind, the rest to the end its body.

Only Get is served. The other kinds are known, so that they are refused as what they are.
"""

from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.transport.proto.blobs.errors import NotServed
from wattswarm.transport.proto.blobs.ranges import ALL, ChunkRanges, RangesByBlob
from wattswarm.transport.proto.postcard import Reader

ALPN: Final = b"/iroh-bytes/4"
HASH_BYTES: Final = 32
REQUEST_BYTES_MAX: Final = 1_048_576

GET: Final = 0
NOT_SERVED: Final = {1: "Observe", 8: "Push", 9: "GetMany"}


@attrs.frozen
class Get:
    """The ranges of a body, and of its children, that are asked for."""

    root: bytes
    ranges: RangesByBlob

    @classmethod
    def blob(cls, root: bytes, ranges: ChunkRanges = ALL) -> "Get":
        """Return a request for one body without children."""
        return cls(root, RangesByBlob.single(ranges))

    def encode(self) -> bytes:
        """Return the request as it goes on the stream."""
        assert len(self.root) == HASH_BYTES, len(self.root)
        return bytes((GET,)) + self.root + self.ranges.encode()


def read(request: bytes) -> Get:
    """Return the request that a whole stream is.

    Raises:
        NotServed: It is of another kind.
        Malformed: `too_large`, or no request at all.
    """
    if len(request) > REQUEST_BYTES_MAX + 1:
        raise Malformed(code="too_large", message=f"a request of more than {REQUEST_BYTES_MAX}")
    reader = Reader(request)
    kind = reader.u8()
    if kind in NOT_SERVED:
        raise NotServed(kind=kind, message=f"{NOT_SERVED[kind]} is not served")
    if kind != GET:
        raise Malformed(message=f"there is no request of kind {kind}")
    asked = Get(reader.octets(HASH_BYTES), RangesByBlob.read(reader))
    reader.end()
    return asked
