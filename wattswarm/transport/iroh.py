"""Links over Iroh: QUIC between nodes that are dialled by their keys.

The node's seed is the endpoint's secret, so that the peer that QUIC has proved is the node. Whoever
wants in shakes hands beside the others, in bounded number and time.
"""

import re
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import attrs
import iroh
import trio

from wattswarm.kernel.ids import NodeId
from wattswarm.transport import iroh_bridge
from wattswarm.transport.links import (
    NO_ERROR,
    READ_BYTES_MAX,
    Contact,
    DuplicateIdentity,
    LinkError,
    LinkLost,
    Path,
    Stream,
    StreamReset,
    Unreachable,
)

CONNECT_S: Final = 20.0
HANDSHAKE_S: Final = 10.0
CLOSE_S: Final = 5.0
HANDSHAKES_MAX: Final = 64
"""Handshakes at one time; who comes then is refused, and may come again."""

LINKS_WAITING_MAX: Final = 64
TOO_BUSY: Final = 1
"""The code of a link that was closed because nobody took it up."""

GIVEN_UP: Final = re.compile(r"\A(?:Reset|Stopped)\((\d+)\)")
SOURCE_PLACE: Final = re.compile(r" \(/\S+\)")


@attrs.frozen(kw_only=True)
class IrohSettings:
    """How an endpoint is opened.

    Args:
        protocols: What it speaks when it is dialled.
        bind: Addresses `ip:port` to listen at, one of each family at most; a family that is left
            out is listened to everywhere, so that loopback takes both.
        relay_urls: Relays to be reached by; none: only direct addresses.
    """

    protocols: tuple[bytes, ...]
    bind: tuple[str, ...] = ()
    relay_urls: tuple[str, ...] = ()


LOOPBACK: Final = ("127.0.0.1:0", "[::1]:0")


@attrs.frozen(eq=False)
class IrohSender:
    """See `links.Sender`."""

    _stream: iroh.SendStream

    async def send(self, message: bytes) -> None:
        """Hand bytes over."""
        with _told():
            await self._stream.write_all(message)

    async def finish(self) -> None:
        """End the stream."""
        with _told():
            await self._stream.finish()

    async def reset(self, code: int) -> None:
        """Give the stream up."""
        with _told():
            await self._stream.reset(code)


@attrs.frozen(eq=False)
class IrohReceiver:
    """See `links.Receiver`."""

    _stream: iroh.RecvStream

    async def receive(self, bytes_max: int) -> bytes:
        """Return the next bytes; none at the end."""
        with _told():
            return await self._stream.read(min(bytes_max, READ_BYTES_MAX))

    async def stop(self, code: int) -> None:
        """Read no more."""
        with _told():
            await self._stream.stop(code)


@attrs.frozen(eq=False)
class IrohLink:
    """See `links.Link`."""

    _connection: iroh.Connection
    peer: NodeId
    protocol: bytes

    @classmethod
    def of(cls, connection: iroh.Connection) -> "IrohLink":
        """Return the link that a connection is."""
        peer = NodeId(connection.remote_id().to_bytes())
        return cls(connection, peer, connection.alpn())

    @property
    def paths(self) -> tuple[Path, ...]:
        """The ways that packets take now."""
        return tuple(
            Path(path.remote_addr, path.is_relay, path.is_selected, path.rtt_ms)
            for path in self._connection.paths()
        )

    async def open_uni(self) -> IrohSender:
        """Begin a stream to the peer."""
        with _told():
            return IrohSender(await self._connection.open_uni())

    async def open_bi(self) -> Stream:
        """Begin a stream both ways."""
        with _told():
            return _both(await self._connection.open_bi())

    async def accept_uni(self) -> IrohReceiver:
        """Return the next stream that the peer began."""
        with _told():
            return IrohReceiver(await self._connection.accept_uni())

    async def accept_bi(self) -> Stream:
        """Return the next stream both ways that the peer began."""
        with _told():
            return _both(await self._connection.accept_bi())

    def close(self, code: int = NO_ERROR, reason: str = "") -> None:
        """End the link."""
        self._connection.close(code, reason.encode())

    async def closed(self) -> str:
        """Return why the link has ended, once it has."""
        return await self._connection.closed()


