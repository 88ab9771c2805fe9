"""Nodes in memory, and what is done to the roads between them.

Time is trio's, so that a virtual clock makes a minute of partition a matter of milliseconds, and
dice are handed in, so that a seed replays. What is sent while a way is blocked waits, as packets
do that are sent again; when that lasts for `IDLE_S` the links between the two are lost on both
sides.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import permutations
from typing import Final, TypeAlias

import attrs
import trio

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.links import Contact, DuplicateIdentity, LinkLost, Unreachable
from wattswarm.transport.memory.link import SCHEME, Door, MemoryLink
from wattswarm.transport.memory.road import CALM, Ending, Road, Weather
from wattswarm.transport.proto.dice import Dice

IDLE_S: Final = 30.0
"""After so long without a packet a link is given up, as QUIC does."""

CONNECT_S: Final = 20.0
LINKS_WAITING_MAX: Final = 64

Way: TypeAlias = tuple[NodeId, NodeId]
"""From one node to another."""


@attrs.define(eq=False)
class MemoryEndpoint:
    """See `links.Endpoint`; made by `MemoryNetwork.endpoint`."""

    node: NodeId
    network: "MemoryNetwork"
    protocols: Collection[bytes]
    outside: "trio.MemorySendChannel[MemoryLink]"
    inside: "trio.MemoryReceiveChannel[MemoryLink]"

    @property
    def contact(self) -> Contact:
        """Where this node is to be found."""
        return Contact(self.node, (f"{SCHEME}:{self.node.hex()}",))

    async def connect(self, contact: Contact, protocol: bytes) -> MemoryLink:
        """Return a link with the node that the contact names."""
        if contact.node == self.node:
            raise DuplicateIdentity("the contact has this node's own identity")
        with trio.move_on_after(CONNECT_S):
            return await self.network.connected(self.node, contact.node, protocol)
        raise Unreachable(contact.node, f"no answer in {CONNECT_S:g} s")

    async def accept(self) -> MemoryLink:
        """Return the next link that somebody else made."""
        try:
            return await self.inside.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError) as error:
            raise LinkLost("the endpoint is closed") from error


@attrs.define(eq=False)
class MemoryNetwork:
    """Made by `open_network`.

    Attributes:
        weather: How each way is while it is open; `CALM` where nothing is said.
    """

    dice: Dice
    _nursery: trio.Nursery
    weather: dict[Way, Weather] = attrs.field(factory=dict[Way, Weather])
    _endpoints: dict[NodeId, MemoryEndpoint] = attrs.field(factory=dict[NodeId, MemoryEndpoint])
    _endings: dict[Ending, Way] = attrs.field(factory=dict[Ending, Way])
    _blocked: Counter[Way] = attrs.field(factory=Counter[Way])
    _since: dict[Way, float] = attrs.field(factory=dict[Way, float])
    _changed: trio.Event = attrs.field(factory=trio.Event)

    @contextmanager
    def endpoint(self, node: NodeId, protocols: Collection[bytes]) -> Generator[MemoryEndpoint]:
        """Have a node at the network as long as the block lasts; then all its links are lost."""
        channels = trio.open_memory_channel[MemoryLink](LINKS_WAITING_MAX)
        self._endpoints[node] = made = MemoryEndpoint(node, self, protocols, *channels)
        self._look_again()
        try:
            yield made
        finally:
            del self._endpoints[node]
            made.outside.close()
            made.inside.close()
            self.lose(node, reason="the endpoint is closed")

    def lose(self, node: NodeId, *, reason: str = "the connection timed out") -> None:
        """End all links of a node, as when its process is killed."""
        for ending, way in list(self._endings.items()):
            if node in way:
                ending.come(reason)
                self._endings.pop(ending, None)

    # --- faults ---------------------------------------------------------------------------------

    @contextmanager
    def blocked(self, ways: Iterable[Way]) -> Generator[None]:
        """Let nothing through these ways as long as the block lasts."""
        these = frozenset(ways)
        self._since.update({way: trio.current_time() for way in these if not self.is_blocked(way)})
        self._blocked.update(these)
        self._look_again()
        self._nursery.start_soon(self._give_up, these)
        try:
            yield
        finally:
            self._blocked.subtract(these)
            self._look_again()

    def is_blocked(self, way: Way) -> bool:
        """Tell whether nothing gets through."""
        return self._blocked[way] > 0

    def _look_again(self) -> None:
        """Wake everybody who waits for a way."""
        self._changed.set()
        self._changed = trio.Event()
        for ending in self._endings:
            ending.wake()

    async def _give_up(self, ways: Collection[Way]) -> None:
        """End the links along ways that are blocked all the time until then, each by itself."""
        await trio.sleep(IDLE_S)
        now = trio.current_time()
        lost = {way for way in ways if self.is_blocked(way) and self._since[way] + IDLE_S <= now}
        for ending, (one, other) in list(self._endings.items()):
            if (one, other) in lost or (other, one) in lost:
                ending.come("the connection timed out")
                del self._endings[ending]

    # --- links ----------------------------------------------------------------------------------

    async def connected(self, source: NodeId, target: NodeId, protocol: bytes) -> MemoryLink:
        """Return a link once packets get through both ways.

        Raises:
            Unreachable: The other does not speak the protocol, or takes up no links now.
        """
        await trio.lowlevel.checkpoint()
        while not self._is_answered(source, target):
            await self._changed.wait()
        await trio.sleep(self._round_trip_s(source, target))
        there = self._endpoints.get(target)
        if there is None or protocol not in there.protocols:
            raise Unreachable(target, "it does not speak this protocol")
        mine, theirs = self._pair(source, target, protocol)
        try:
            there.outside.send_nowait(theirs)
        except (trio.WouldBlock, trio.BrokenResourceError) as error:
            mine.close(reason="too busy, try again later")
            raise Unreachable(target, "it takes up no links now") from error
        return mine

    def _is_answered(self, source: NodeId, target: NodeId) -> bool:
        is_open = not self.is_blocked((source, target)) and not self.is_blocked((target, source))
        return is_open and target in self._endpoints

    def _round_trip_s(self, source: NodeId, target: NodeId) -> float:
        ways = ((source, target), (target, source))
        return sum(self.dice.uniform(*self._weather(way).delay_s) for way in ways)

    def _weather(self, way: Way) -> Weather:
        found: Mapping[Way, Weather] = self.weather
        return found.get(way, CALM)

    def _pair(
        self, source: NodeId, target: NodeId, protocol: bytes
    ) -> tuple[MemoryLink, MemoryLink]:
        for ended in [each for each in self._endings if each.reason is not None]:
            del self._endings[ended]
        ending = Ending()
        self._endings[ending] = (source, target)
        there, back = self._road((source, target), ending), self._road((target, source), ending)
        doors = [Door.of(ending) for _ in range(4)]
        mine = MemoryLink(target, protocol, there, back, ending, *doors)
        theirs = MemoryLink(source, protocol, back, there, ending, *doors[2:], *doors[:2])
        return mine, theirs

    def _road(self, way: Way, ending: Ending) -> Road:
        return Road(partial(self._weather, way), partial(self.is_blocked, way), self.dice, ending)


def between(*groups: Collection[NodeId]) -> Generator[Way]:
    """Yield the ways between nodes of different groups: blocked, they are a partition."""
    for one, other in permutations(groups, 2):
        yield from ((source, target) for source in one for target in other)


@asynccontextmanager
async def open_network(dice: Dice) -> AsyncGenerator[MemoryNetwork]:
    """Have a network as long as the block lasts."""
    async with trio.open_nursery() as nursery:
        yield MemoryNetwork(dice, nursery)
        nursery.cancel_scope.cancel()
