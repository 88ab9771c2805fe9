"""Links between two nodes behave the same in memory and over Iroh on loopback."""

import random
from collections.abc import AsyncIterator

import attrs
import pytest
import trio
import trio.testing

from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.signature import KeyPair
from wattswarm.transport.iroh import LOOPBACK, IrohSettings, open_endpoint
from wattswarm.transport.links import (
    READ_BYTES_MAX,
    Contact,
    DuplicateIdentity,
    Endpoint,
    Link,
    LinkError,
    LinkLost,
    Receiver,
    Sender,
    StreamReset,
    Unreachable,
)
from wattswarm.transport.memory.network import open_network

SPOKEN = b"/wattswarm/test/1"
ALSO_SPOKEN = b"/wattswarm/test/2"
SEEDS = (b"a" * 32, b"b" * 32)
DEADLINE_S = 20.0


@attrs.frozen
class Ends:
    """Two endpoints that may reach each other."""

    one: Endpoint
    other: Endpoint

    async def link(self, protocol: bytes = SPOKEN) -> tuple[Link, Link]:
        """Return both sides of a new link."""
        accepted: list[Link] = []

        async def accept() -> None:
            accepted.append(await self.other.accept())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            made = await self.one.connect(self.other.contact, protocol)
        return made, accepted[0]


