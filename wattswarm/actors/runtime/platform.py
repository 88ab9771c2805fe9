"""What differs between systems, in one place: how a child notices its parent's death, and the
reverse.

On Linux a process is watched through a pidfd, which cannot mean another process that got the
number later, and the kernel kills a worker whose parent thread ended. Elsewhere a thread waits,
and the socket's end is the only sign.
"""

import ctypes
import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import trio

if TYPE_CHECKING:
    import subprocess

IS_LINUX: Final = sys.platform == "linux"
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36


def die_with_parent(parent_pid: int) -> None:
    """Make the kernel kill this process when the thread that started it ends.

    Ends the process at once if the parent has died already.
    """
    if IS_LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(os.EX_TEMPFAIL)


def wait_hang_up(fd: int) -> None:
    """Block until the other end of a socket is closed, reading nothing. For a thread of its own."""
    hang_up = getattr(select, "POLLRDHUP", 0) | select.POLLHUP
    poller = select.poll()
    poller.register(fd, hang_up)
    while not any(events & (hang_up | select.POLLERR) for _, events in poller.poll()):
        pass


def prefer_for_oom(by: int) -> None:
    """Make the kernel, short of memory, kill this process rather than the root; best effort."""
    path = Path("/proc/self/oom_score_adj")
    if IS_LINUX and path.exists():
        try:
            path.write_text(str(min(1_000, int(path.read_text()) + by)))
        except OSError:
            return  # not allowed here: the default is as good


def rss_bytes() -> int:
    """Return the resident memory of this process; 0 where that is not known."""
    if not IS_LINUX:
        return 0
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@attrs.define(eq=False)
class ProcessHandle:
    """A child process until it is reaped; afterwards its number is never used again."""

    process: "subprocess.Popen[bytes]"
    _pidfd: int = attrs.field(init=False)
    _returncode: int | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._pidfd = os.pidfd_open(self.process.pid) if IS_LINUX else -1

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has been reaped."""
        return self._returncode is not None

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens if the process has ended."""
        if self._returncode is not None:
            return
        try:
            if self._pidfd >= 0:
                signal.pidfd_send_signal(self._pidfd, number)
            else:
                self.process.send_signal(number)
        except ProcessLookupError:
            return  # it has just ended, which is what is wanted

    async def wait(self) -> int:
        """Return the exit status, negative for a signal, after its whole process group is gone."""
        if self._returncode is None:
            await self._wait_end()
            self._reap()
        assert self._returncode is not None
        return self._returncode

    def reap_now(self) -> None:
        """Kill and reap, blocking for the moment that takes: for when nothing can be awaited."""
        self.send_signal(signal.SIGKILL)
        if self._returncode is None:
            self._reap()

    async def _wait_end(self) -> None:
        if self._pidfd >= 0:
            await trio.lowlevel.wait_readable(self._pidfd)
        else:
            await trio.to_thread.run_sync(self.process.wait, abandon_on_cancel=True)

    def _reap(self) -> None:
        # What it left behind in its group goes with it; not reaped yet, it still owns the number.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._returncode = self.process.wait()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
