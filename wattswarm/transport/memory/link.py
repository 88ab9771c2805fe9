"""A link in memory: two sides, each with the streams that the other has offered it."""

from functools import partial

import attrs
import trio

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.links import NO_ERROR, LinkLost, Path, Stream
from wattswarm.transport.memory.pipe import Pipe
from wattswarm.transport.memory.road import Ending, Road

SCHEME = "memory"
STREAMS_WAITING_MAX = 100
"""Streams of a link that nobody has accepted yet: whoever begins more has to wait."""


@attrs.frozen(eq=False)
class Door:
    """Where streams of one form wait to be accepted by one side."""

    outside: "trio.MemorySendChannel[tuple[Pipe, Pipe]]"
    inside: "trio.MemoryReceiveChannel[tuple[Pipe, Pipe]]"

    @classmethod
    def of(cls, ending: Ending) -> "Door":
        """Return a door that is shut when the link ends."""
        made = cls(*trio.open_memory_channel["tuple[Pipe, Pipe]"](STREAMS_WAITING_MAX))
        ending.heard.append(partial(made.shut, ending))
        return made

    def shut(self, ending: Ending) -> None:
        """Wake whoever waits at the door of a link that has ended."""
        if ending.reason is not None:
            self.outside.close()
            self.inside.close()


@attrs.frozen(eq=False)
class MemoryLink:
    """See `links.Link`."""

    peer: NodeId
    protocol: bytes
    there: Road
    back: Road
    ending: Ending
    my_uni: Door
    my_bi: Door
    their_uni: Door
    their_bi: Door

    @property
    def paths(self) -> tuple[Path, ...]:
        """The one way that there is."""
        slowest_s = self.there.weather().delay_s[1] + self.back.weather().delay_s[1]
        return (Path(f"{SCHEME}:{self.peer.hex()}", False, True, round(1_000 * slowest_s)),)

    async def open_uni(self) -> Pipe:
        """Begin a stream to the peer."""
        pipe = await self._pipe(self.there)
        pipe.introduce = partial(self._offer, self.their_uni, (pipe, pipe))
        return pipe

    async def open_bi(self) -> Stream:
        """Begin a stream both ways."""
        out, answer = await self._pipe(self.there), await self._pipe(self.back)
        out.introduce = partial(self._offer, self.their_bi, (answer, out))
        return out, answer

    async def accept_uni(self) -> Pipe:
        """Return the next stream that the peer began."""
        _, receiver = await self._next(self.my_uni)
        return receiver

    async def accept_bi(self) -> Stream:
        """Return the next stream both ways that the peer began."""
        return await self._next(self.my_bi)

    def close(self, code: int = NO_ERROR, reason: str = "") -> None:
        """End the link."""
        self.ending.come(f"closed: {reason} (code {code})")

    async def closed(self) -> str:
        """Return why the link has ended, once it has."""
        await self.ending.over.wait()
        return self.ending.reason or ""

    async def _pipe(self, road: Road) -> Pipe:
        await trio.lowlevel.checkpoint()
        self.ending.check()
        return Pipe(road)

    async def _offer(self, door: Door, stream: tuple[Pipe, Pipe]) -> None:
        try:
            await door.outside.send(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise LinkLost(self.ending.reason or "the link is lost") from error

    async def _next(self, door: Door) -> tuple[Pipe, Pipe]:
        try:
            return await door.inside.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError) as error:
            raise LinkLost(self.ending.reason or "the link is lost") from error