@attrs.frozen(eq=False)
class IrohEndpoint:
    """See `links.Endpoint`; made by `open_endpoint`."""

    node: NodeId
    _endpoint: iroh.Endpoint
    _accepted: trio.MemoryReceiveChannel[IrohLink]

    @property
    def contact(self) -> Contact:
        """Where this node is to be found now."""
        found = self._endpoint.addr()
        return Contact(self.node, tuple(found.direct_addresses()), found.relay_url())

    async def connect(self, contact: Contact, protocol: bytes) -> IrohLink:
        """Return a link with the node that the contact names."""
        if contact.node == self.node:
            raise DuplicateIdentity("the contact has this node's own identity")
        try:
            with trio.fail_after(CONNECT_S):
                return IrohLink.of(await self._endpoint.connect(_address(contact), protocol))
        except trio.TooSlowError as error:
            raise Unreachable(contact.node, f"no answer in {CONNECT_S:g} s") from error
        except iroh.IrohError as error:
            raise Unreachable(contact.node, _reason(error)) from error

    async def accept(self) -> IrohLink:
        """Return the next link that somebody else made."""
        try:
            return await self._accepted.receive()
        except trio.EndOfChannel as error:
            raise LinkLost("the endpoint is closed") from error


@asynccontextmanager
async def open_endpoint(seed: bytes, settings: IrohSettings) -> AsyncGenerator[IrohEndpoint]:
    """Open the endpoint of the node with this seed as long as the block lasts.

    Raises:
        LinkError: It cannot listen where it should.
    """
    iroh_bridge.install()
    endpoint = await _bound(seed, settings)
    to_taker, accepted = trio.open_memory_channel[IrohLink](LINKS_WAITING_MAX)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_admit, endpoint, to_taker)
            yield IrohEndpoint(NodeId(endpoint.id().to_bytes()), endpoint, accepted)
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(CLOSE_S, shield=True):
            await endpoint.close()


async def _bound(seed: bytes, settings: IrohSettings) -> iroh.Endpoint:
    builder = iroh.EndpointBuilder()
    builder.apply_minimal()
    builder.secret_key(seed)
    builder.alpns(list(settings.protocols))
    try:
        builder.relay_mode(_relays(settings.relay_urls))
        for address in settings.bind:
            builder.bind_addr(address)
        return await builder.bind()
    except iroh.IrohError as error:
        where = ", ".join(settings.bind) or "any address"
        raise LinkError(f"cannot listen at {where}: {_reason(error)}") from error


def _relays(urls: tuple[str, ...]) -> iroh.RelayMode:
    return iroh.RelayMode.custom_from_urls(list(urls)) if urls else iroh.RelayMode.disabled()


async def _admit(endpoint: iroh.Endpoint, links: trio.MemorySendChannel[IrohLink]) -> None:
    """Have everybody who comes shake hands, until the endpoint is closed."""
    places = trio.Semaphore(HANDSHAKES_MAX)
    async with links, trio.open_nursery() as nursery:
        while (incoming := await endpoint.accept_next()) is not None:
            try:
                places.acquire_nowait()
            except trio.WouldBlock:
                await incoming.refuse()
                continue
            nursery.start_soon(_shake_hands, incoming, links, places)


async def _shake_hands(
    incoming: iroh.Incoming, links: trio.MemorySendChannel[IrohLink], places: trio.Semaphore
) -> None:
    """Hand a link over, if one comes about in time and somebody takes links up."""
    try:
        with trio.move_on_after(HANDSHAKE_S):
            accepting = await incoming.accept()
            link = IrohLink.of(await accepting.connect())
            _hand_over(link, links)
    except iroh.IrohError:
        return  # it was the peer's to make it good, and it knows
    finally:
        places.release()


def _hand_over(link: IrohLink, links: trio.MemorySendChannel[IrohLink]) -> None:
    try:
        links.send_nowait(link)
    except trio.WouldBlock:
        link.close(TOO_BUSY, "too busy, try again later")


def _address(contact: Contact) -> iroh.EndpointAddr:
    key = iroh.EndpointId.from_bytes(contact.node)
    return iroh.EndpointAddr(key, contact.relay_url, list(contact.addresses))


def _both(stream: iroh.BiStream) -> Stream:
    return IrohSender(stream.send()), IrohReceiver(stream.recv())


@contextmanager
def _told() -> Generator[None]:
    """Raise what Iroh says went wrong as a `LinkError`."""
    try:
        yield
    except iroh.IrohError as error:
        given_up = GIVEN_UP.match(error.message())
        if given_up is not None:
            raise StreamReset(int(given_up[1])) from error
        raise LinkLost(_reason(error)) from error


def _reason(error: iroh.IrohError) -> str:
    """Return what an error says in one line, without places in somebody else's sources."""
    return " ".join(SOURCE_PLACE.sub("", error.message()).split())
