"""Links between nodes, as protocol machines use them: whoever carries the bytes.

A link is one connection with one peer under one protocol; who the peer is was proved when it was
made. It has any number of streams, each in order and without loss, and streams do not wait for each
other. A link that is lost takes its streams with it: what was sent and not answered may or may not
have arrived.
"""

from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol, TypeAlias

import attrs

from wattswarm.kernel.ids import NodeId, short

READ_BYTES_MAX: Final = 1_048_576
"""What one `receive` returns at most, whatever it is asked for."""

STREAM_WINDOW_BYTES: Final = 1_250_000
"""About so much may be under way on one stream before `send` waits for the peer to read."""

NO_ERROR: Final = 0


class LinkError(Exception):
    """Something between this node and a peer failed."""


class Unreachable(LinkError):
    """No link came about."""

    def __init__(self, peer: NodeId, reason: str) -> None:
        """Name the peer, and say why."""
        super().__init__(f"{short(peer)} cannot be reached: {reason}")
        self.peer, self.reason = peer, reason


class LinkLost(LinkError):
    """The link has ended, by either side or by the network."""


class StreamReset(LinkError):
    """The peer gave up a stream: it will send no more, or read no more."""

    def __init__(self, code: int) -> None:
        """Keep the peer's code."""
        super().__init__(f"the peer gave the stream up with code {code}")
        self.code = code


class DuplicateIdentity(LinkError):
    """Somebody else answers for this node's own id."""


@attrs.frozen
class Contact:
    """Where a node may be found: hints, not proofs. Addresses are `ip:port`."""

    node: NodeId
    addresses: tuple[str, ...] = ()
    relay_url: str | None = None


@attrs.frozen
class Path:
    """One way that packets of a link may take; `rtt_ms` is None before it was measured."""

    address: str
    is_relay: bool
    is_in_use: bool
    rtt_ms: int | None


class Sender(Protocol):
    """The sending end of a stream."""

    async def send(self, message: bytes) -> None:
        """Hand bytes over; they are on their way, not yet read.

        Raises:
            LinkError: The peer reads no more, or the link is lost.
        """
        ...

    async def finish(self) -> None:
        """End the stream: the peer reads its end after all that was sent."""
        ...

    async def reset(self, code: int) -> None:
        """Give the stream up: what the peer has not read is lost."""
        ...


class Receiver(Protocol):
    """The receiving end of a stream."""

    async def receive(self, bytes_max: int) -> bytes:
        """Return the next bytes, as many as are here; none at the end of the stream.

        Raises:
            LinkError: The peer gave it up, or the link is lost.
        """
        ...

    async def stop(self, code: int) -> None:
        """Tell the peer that no more will be read."""
        ...


Stream: TypeAlias = "tuple[Sender, Receiver]"


class Link(Protocol):
    """One connection with one peer under one protocol."""

    @property
    def peer(self) -> NodeId:
        """Who is at the other end: proved, not claimed."""
        ...

    @property
    def protocol(self) -> bytes:
        """What both sides agreed to speak."""
        ...

    @property
    def paths(self) -> tuple[Path, ...]:
        """The ways that packets take now."""
        ...

    async def open_uni(self) -> Sender:
        """Begin a stream to the peer; it learns of it with the first bytes."""
        ...

    async def open_bi(self) -> Stream:
        """Begin a stream both ways; the peer learns of it with the first bytes."""
        ...

    async def accept_uni(self) -> Receiver:
        """Return the next stream that the peer began."""
        ...

    async def accept_bi(self) -> Stream:
        """Return the next stream both ways that the peer began."""
        ...

    def close(self, code: int = NO_ERROR, reason: str = "") -> None:
        """End the link; the peer is told the code and the reason. A second time does nothing."""
        ...

    async def closed(self) -> str:
        """Return why the link has ended, once it has."""
        ...


class Endpoint(Protocol):
    """Where links of this node begin and end."""

    @property
    def contact(self) -> Contact:
        """Where this node is to be found now."""
        ...

    async def connect(self, contact: Contact, protocol: bytes) -> Link:
        """Return a link with the node that the contact names.

        Raises:
            DuplicateIdentity: The contact names this node itself.
            Unreachable: There is no such link.
        """
        ...

    async def accept(self) -> Link:
        """Return the next link that somebody else made.

        Raises:
            LinkLost: The endpoint is closed.
        """
        ...


Opening: TypeAlias = AbstractAsyncContextManager[Endpoint]
