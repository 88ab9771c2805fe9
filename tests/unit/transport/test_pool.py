"""One link for each peer and protocol, and peers that fail are left alone."""

import random
from collections.abc import AsyncIterator

import attrs
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.links import DuplicateIdentity, Link, Unreachable
from wattswarm.transport.memory.network import (
    CONNECT_S,
    MemoryEndpoint,
    MemoryNetwork,
    between,
    open_network,
)
from wattswarm.transport.memory.road import Weather
from wattswarm.transport.pool import JITTER, REST_S, REST_S_MAX, RESTS_MAX, Pool, open_pool

SPOKEN, ALSO = b"/wattswarm/test/1", b"/wattswarm/test/2"
A, B = NodeId(b"\1" * 32), NodeId(b"\2" * 32)


@attrs.frozen
class Setting:
    """A pool of one node, and another node."""

    network: MemoryNetwork
    pool: Pool
    other: MemoryEndpoint


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    async with open_network(random.Random(5)) as network:
        network.weather[A, B] = Weather(delay_s=(0.1, 0.1))
        with network.endpoint(A, [SPOKEN]) as mine, network.endpoint(B, [SPOKEN, ALSO]) as other:
            async with open_pool(mine, random.Random(6)) as pool:
                yield Setting(network, pool, other)


async def test_a_link_is_given_again_while_it_stands(
    setting: Setting, autojump_clock: MockClock
) -> None:
    first = await setting.pool.link(setting.other.contact, SPOKEN)
    assert await setting.pool.link(setting.other.contact, SPOKEN) is first
    assert await setting.pool.link(setting.other.contact, ALSO) is not first
    assert len(list(setting.pool)) == 2
    first.close()
    await trio.testing.wait_all_tasks_blocked()
    assert await setting.pool.link(setting.other.contact, SPOKEN) is not first


async def test_whoever_asks_while_it_is_dialled_gets_the_same_link(
    setting: Setting, autojump_clock: MockClock
) -> None:
    found: list[Link] = []

    async def ask() -> None:
        found.append(await setting.pool.link(setting.other.contact, SPOKEN))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(ask)
    assert len({id(link) for link in found}) == 1
    await setting.other.accept()
    with trio.move_on_after(1) as waiting:
        await setting.other.accept()
    assert waiting.cancelled_caught


async def test_the_newest_link_stands_and_the_end_of_an_old_one_changes_nothing(
    setting: Setting, autojump_clock: MockClock
) -> None:
    first = await setting.pool.link(setting.other.contact, SPOKEN)
    theirs = await setting.network.connected(A, B, SPOKEN)
    setting.pool.adopt(theirs)
    assert await setting.pool.link(setting.other.contact, SPOKEN) is theirs
    first.close()
    await trio.testing.wait_all_tasks_blocked()
    assert await setting.pool.link(setting.other.contact, SPOKEN) is theirs


async def test_who_cannot_be_reached_is_left_alone_longer_each_time(
    setting: Setting, autojump_clock: MockClock
) -> None:
    with setting.network.blocked(between([A], [B])):
        for failures in range(12):
            with pytest.raises(Unreachable):
                await setting.pool.link(setting.other.contact, SPOKEN)
            pause_s = min(REST_S_MAX, REST_S * 2**failures)
            rest_s = setting.pool.rest_s(B)
            assert pause_s * (1 - JITTER) <= rest_s <= pause_s * (1 + JITTER)
            began = trio.current_time()
            with pytest.raises(Unreachable, match="failed before"):
                await setting.pool.link(setting.other.contact, SPOKEN)
            assert trio.current_time() == began
            await trio.sleep(rest_s)
    await setting.pool.link(setting.other.contact, SPOKEN)
    assert setting.pool.rest_s(B) == 0
    assert CONNECT_S > 0


async def test_a_peer_that_comes_by_itself_may_be_dialled_at_once(
    setting: Setting, autojump_clock: MockClock
) -> None:
    with setting.network.blocked(between([A], [B])), pytest.raises(Unreachable):
        await setting.pool.link(setting.other.contact, SPOKEN)
    link = await setting.network.connected(A, B, SPOKEN)
    setting.pool.adopt(link)
    assert setting.pool.rest_s(B) == 0


async def test_this_node_itself_is_not_dialled_and_not_held_to_have_failed(
    setting: Setting, autojump_clock: MockClock
) -> None:
    own = attrs.evolve(setting.other.contact, node=A)
    with pytest.raises(DuplicateIdentity):
        await setting.pool.link(own, SPOKEN)
    assert setting.pool.rest_s(A) == 0


async def test_a_peer_can_be_cut_off(setting: Setting, autojump_clock: MockClock) -> None:
    link = await setting.pool.link(setting.other.contact, SPOKEN)
    setting.pool.close(B, 3, "too much junk")
    assert "too much junk" in await link.closed()
    assert list(setting.pool) == []


async def test_no_more_failures_are_remembered_than_may_be(
    setting: Setting, autojump_clock: MockClock
) -> None:
    async def fail(number: int) -> None:
        contact = attrs.evolve(setting.other.contact, node=NodeId(number.to_bytes(32, "big")))
        with pytest.raises(Unreachable):
            await setting.pool.link(contact, SPOKEN)

    async with trio.open_nursery() as nursery:
        for number in range(10, RESTS_MAX + 20):
            nursery.start_soon(fail, number)
    resting = [
        number
        for number in range(10, RESTS_MAX + 20)
        if setting.pool.rest_s(NodeId(number.to_bytes(32, "big")))
    ]
    assert len(resting) == RESTS_MAX


async def test_all_links_end_with_the_pool(autojump_clock: MockClock) -> None:
    async with open_network(random.Random(7)) as network:
        with network.endpoint(A, [SPOKEN]) as mine, network.endpoint(B, [SPOKEN]) as other:
            async with open_pool(mine, random.Random(8)) as pool:
                link = await pool.link(other.contact, SPOKEN)
            assert "the node stops" in await link.closed()
