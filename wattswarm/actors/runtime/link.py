"""One socket between two processes: a task that writes, a task that reads, frames in between.

The writer joins what has queued into sends of at most `BATCH_FRAMES` frames or `BATCH_BYTES`
bytes; while it is idle a caller may send at once and save a task switch. A cancelled send leaves
a torn frame behind,
so the socket is closed whenever either task ends: a link is whole or gone.
"""

import socket
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.errors import BadWire
from wattswarm.actors.runtime.frame import Frame, FrameParser

BATCH_FRAMES: Final = 64
BATCH_BYTES: Final = 64 * 1024
RECEIVE_BYTES: Final = 256 * 1024
FDS_MAX: Final = 16
QUEUE_FRAMES_MAX: Final = 65_536
"""User frames are bounded by credits; this is for what has none, against a peer that does not
read."""


@attrs.define(eq=False)
class Link:
    """`run` carries frames until the link ends, and returns why it did."""

    sock: socket.socket
    on_frame: Callable[[Frame], None]
    has_fds: bool = False
    """Whether file descriptors travel on it: they are in `fds`, in the order of their frames."""
    fds: deque[int] = attrs.field(factory=deque[int], init=False)
    closed: str | None = attrs.field(default=None, init=False)
    _queue: deque[bytes] = attrs.field(factory=deque[bytes], init=False)
    _writer: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _flushed: trio.Event = attrs.field(factory=trio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self.sock.setblocking(False)

    def send(self, frame: bytes) -> None:
        """Queue a frame; the writer sends it with whatever else has queued by then."""
        if self.closed is not None:
            return
        self._queue.append(frame)
        if self._writer is not None:
            self._wake_writer()
        elif len(self._queue) > QUEUE_FRAMES_MAX:
            self.close("the other side does not read")

    def send_now(self, frame: bytes) -> None:
        """Send a frame at once if nothing is before it, else queue it."""
        if self._writer is None or self._queue or self.closed is not None:
            self.send(frame)
            return
        try:
            sent = self.sock.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.close(str(error))
            return
        if sent < len(frame):
            self._queue.appendleft(frame[sent:])
            self._wake_writer()

    async def send_fd(self, frame: bytes, fd: int) -> None:
        """Send a frame and a file descriptor, after whatever has queued; nothing on a broken
        link."""
        while True:
            await self.flush()
            if self.closed is not None:
                return
            try:
                sent = socket.send_fds(self.sock, [frame], [fd])
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self.sock)
                continue
            except OSError as error:
                self.close(str(error))
                return
            if sent < len(frame):
                self._queue.appendleft(frame[sent:])
                self._wake_writer()
            return

    async def flush(self) -> None:
        """Return when everything queued so far has been handed to the system, or the link is
        gone."""
        # The writer is parked only when it has sent everything.
        while self.closed is None and (self._queue or self._writer is None):
            self._flushed = trio.Event()
            await self._flushed.wait()

    async def run(self) -> str:
        """Carry frames until the link ends; return the reason."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            try:
                await self._read()
            finally:
                self.close("closed")
            nursery.cancel_scope.cancel()
        assert self.closed is not None
        return self.closed

    def close(self, reason: str) -> None:
        """End the link; both tasks notice at once."""
        if self.closed is not None:
            return
        self.closed = reason
        trio.lowlevel.notify_closing(self.sock)
        self.sock.close()
        self._flushed.set()
        while self.fds:
            socket.close(self.fds.popleft())
        if self._writer is not None:
            self._wake_writer()

    # -- writing ---------------------------------------------------------------------------------

    async def _write(self) -> None:
        while self.closed is None:
            if not self._queue:
                self._writer = trio.lowlevel.current_task()
                self._flushed.set()
                await trio.lowlevel.wait_task_rescheduled(self._forget_writer)
                continue
            try:
                await self._send_all(self._next_batch())
            except (OSError, trio.ClosedResourceError) as error:
                self.close(str(error) or "closed")
            await trio.lowlevel.checkpoint()

    def _next_batch(self) -> bytes:
        first = self._queue.popleft()
        if not self._queue:
            return first
        batch, size = [first], len(first)
        while self._queue and len(batch) < BATCH_FRAMES and size < BATCH_BYTES:
            batch.append(self._queue.popleft())
            size += len(batch[-1])
        return b"".join(batch)

    async def _send_all(self, batch: bytes) -> None:
        rest = memoryview(batch)
        while rest:
            try:
                rest = rest[self.sock.send(rest) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self.sock)

    def _wake_writer(self) -> None:
        if self._writer is not None:
            trio.lowlevel.reschedule(self._writer)
            self._writer = None

    def _forget_writer(self, _: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        self._writer = None
        return trio.lowlevel.Abort.SUCCEEDED

    # -- reading ---------------------------------------------------------------------------------

    async def _read(self) -> None:
        parser = FrameParser()
        try:
            while self.closed is None:
                await trio.lowlevel.wait_readable(self.sock)
                chunk = self._receive()
                if chunk is None:
                    continue
                if not chunk:
                    self.close("the other side is gone")
                    return
                for frame in parser.feed(chunk):
                    self.on_frame(frame)
        except BadWire as error:
            self.close(error.reason)
        except (OSError, trio.ClosedResourceError) as error:
            self.close(str(error) or "closed")

    def _receive(self) -> bytes | None:
        """Return what has arrived, nothing at all at the end of the stream, None if it was a
        false alarm."""
        try:
            if not self.has_fds:
                return self.sock.recv(RECEIVE_BYTES)
            chunk, fds, _, _ = socket.recv_fds(self.sock, RECEIVE_BYTES, FDS_MAX)
        except BlockingIOError:
            return None
        self.fds.extend(fds)
        return chunk
