"""Datagrams to whoever listens on the local network."""

import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from wattswarm.transport.links import LinkError

HOPS: Final = 1
"""Datagrams do not leave the local network."""

ANY_INTERFACE: Final = "0.0.0.0"  # an address of the host, as the sockets API writes "any"
MEMBERSHIP: Final = struct.Struct("4s4s")


@attrs.frozen
class Group:
    """A multicast group that this host takes part in; made by `open_group`."""

    _socket: trio.socket.SocketType
    _address: tuple[str, int]
    _datagram_bytes_max: int

    async def send(self, datagram: bytes) -> None:
        """Say something to all who listen; it may get lost.

        Raises:
            LinkError: The network takes no datagrams now.
        """
        try:
            await self._socket.sendto(datagram, self._address)
        except OSError as error:
            raise LinkError(f"no datagram can be sent to {self._address[0]}: {error}") from error

    async def receive(self) -> tuple[bytes, str]:
        """Return what somebody said, and the address that it came from.

        Of a datagram that is longer than any may be, one byte more than that is returned.
        """
        datagram, source = await self._socket.recvfrom(self._datagram_bytes_max + 1)
        return datagram, str(source[0])


@asynccontextmanager
async def open_group(
    group: str, port: int, *, datagram_bytes_max: int, interface: str = ANY_INTERFACE
) -> AsyncGenerator[Group]:
    """Take part in a multicast group as long as the block lasts, beside others on this host.

    Raises:
        LinkError: The host does not let it.
    """
    with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, HOPS)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            on = socket.inet_aton(interface)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, on)
            await opened.bind((group, port))
            joined = MEMBERSHIP.pack(socket.inet_aton(group), on)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        except OSError as error:
            raise LinkError(f"cannot listen to {group}:{port} on {interface}: {error}") from error
        yield Group(opened, (group, port), datagram_bytes_max)
