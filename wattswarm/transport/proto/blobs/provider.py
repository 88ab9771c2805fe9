"""One request stream at the side that has the bodies."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.transport.proto.blobs import bao, request
from wattswarm.transport.proto.blobs.errors import NotServed
from wattswarm.transport.proto.blobs.request import REQUEST_BYTES_MAX, Get


@attrs.frozen
class Body:
    """A body that can be sent: its outboard is `tree.hash_body`'s, `read` gives bytes of it."""

    size: int
    outboard: bytes
    read: bao.Read


Find: TypeAlias = Callable[[bytes], Body | None]
"""Gives the body of a hash, if it is here and may be seen by whoever asks."""

WIRE_BYTES_MAX: Final = REQUEST_BYTES_MAX + 1


@attrs.define
class Provider:
    """Takes in a request, and then says the answer, which is read as it goes."""

    find: Find
    _request: bytearray = attrs.field(factory=bytearray)

    def receive(self, received: bytes) -> None:
        """Take in a part of the request.

        Raises:
            Malformed: `too_large`, before more is kept.
        """
        if len(self._request) + len(received) > WIRE_BYTES_MAX:
            raise Malformed(code="too_large", message=f"a request of more than {REQUEST_BYTES_MAX}")
        self._request += received

    def end(self) -> Iterator[bytes]:
        """Return the answer, now that the request ended; it is empty if the body is not here.

        Raises:
            NotServed: Something is asked for that is not served: reset the stream.
            Malformed: It is no request.
        """
        asked = request.read(bytes(self._request))
        if asked.ranges.has_children:
            raise NotServed(kind=request.GET, message="children of a sequence are not served")
        return self._answer(asked)

    def _answer(self, asked: Get) -> Iterator[bytes]:
        ranges = asked.ranges.of(0)
        body = self.find(asked.root) if ranges.boundaries else None
        if body is not None:
            yield from bao.encode(body.size, body.outboard, body.read, ranges)
