"""Datagrams to everybody, over loopback."""

from functools import partial

import pytest
import trio

from wattswarm.kernel.signature import KeyPair
from wattswarm.transport.links import LinkError
from wattswarm.transport.multicast import open_group
from wattswarm.transport.proto.discovery import DATAGRAM_BYTES_MAX, GROUP, Announcement

LOOPBACK = "127.0.0.1"
DEADLINE_S = 10.0


async def test_all_who_take_part_hear_what_is_said_and_from_where(free_udp_port: int) -> None:
    key = KeyPair.from_seed(b"a" * 32)
    said = Announcement(
        lan_name="lab",
        network_id="lan:" + "0" * 32,
        genesis=key.node_id,
        node=key.node_id,
        port=4_001,
        sent_at=1,
    )
    opened = partial(open_group, datagram_bytes_max=DATAGRAM_BYTES_MAX, interface=LOOPBACK)
    with trio.fail_after(DEADLINE_S):
        async with (
            opened(GROUP, free_udp_port) as one,
            opened(GROUP, free_udp_port) as other,
        ):
            await one.send(said.encode(key))
            for listener in (one, other):
                datagram, host = await listener.receive()
                assert (Announcement.read(datagram), host) == (said, LOOPBACK)


async def test_what_is_too_long_is_seen_to_be(free_udp_port: int) -> None:
    with trio.fail_after(DEADLINE_S):
        async with open_group(
            GROUP, free_udp_port, datagram_bytes_max=100, interface=LOOPBACK
        ) as group:
            await group.send(bytes(500))
            datagram, _ = await group.receive()
    assert len(datagram) == 101


async def test_an_interface_that_is_not_there_is_named() -> None:
    with pytest.raises(LinkError, match=r"192\.0\.2\.1"):
        async with open_group(GROUP, 1, datagram_bytes_max=100, interface="192.0.2.1"):
            pass
