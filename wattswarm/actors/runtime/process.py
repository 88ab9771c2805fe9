"""A worker process as its root sees it: started, spoken to, listened to, waited for and reaped."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.control import Hello
from wattswarm.actors.runtime.frame import Frame, FrameType, encode_frame
from wattswarm.actors.runtime.link import Link
from wattswarm.actors.runtime.message import decode, encode
from wattswarm.actors.runtime.platform import ProcessHandle

LINE_BYTES_MAX: Final = 16 * 1024
"""A longer line of a worker's output is cut."""
LAST_WORDS_S: Final = 0.2
"""How long the output of an ended process is waited for; a grandchild may hold the pipe open."""


@attrs.define(eq=False)
class WorkerProcess:
    """One child process. It waits for `Boot` once it has said `Hello`."""

    handle: ProcessHandle
    stderr_fd: int
    on_line: Callable[[str], None]
    on_message: Callable[[object], None]
    link: Link = attrs.field(init=False)
    hello: trio.Event = attrs.field(factory=trio.Event, init=False)
    ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    status: int | None = attrs.field(default=None, init=False)

    def say(self, message: object) -> None:
        """Queue a control message for it."""
        self.link.send(control_frame(message))

    async def attend(self) -> None:
        """Carry its messages and its output until it has ended; whatever happens, it is reaped."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.link.run)
                output_ended = trio.Event()
                nursery.start_soon(self._read_output, output_ended)
                self.status = await self.handle.wait()
                self.ended.set()
                with trio.move_on_after(LAST_WORDS_S):
                    await output_ended.wait()
                nursery.cancel_scope.cancel()
        finally:
            if not self.handle.has_ended:
                self.handle.reap_now()
            self.ended.set()

    def on_frame(self, frame: Frame) -> None:
        """Take a frame of its control socket."""
        message = control_message(frame)
        if isinstance(message, Hello):
            self.hello.set()
        else:
            self.on_message(message)

    async def _read_output(self, ended: trio.Event) -> None:
        async with trio.lowlevel.FdStream(self.stderr_fd) as stream:
            rest = b""
            async for chunk in stream:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._emit(line)
                if len(rest) > LINE_BYTES_MAX:
                    self._emit(rest)
                    rest = b""
            if rest:
                self._emit(rest)
        ended.set()

    def _emit(self, line: bytes) -> None:
        self.on_line(line[:LINE_BYTES_MAX].decode(errors="replace"))


def spawn(
    preload: Sequence[str],
    on_line: Callable[[str], None],
    on_message: Callable[[object], None],
) -> WorkerProcess:
    """Start a worker by exec, from the main thread, with a control socket and nothing else of ours.

    The kernel kills a child when the *thread* that started it ends: a pool's thread would take the
    worker with it after ten idle seconds.
    """
    assert threading.current_thread() is threading.main_thread(), "workers start in the main thread"
    ours, theirs = socket.socketpair()
    output, theirs_output = os.pipe()
    command = [
        *(sys.executable, "-X", "faulthandler", "-m", "wattswarm.actors.runtime.worker"),
        *("--fd", str(theirs.fileno()), "--parent", str(os.getpid())),
        *("--preload", ",".join(preload)),
    ]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=theirs_output,
            stderr=theirs_output,
            pass_fds=[theirs.fileno()],
            close_fds=True,
            start_new_session=True,  # the terminal's Ctrl-C is for the root alone
        )
    finally:
        # Whoever keeps the other end open never sees it close.
        theirs.close()
        os.close(theirs_output)
    worker = WorkerProcess(ProcessHandle(process), output, on_line, on_message)
    worker.link = Link(ours, worker.on_frame)
    return worker


def control_frame(message: object) -> bytes:
    """Return the frame of a control message."""
    return encode_frame(FrameType.CONTROL, 0, 0, encode(message))


def control_message(frame: Frame) -> object:
    """Return the control message of a frame.

    Raises:
        BadWire: It holds none.
    """
    return decode(frame.body)
