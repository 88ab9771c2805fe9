"""One link for each peer and protocol: made when first asked for, given again while it stands.

Two nodes may dial each other at one moment: the newest link stands for what is begun from now on,
and the other goes on with what is under way. A peer that could not be reached is left alone for a
while, longer each time.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import attrs
import trio

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.links import Contact, Endpoint, Link, Unreachable
from wattswarm.transport.proto.dice import Dice

REST_S: Final = 0.5
REST_S_MAX: Final = 60.0
JITTER: Final = 0.25
"""Share by which a rest is shorter or longer: many who lost one peer do not come back at once."""

RESTS_MAX: Final = 1_024
"""Peers that failed are remembered, so many at most."""

Key: TypeAlias = tuple[NodeId, bytes]


@attrs.frozen
class Rest:
    """For how long a peer is left alone after so many failures in a row."""

    failures: int
    until: float


@attrs.define(eq=False)
class Pool:
    """The links of one endpoint; made by `open_pool`."""

    _endpoint: Endpoint
    _dice: Dice
    _nursery: trio.Nursery
    _links: dict[Key, Link] = attrs.field(factory=dict[Key, Link])
    _dialling: dict[Key, trio.Event] = attrs.field(factory=dict[Key, trio.Event])
    _rests: OrderedDict[NodeId, Rest] = attrs.field(factory=OrderedDict[NodeId, Rest])

    async def link(self, contact: Contact, protocol: bytes) -> Link:
        """Return the link with a peer; whoever asks while it is dialled waits for the same one.

        Raises:
            DuplicateIdentity: The contact names this node itself.
            Unreachable: There is no link, or the peer is left alone after it could not be reached.
        """
        key = contact.node, protocol
        while key in self._dialling:
            await self._dialling[key].wait()
        if (held := self._links.get(key)) is not None:
            return held
        if (rest_s := self.rest_s(contact.node)) > 0:
            raise Unreachable(contact.node, f"it failed before, the next try is in {rest_s:.1f} s")
        return await self._dialled(contact, key)

    def adopt(self, link: Link) -> None:
        """Have a link stand for its peer and protocol from now on: the newest does."""
        key = link.peer, link.protocol
        self._links[key] = link
        self._rests.pop(link.peer, None)
        self._nursery.start_soon(self._watch, key, link)

    def rest_s(self, node: NodeId) -> float:
        """Return how long a peer is still left alone; 0 when it may be dialled."""
        rest = self._rests.get(node)
        return 0.0 if rest is None else max(0.0, rest.until - trio.current_time())

    def close(self, node: NodeId, code: int, reason: str) -> None:
        """End all links with a peer that are given to others."""
        for key, link in list(self._links.items()):
            if key[0] == node:
                link.close(code, reason)
                del self._links[key]

    def __iter__(self) -> Iterator[Link]:
        """Yield the links that stand."""
        return iter(tuple(self._links.values()))

    async def _dialled(self, contact: Contact, key: Key) -> Link:
        done = self._dialling[key] = trio.Event()
        try:
            made = await self._endpoint.connect(contact, key[1])
            self.adopt(made)
        except Unreachable:
            self._let_rest(contact.node)
            raise
        finally:
            del self._dialling[key]
            done.set()
        return made

    def _let_rest(self, node: NodeId) -> None:
        before = self._rests.pop(node, None)
        failures = 1 if before is None else before.failures + 1
        pause_s = min(REST_S_MAX, REST_S * 2.0 ** min(failures - 1, 16))
        pause_s *= self._dice.uniform(1 - JITTER, 1 + JITTER)
        self._rests[node] = Rest(failures, trio.current_time() + pause_s)
        if len(self._rests) > RESTS_MAX:
            self._rests.popitem(last=False)

    async def _watch(self, key: Key, link: Link) -> None:
        """Forget a link once it has ended, unless a newer one stands by then."""
        await link.closed()
        if self._links.get(key) is link:
            del self._links[key]


@asynccontextmanager
async def open_pool(endpoint: Endpoint, dice: Dice) -> AsyncGenerator[Pool]:
    """Have a pool as long as the block lasts; all its links are closed then."""
    async with trio.open_nursery() as nursery:
        pool = Pool(endpoint, dice, nursery)
        try:
            yield pool
        finally:
            nursery.cancel_scope.cancel()
            for link in pool:
                link.close(reason="the node stops")
