"""The links between the processes of a node: root makes each of them and hands out its ends.

A link is a socket pair, so that nothing of it stands in the file system. When a process comes,
it gets a link to every process it may talk to; when a link breaks while both of its processes
live, a new one is made.
"""

import socket

import attrs
import trio

from wattswarm.actors.runtime.atlas import Atlas
from wattswarm.actors.runtime.control import UseLink
from wattswarm.actors.runtime.process import WorkerProcess, control_frame
from wattswarm.actors.runtime.spec import ROOT

RELINK_S = 0.05
"""A broken link may be the first sign of a process's end: that is known for certain after this."""


@attrs.define(eq=False)
class Mesh:
    """Who is linked with whom; `nursery` runs the root's own ends."""

    atlas: Atlas
    nursery: trio.Nursery
    _members: dict[str, WorkerProcess] = attrs.field(factory=dict[str, WorkerProcess], init=False)
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _relinking: set[frozenset[str]] = attrs.field(factory=set[frozenset[str]], init=False)

    async def join(self, name: str, process: WorkerProcess) -> None:
        """Link a new process with the root and with those that are there."""
        others = [ROOT, *self._members]
        self._members[name] = process
        for other in others:
            if other != name and self.atlas.has_traffic(name, other):
                await self._link(name, other)

    def leave(self, name: str, process: WorkerProcess) -> None:
        """A process has ended, unless another has taken its place already."""
        if self._members.get(name) is process:
            del self._members[name]

    def on_lost(self, one: str, other: str) -> None:
        """A link broke, as one of its ends says; perhaps both do."""
        self.nursery.start_soon(self._relink, one, other)

    async def _relink(self, one: str, other: str) -> None:
        pair = frozenset((one, other))
        if pair in self._relinking:
            return
        self._relinking.add(pair)
        members = self._members.get(one), self._members.get(other)
        await trio.sleep(RELINK_S)
        self._relinking.discard(pair)
        if members == (self._members.get(one), self._members.get(other)):
            await self._link(one, other)

    async def _link(self, one: str, other: str) -> None:
        """Give two processes the ends of a new pair; both live, or it is of no use and soon
        closed."""
        if not all(name == ROOT or self._lives(name) for name in (one, other)):
            return
        ends = socket.socketpair()
        async with self._turn:
            for name, peer, end in ((one, other, ends[0]), (other, one, ends[1])):
                await self._give(name, peer, end)

    async def _give(self, name: str, peer: str, end: socket.socket) -> None:
        if name == ROOT:
            self.nursery.start_soon(self.atlas.peers[peer].use, end)
            return
        with end:
            process = self._members.get(name)
            if process is not None:
                await process.link.send_fd(control_frame(UseLink(peer)), end.fileno())

    def _lives(self, name: str) -> bool:
        process = self._members.get(name)
        return process is not None and not process.ended.is_set()
