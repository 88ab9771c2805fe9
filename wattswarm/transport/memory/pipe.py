"""One direction of one stream: pieces with the time at which they are there, in order."""

from collections import deque
from collections.abc import Awaitable, Callable

import attrs
import trio

from wattswarm.transport.links import READ_BYTES_MAX, STREAM_WINDOW_BYTES, LinkLost, StreamReset
from wattswarm.transport.memory.road import Road

Introduce = Callable[[], Awaitable[None]]
"""Has the peer learn of a stream."""


@attrs.define(eq=False)
class Pipe:
    """Both ends of it: see `links.Sender` and `links.Receiver`.

    Args:
        introduce: Called with the first that is said on a stream that this side began.
    """

    _road: Road
    introduce: Introduce | None = None
    _pieces: deque[tuple[float, bytes]] = attrs.field(factory=deque[tuple[float, bytes]])
    _size_bytes: int = 0
    _is_finished: bool = False
    _reset_code: int | None = None
    _stop_code: int | None = None
    _changed: trio.Event = attrs.field(factory=trio.Event)

    def __attrs_post_init__(self) -> None:
        self._road.ending.heard.append(self._wake)

    # --- the sending end ------------------------------------------------------------------------

    async def send(self, message: bytes) -> None:
        """Hand bytes over."""
        await self._begin_to_say()
        while self._size_bytes >= STREAM_WINDOW_BYTES and self._stop_code is None:
            await self._changed.wait()
            self._road.ending.check()
        if self._stop_code is not None:
            raise StreamReset(self._stop_code)
        if self._is_finished or self._reset_code is not None:
            raise LinkLost("the stream was ended here")
        if message:
            self._pieces.append((self._road.arrival(len(message)), message))
            self._size_bytes += len(message)
            self._wake()

    async def finish(self) -> None:
        """End the stream."""
        await self._begin_to_say()
        if self._is_finished:
            raise LinkLost("the stream was ended here")
        self._is_finished = True
        self._wake()

    async def reset(self, code: int) -> None:
        """Give the stream up."""
        await self._begin_to_say()
        self._reset_code = code
        self._wake()

    async def _begin_to_say(self) -> None:
        await trio.lowlevel.checkpoint()
        self._road.ending.check()
        introduce, self.introduce = self.introduce, None
        if introduce is not None:
            await introduce()

    # --- the receiving end ----------------------------------------------------------------------

    async def receive(self, bytes_max: int) -> bytes:
        """Return the next bytes; none at the end."""
        await trio.lowlevel.checkpoint()
        while True:
            self._road.ending.check()
            if not self._road.is_blocked():
                if self._reset_code is not None:
                    raise StreamReset(self._reset_code)
                if self._pieces and self._pieces[0][0] <= trio.current_time():
                    return self._taken(min(bytes_max, READ_BYTES_MAX))
                if self._is_finished and not self._pieces:
                    return b""
            await self._change()

    async def stop(self, code: int) -> None:
        """Read no more."""
        await trio.lowlevel.checkpoint()
        self._road.ending.check()
        self._stop_code = code
        self._pieces.clear()
        self._size_bytes = 0
        self._wake()

    def _taken(self, bytes_max: int) -> bytes:
        at, piece = self._pieces.popleft()
        if len(piece) > bytes_max:
            self._pieces.appendleft((at, piece[bytes_max:]))
        taken = piece[:bytes_max]
        self._size_bytes -= len(taken)
        self._wake()
        return taken

    async def _change(self) -> None:
        """Wait for a change, or until the next piece is there."""
        changed = self._changed
        if not self._pieces or self._road.is_blocked():
            await changed.wait()
            return
        with trio.move_on_at(self._pieces[0][0]):
            await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