@pytest.fixture(params=["memory", "iroh"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    spoken = (SPOKEN, ALSO_SPOKEN)
    if request.param == "memory":
        one, other = (KeyPair.from_seed(seed).node_id for seed in SEEDS)
        async with open_network(random.Random(1)) as network:
            with network.endpoint(one, spoken) as left, network.endpoint(other, spoken) as right:
                yield Ends(left, right)
        return
    settings = IrohSettings(protocols=spoken, bind=LOOPBACK)
    async with (
        open_endpoint(SEEDS[0], settings) as left,
        open_endpoint(SEEDS[1], settings) as right,
    ):
        yield Ends(left, right)


async def everything(receiver: Receiver, bytes_max: int = READ_BYTES_MAX) -> bytes:
    """Return all that a stream brings to its end."""
    body = bytearray()
    while piece := await receiver.receive(bytes_max):
        assert len(piece) <= bytes_max
        body += piece
    return bytes(body)


async def without_end(sender: Sender) -> None:
    while True:
        await sender.send(b"more")


async def test_each_side_knows_who_the_other_is_and_what_is_spoken(ends: Ends) -> None:
    mine, theirs = await ends.link(ALSO_SPOKEN)
    assert (mine.peer, theirs.peer) == (ends.other.contact.node, ends.one.contact.node)
    assert mine.peer == KeyPair.from_seed(SEEDS[1]).node_id
    assert mine.protocol == theirs.protocol == ALSO_SPOKEN
    assert [path.is_relay for path in mine.paths if path.is_in_use] == [False]


async def test_a_stream_brings_all_bytes_in_order_and_then_its_end(ends: Ends) -> None:
    mine, theirs = await ends.link()
    body = random.Random(2).randbytes(3_000_000)

    async def send() -> None:
        sender = await mine.open_uni()
        for at in range(0, len(body), 700_001):
            await sender.send(body[at : at + 700_001])
        await sender.finish()

    with trio.fail_after(DEADLINE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            receiver = await theirs.accept_uni()
            assert await everything(receiver, 65_536) == body
            assert await receiver.receive(1) == b""


async def test_streams_go_both_ways_and_do_not_wait_for_each_other(ends: Ends) -> None:
    mine, theirs = await ends.link()
    stuck, asked = await mine.open_uni(), await mine.open_bi()
    await stuck.send(b"nobody reads this")
    await asked[0].send(b"ping")
    await asked[0].finish()
    answer, question = await theirs.accept_bi()
    assert await everything(question) == b"ping"
    await answer.send(b"pong")
    await answer.finish()
    assert await everything(asked[1]) == b"pong"


async def test_a_sender_waits_when_nobody_reads(ends: Ends) -> None:
    mine, theirs = await ends.link()
    sender = await mine.open_uni()
    sent = 0
    with trio.move_on_after(1.0) as waiting:
        while True:
            await sender.send(bytes(250_000))
            sent += 250_000
            assert sent < 100_000_000
    assert waiting.cancelled_caught
    receiver = await theirs.accept_uni()
    assert await receiver.receive(10) == bytes(10)


async def test_a_stream_that_is_given_up_says_the_code(ends: Ends) -> None:
    mine, theirs = await ends.link()
    sender = await mine.open_uni()
    await sender.send(b"half")
    receiver = await theirs.accept_uni()
    assert await receiver.receive(10) == b"half"
    await sender.reset(7)
    with pytest.raises(StreamReset) as told:
        await receiver.receive(10)
    assert told.value.code == 7


async def test_a_reader_that_stops_tells_the_sender_the_code(ends: Ends) -> None:
    mine, theirs = await ends.link()
    sender = await mine.open_uni()
    await sender.send(b"one")
    receiver = await theirs.accept_uni()
    await receiver.stop(9)
    with pytest.raises(StreamReset) as told, trio.fail_after(DEADLINE_S):
        await without_end(sender)
    assert told.value.code == 9


async def test_a_finished_stream_takes_no_more(ends: Ends) -> None:
    mine, _ = await ends.link()
    sender = await mine.open_uni()
    await sender.send(b"all")
    await sender.finish()
    with pytest.raises(LinkError):
        await sender.send(b"more")


async def test_a_closed_link_takes_its_streams_with_it_and_says_why(ends: Ends) -> None:
    mine, theirs = await ends.link()
    sender = await mine.open_uni()
    await sender.send(b"one")
    receiver = await theirs.accept_uni()
    assert await receiver.receive(10) == b"one"
    mine.close(5, "enough")
    mine.close(6, "once more")
    with trio.fail_after(DEADLINE_S):
        reason = await theirs.closed()
        assert "enough" in reason
        assert "5" in reason
        await mine.closed()
    for failing in (receiver.receive(10), theirs.accept_uni(), theirs.accept_bi()):
        with pytest.raises(LinkLost):
            await failing
    with pytest.raises(LinkLost):
        await (await mine.open_uni()).send(b"two")


async def test_who_waits_for_a_stream_hears_of_the_end(ends: Ends) -> None:
    mine, theirs = await ends.link()
    with pytest.RaisesGroup(LinkLost), trio.fail_after(DEADLINE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(theirs.accept_uni)
            await trio.testing.wait_all_tasks_blocked()
            mine.close(reason="done")
            await trio.sleep_forever()


async def test_waiting_can_be_cancelled_and_done_again(ends: Ends) -> None:
    mine, theirs = await ends.link()
    with trio.move_on_after(0.05) as waiting:
        await theirs.accept_uni()
    assert waiting.cancelled_caught
    sender = await mine.open_uni()
    await sender.send(b"late")
    receiver = await theirs.accept_uni()
    assert await receiver.receive(10) == b"late"
    with trio.move_on_after(0.05) as reading:
        await receiver.receive(10)
    assert reading.cancelled_caught
    await sender.send(b"later")
    assert await receiver.receive(10) == b"later"


async def test_a_node_does_not_dial_itself(ends: Ends) -> None:
    with pytest.raises(DuplicateIdentity):
        await ends.one.connect(ends.one.contact, SPOKEN)


async def test_what_is_not_spoken_is_refused(ends: Ends) -> None:
    with pytest.raises(Unreachable), trio.fail_after(DEADLINE_S):
        await ends.one.connect(ends.other.contact, b"/wattswarm/unknown/1")
    await ends.link()


async def test_many_links_of_one_pair_stand_side_by_side(ends: Ends) -> None:
    links = [await ends.link() for _ in range(4)]
    for number, (mine, _) in enumerate(links):
        sender = await mine.open_uni()
        await sender.send(bytes([number]))
    said = [await (await theirs.accept_uni()).receive(1) for _, theirs in links]
    assert said == [b"\0", b"\1", b"\2", b"\3"]


async def test_an_identity_is_not_believed_but_proved() -> None:
    """A contact that names another node at our address leads nowhere."""
    settings = IrohSettings(protocols=(SPOKEN,), bind=LOOPBACK)
    async with open_endpoint(SEEDS[0], settings) as one, open_endpoint(SEEDS[1], settings) as other:
        stranger = NodeId(KeyPair.from_seed(b"z" * 32).node_id)
        with trio.move_on_after(1.0), pytest.raises(Unreachable):
            await one.connect(Contact(stranger, other.contact.addresses), SPOKEN)
