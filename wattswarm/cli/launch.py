"""A node in the background: started, waited for, stopped, and waited for again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from wattswarm.cli.client import Access, find_access, open_client
from wattswarm.cli.failure import Failure
from wattswarm.config.errors import ConfigError
from wattswarm.config.state_dir import NodeFile, StateDir
from wattswarm.surface.node import Stopping

T = TypeVar("T")

POLL_S: Final = 0.05
TAIL_CHARS: Final = 2_000


def start_detached(state: StateDir, arguments: Sequence[str], *, deadline_ms: int) -> NodeFile:
    """Start a node in a session of its own; it takes work when this returns.

    Args:
        arguments: Options of `wattswarm up`. deadline_ms: Longest wait for the node to be ready.

    Raises:
        Failure: A node runs there already, the new one ended, or it is not ready in time.
    """
    holder = state.holder()
    if holder is not None:
        raise Failure(
            code="state_dir_locked",
            message=f"process {holder} uses {state.path}",
            remedy="`wattswarm node status` shows it; `wattswarm down` stops it",
        )
    state.prepare()
    state.remove_node_file()
    child = _spawn(state, arguments)
    node = _wait(lambda: _ready(state, child), deadline_ms)
    if node is None:
        raise Failure(
            code="timed_out",
            message=f"the node (process {child.pid}) is not ready after {deadline_ms} ms",
            remedy=f"look into {state.log_path}; it goes on starting, `wattswarm down` stops it",
        )
    return node


def _spawn(state: StateDir, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wattswarm", "--state-dir", str(state.path), "up"]
    with open(_start_log(state), "wb") as log:
        return subprocess.Popen(
            [*command, "--log-file", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _start_log(state: StateDir) -> str:
    """Return where a detached node writes before its log is set up: errors of the start."""
    return str(state.log_path.with_name("start.log"))


def _ready(state: StateDir, child: subprocess.Popen[bytes]) -> NodeFile | None:
    if child.poll() is not None:
        with open(_start_log(state), encoding="utf-8", errors="replace") as log:
            told = log.read().strip()[-TAIL_CHARS:]
        raise Failure(
            code="not_started",
            message=f"the node ended with code {child.returncode}:\n{told}",
            remedy=f"`wattswarm doctor`, and {state.log_path}",
        )
    node = state.node_file()
    if node is None or node.pid != child.pid:
        return None
    try:
        with open_client(Access(node.api_url, "")) as client:
            return node if client.readiness()[0] else None
    except Failure:
        return None


def stop(state: StateDir, *, deadline_ms: int) -> int | None:
    """Stop the node of a state directory and wait until it is gone; return its pid, if one ran.

    It is asked over its API; if it does not answer, the holder of the lock gets SIGTERM.

    Raises:
        Failure: It has not ended in time.
    """
    holder = state.holder()
    if holder is None:
        state.remove_node_file()
        return None
    try:
        with open_client(find_access(state, {})) as client:
            client.post(Stopping, "/node/stop")
    except (Failure, ConfigError):
        os.kill(holder, signal.SIGTERM)
    if not _wait(lambda: state.holder() is None or None, deadline_ms):
        raise Failure(
            code="timed_out",
            message=f"the node (process {holder}) has not ended after {deadline_ms} ms",
            remedy=f"`kill -9 {holder}` loses nothing that was acknowledged",
        )
    return holder


def _wait(condition: Callable[[], T | None], deadline_ms: int) -> T | None:
    """Return what a condition gives as soon as it gives something; None when time is over."""
    end = time.monotonic() + deadline_ms / 1_000
    while (outcome := condition()) is None and time.monotonic() < end:
        time.sleep(POLL_S)
    return outcome
