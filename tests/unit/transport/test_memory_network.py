"""What the network in memory does to links, under a virtual clock."""

import random
from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from trio.testing import MockClock

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.links import LinkLost, Unreachable
from wattswarm.transport.memory.link import MemoryLink
from wattswarm.transport.memory.network import (
    CONNECT_S,
    IDLE_S,
    MemoryEndpoint,
    MemoryNetwork,
    between,
    open_network,
)
from wattswarm.transport.memory.road import Weather

SPOKEN = b"/wattswarm/test/1"
A, B, C = (NodeId(bytes([number]) * 32) for number in (1, 2, 3))


@attrs.frozen
class Three:
    """Three nodes and their network."""

    network: MemoryNetwork
    a: MemoryEndpoint
    b: MemoryEndpoint
    c: MemoryEndpoint

    async def link(self) -> tuple[MemoryLink, MemoryLink]:
        """Return both sides of a link from a to b."""
        mine = await self.a.connect(self.b.contact, SPOKEN)
        return mine, await self.b.accept()


@pytest.fixture
async def three() -> AsyncIterator[Three]:
    async with open_network(random.Random(3)) as network:
        with (
            network.endpoint(A, [SPOKEN]) as a,
            network.endpoint(B, [SPOKEN]) as b,
            network.endpoint(C, [SPOKEN]) as c,
        ):
            yield Three(network, a, b, c)


async def test_bytes_take_their_time(three: Three, autojump_clock: MockClock) -> None:
    three.network.weather[A, B] = Weather(delay_s=(0.2, 0.2), bytes_per_s=1_000)
    mine, theirs = await three.link()
    began = trio.current_time()
    sender = await mine.open_uni()
    await sender.send(bytes(500))
    await sender.send(bytes(500))
    receiver = await theirs.accept_uni()
    await receiver.receive(1_000)
    assert trio.current_time() - began == pytest.approx(0.7)
    await receiver.receive(1_000)
    assert trio.current_time() - began == pytest.approx(1.2)


async def test_delays_reorder_streams_but_never_a_stream(
    three: Three, autojump_clock: MockClock
) -> None:
    three.network.weather[A, B] = Weather(delay_s=(0.0, 1.0))
    mine, theirs = await three.link()
    senders = [await mine.open_uni() for _ in range(20)]
    for number, sender in enumerate(senders):
        await sender.send(bytes([number]))
        await sender.send(b"!")
        await sender.finish()
    heard: list[int] = []

    async def read() -> None:
        receiver = await theirs.accept_uni()
        said = b""
        while piece := await receiver.receive(9):
            said += piece
        assert said[1:] == b"!"
        heard.append(said[0])

    async with trio.open_nursery() as nursery:
        for _ in senders:
            nursery.start_soon(read)
    assert sorted(heard) == list(range(20))
    assert heard != sorted(heard)


async def test_a_short_partition_holds_bytes_up_and_loses_none(
    three: Three, autojump_clock: MockClock
) -> None:
    mine, theirs = await three.link()
    sender = await mine.open_uni()
    await sender.send(b"before")
    receiver = await theirs.accept_uni()
    assert await receiver.receive(9) == b"before"
    with three.network.blocked(between([A], [B, C])):
        await sender.send(b"during")
        with trio.move_on_after(IDLE_S / 2) as waiting:
            await receiver.receive(9)
        assert waiting.cancelled_caught
    assert await receiver.receive(9) == b"during"


async def test_a_long_partition_loses_the_links_between_and_no_others(
    three: Three, autojump_clock: MockClock
) -> None:
    mine, theirs = await three.link()
    other = await three.c.connect(three.b.contact, SPOKEN)
    with three.network.blocked(between([A], [B, C])):
        await trio.sleep(IDLE_S + 1)
        for side in (mine, theirs):
            with pytest.raises(LinkLost):
                await side.accept_uni()
    assert (await (await other.open_uni()).send(b"still here")) is None
    await three.link()


async def test_what_blocks_one_way_only_lets_the_other_through(
    three: Three, autojump_clock: MockClock
) -> None:
    mine, theirs = await three.link()
    out, back = await mine.open_uni(), await theirs.open_uni()
    await out.send(b"1")
    await back.send(b"2")
    there, here = await theirs.accept_uni(), await mine.accept_uni()
    with three.network.blocked([(A, B)]):
        with trio.move_on_after(1) as waiting:
            await there.receive(1)
        assert waiting.cancelled_caught
        assert await here.receive(1) == b"2"
    assert await there.receive(1) == b"1"


async def test_partitions_may_overlap_and_heal_in_any_order(
    three: Three, autojump_clock: MockClock
) -> None:
    with three.network.blocked(between([A], [B])):
        with three.network.blocked(between([A, B], [C])):
            pass
        assert three.network.is_blocked((A, B))
        assert not three.network.is_blocked((A, C))
    assert not three.network.is_blocked((B, A))


async def test_a_flapping_way_does_not_lose_a_link(three: Three, autojump_clock: MockClock) -> None:
    mine, theirs = await three.link()
    sender = await mine.open_uni()
    for number in range(10):
        with three.network.blocked(between([A], [B])):
            await sender.send(bytes([number]))
            await trio.sleep(IDLE_S * 0.9)
    receiver = await theirs.accept_uni()
    assert [await receiver.receive(1) for _ in range(10)] == [bytes([n]) for n in range(10)]


async def test_each_way_is_given_up_by_its_own_time(
    three: Three, autojump_clock: MockClock
) -> None:
    mine, theirs = await three.link()
    with three.network.blocked(between([A], [B, C])):
        await trio.sleep(IDLE_S / 3)
    with three.network.blocked(between([A], [B])):
        with three.network.blocked(between([A, B], [C])):
            await trio.sleep(IDLE_S * 0.9)
        await (await mine.open_uni()).send(b"not lost yet")
        await trio.sleep(IDLE_S * 0.2)
        with pytest.raises(LinkLost):
            await theirs.accept_uni()


async def test_dialling_over_a_blocked_way_waits_and_then_gives_up(
    three: Three, autojump_clock: MockClock
) -> None:
    with three.network.blocked(between([A], [B])):
        began = trio.current_time()
        with pytest.raises(Unreachable):
            await three.a.connect(three.b.contact, SPOKEN)
        assert trio.current_time() - began == pytest.approx(CONNECT_S)


async def test_a_node_that_was_killed_takes_its_links_along(
    three: Three, autojump_clock: MockClock
) -> None:
    mine, theirs = await three.link()
    three.network.lose(B)
    assert await mine.closed() == await theirs.closed() == "the connection timed out"
    await three.link()


async def test_nobody_is_offered_streams_without_end(
    three: Three, autojump_clock: MockClock
) -> None:
    mine, theirs = await three.link()
    begun = 0
    with trio.move_on_after(1) as waiting:
        while True:
            await (await mine.open_uni()).send(b"x")
            begun += 1
            assert begun < 1_000
    assert waiting.cancelled_caught
    await theirs.accept_uni()
    await (await mine.open_uni()).send(b"x")
