"""What a node takes while it does nothing: memory of its processes, and processor time.

Memory is PSS, so that pages that processes share are counted once. The database server's memory is
its own; its processor time counts.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2

from bench.report import Result, middle
from wattswarm.config.state_dir import StateDir

PROC: Final = Path("/proc")
WORKER: Final = b"wattswarm.actors.runtime.worker"
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PARENT_FIELD, USER_FIELD, SYSTEM_FIELD = 1, 11, 12
"""Fields of /proc/PID/stat, counted from the one after the command's name."""

READY_S: Final = 60.0
SETTLE_S: Final = 4.0
IDLE_S: Final = 8.0
LOOK_S: Final = 0.1
KIB_PER_MIB: Final = 1_024
BARE: Final = "import sys, attrs, cbor2, psycopg, structlog, trio; sys.stdin.read()"


def footprint(idle_s: float = IDLE_S) -> Sequence[Result]:
    """Measure an idle node of several processes, and one of a single process."""
    with _node("default") as root:
        time.sleep(SETTLE_S)
        workers = [_pss_mib(pid) for pid in _descendants(root) if WORKER in _command(pid)]
        with _bare_interpreter() as bare:
            raw = _pss_mib(bare)
        idle = _busy_percent(root, idle_s)
    with _node("compact") as root:
        time.sleep(SETTLE_S)
        compact = _pss_mib(root)
    return [
        Result(
            metric="worker_pss_mib",
            value=middle(workers),
            unit="MiB",
            baseline=raw,
            n=len(workers),
        ),
        Result(metric="compact_node_pss_mib", value=compact, unit="MiB", baseline=raw),
        Result(metric="idle_cpu_percent", value=idle, unit="%"),
    ]


@contextmanager
def _node(profile: str) -> Generator[int]:
    """Run a node in a process of its own until the block ends; the value is its pid."""
    with tempfile.TemporaryDirectory(prefix="wattswarm-bench-") as directory:
        state = StateDir(Path(directory) / "state")
        command = [sys.executable, "-m", "wattswarm", "--state-dir", str(state.path), "up"]
        process = subprocess.Popen(
            command,
            env={**os.environ, "WATTSWARM_NODE__PROFILE": profile},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_ready(state)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _wait_ready(state: StateDir) -> None:
    give_up = time.monotonic() + READY_S
    while not _is_ready(state):
        assert time.monotonic() < give_up, "the node is not ready"
        time.sleep(LOOK_S)


def _is_ready(state: StateDir) -> bool:
    node = state.node_file()
    if node is None:
        return False
    try:
        return httpx2.get(f"{node.api_url}/readyz").is_success
    except httpx2.TransportError:
        return False


@contextmanager
def _bare_interpreter() -> Generator[int]:
    """Run an interpreter that has imported what a worker needs, and does nothing."""
    process = subprocess.Popen([sys.executable, "-c", BARE], stdin=subprocess.PIPE)
    try:
        time.sleep(1)
        yield process.pid
    finally:
        process.communicate()


def _busy_percent(root: int, for_s: float) -> float:
    """Return the share of one core that a process and all below it take."""
    before, began = _ticks(root), time.perf_counter()
    time.sleep(for_s)
    ticks = _ticks(root) - before
    return 100 * ticks / TICKS_PER_S / (time.perf_counter() - began)


def _ticks(root: int) -> int:
    stats = [_stat(pid) for pid in (root, *_descendants(root))]
    return sum(int(stat[USER_FIELD]) + int(stat[SYSTEM_FIELD]) for stat in stats)


def _descendants(root: int) -> Iterator[int]:
    """Yield the processes below one."""
    parents = {pid: int(stat[PARENT_FIELD]) for pid in _all_pids() if (stat := _stat(pid))}
    below = [root]
    for parent in below:
        children = [pid for pid, its_parent in parents.items() if its_parent == parent]
        below += children
        yield from children


def _all_pids() -> Iterator[int]:
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            yield int(entry.name)


def _stat(pid: int) -> Sequence[str]:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ()


def _command(pid: int) -> bytes:
    return (PROC / str(pid) / "cmdline").read_bytes()


def _pss_mib(pid: int) -> float:
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "Pss":
            return int(rest.split()[0]) / KIB_PER_MIB
    raise ValueError("no Pss in smaps_rollup")
