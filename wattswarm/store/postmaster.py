"""The server process of a data directory, as far as it can be seen from outside.

A pid file is a claim, not a fact: a killed server leaves it behind and the number may belong to
    anybody by now. A server is ours only when the process is a postgres whose working directory is
    the data directory.

Source: PostgreSQL, `miscadmin.h` (lines of postmaster.pid).
"""

import enum
import signal
from pathlib import Path
from typing import Final

import attrs
import psutil

PID_FILE: Final = "postmaster.pid"
SOCKET_LINE: Final = 4


class StopMode(enum.Enum):
    """How to end a server: the signal that it takes for the word."""

    SMART = signal.SIGTERM
    FAST = signal.SIGINT
    IMMEDIATE = signal.SIGQUIT
    KILL = signal.SIGKILL


@attrs.frozen
class Postmaster:
    """A living server process and where it listens."""

    pid: int
    socket_dir: Path | None

    def signal(self, mode: StopMode) -> None:
        """Ask the server to end; a server that has ended already is what was asked for."""
        try:
            psutil.Process(self.pid).send_signal(mode.value)
        except psutil.NoSuchProcess:
            return

    def wait_ended(self, timeout_s: float) -> bool:
        """Return whether the process has ended within `timeout_s`."""
        try:
            psutil.Process(self.pid).wait(timeout_s)
        except psutil.NoSuchProcess:
            return True
        except psutil.TimeoutExpired:
            return False
        return True


def find(data_dir: Path) -> Postmaster | None:
    """Return the living server of `data_dir`, or None; a stale pid file is no server."""
    try:
        lines = (data_dir / PID_FILE).read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    if not _serves(pid, data_dir):
        return None
    path = lines[SOCKET_LINE] if len(lines) > SOCKET_LINE else ""
    return Postmaster(pid, Path(path) if path else None)


def remnants(data_dir: Path) -> tuple[int, ...]:
    """Return the pids of all server processes of `data_dir`, orphans as well."""
    return tuple(pid for pid in psutil.pids() if _serves(pid, data_dir))


def _serves(pid: int, data_dir: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return (
            process.name().startswith("postgres")
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == data_dir.resolve()
        )
    except psutil.Error:
        return False
