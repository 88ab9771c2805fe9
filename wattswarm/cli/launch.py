"""A node in the background: started, waited for, stopped, and waited for again."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from wattswarm.cli.client import Access, find_access, open_client
from wattswarm.cli.failure import Failure
from wattswarm.config.errors import ConfigError
from wattswarm.config.state_dir import NodeFile, StateDir
from wattswarm.surface.node import Stopping

T = TypeVar("T")

POLL_S: Final = 0.05
TAIL_CHARS: Final = 2_000
PROGRAM: Final = (sys.executable, "-m", "wattswarm")


def start_detached(
    state: StateDir,
    arguments: Sequence[str],
    *,
    deadline_ms: int,
    program: Sequence[str] = PROGRAM,
) -> NodeFile:
    """Start a node in a session of its own; it takes work when this returns.

    Args:
        arguments: Options of `wattswarm up`. deadline_ms: Longest wait for the node to be ready.
        program: The command that understands them.

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
    pid = _spawn(state, [*program, "--state-dir", str(state.path), "up", *arguments, "--log-file"])
    node = _wait(lambda: _ready(state, pid), deadline_ms)
    if node is None:
        raise Failure(
            code="timed_out",
            message=f"the node (process {pid}) is not ready after {deadline_ms} ms",
            remedy=f"look into {state.log_path}; it goes on starting, `wattswarm down` stops it",
        )
    return node


def _spawn(state: StateDir, command: Sequence[str]) -> int:
    """Start a process that outlives this one, with no terminal; return its pid."""
    log = str(_start_log(state))
    return os.posix_spawn(
        command[0],
        list(command),
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _start_log(state: StateDir) -> Path:
    """Return where a detached node writes before its log is set up: errors of the start."""
    return state.log_path.with_name("start.log")


def _ready(state: StateDir, pid: int) -> NodeFile | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        code = os.waitstatus_to_exitcode(status)
        raise Failure(
            code="not_started",
            message=f"the node ended with code {code}: {_last_words(state)}",
            remedy=f"`wattswarm doctor`, and {state.log_path}",
        )
    node = state.node_file()
    if node is None or node.pid != pid:
        return None
    try:
        with open_client(Access(node.api_url)) as client:
            return node if client.readiness()[0] else None
    except Failure:
        return None


def _last_words(state: StateDir) -> str:
    """Return what a node said before it ended: as it started, or else in its log."""
    told = _start_log(state).read_text("utf-8", "replace").strip()
    if told:
        return told[-TAIL_CHARS:]
    try:
        last = state.log_path.read_text("utf-8", "replace").splitlines()[-1]
        line: object = json.loads(last)
    except (OSError, IndexError, ValueError):
        return "it did not say why"
    match line:
        case {"event": str(event), "reason": str(reason)}:
            return f"{event}: {reason}"[-TAIL_CHARS:]
        case _:
            return last[-TAIL_CHARS:]


def stop(state: StateDir, *, deadline_ms: int) -> int | None:
    """Stop the node of a state directory and wait until it is gone; return its pid, if one ran.

    It is asked over its API; if it does not answer, the holder of the lock gets SIGTERM.

    Raises:
        Failure: It has not ended in time.
    """
    holder = state.holder()
    if holder is not None:
        _ask_to_stop(state, holder)
        is_over = _wait(lambda: _has_left(state, holder) or None, deadline_ms)
        if not is_over:
            raise Failure(
                code="timed_out",
                message=f"the node (process {holder}) has not ended after {deadline_ms} ms",
                remedy=f"`kill -9 {holder}` loses nothing that was acknowledged",
            )
    state.remove_node_file()  # one that was killed could not
    return holder


def _ask_to_stop(state: StateDir, holder: int) -> None:
    try:
        with open_client(find_access(state, {})) as client:
            client.post(Stopping, "/node/stop")
    except (Failure, ConfigError):
        if state.holder() == holder:
            os.kill(holder, signal.SIGTERM)


def _has_left(state: StateDir, pid: int) -> bool:
    return state.holder() != pid and _is_gone(pid)


def _is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that we started ourselves is reaped."""
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    else:
        return ended == pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits for its parent to notice; Linux tells."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return words[0] == "Z"


def _wait(condition: Callable[[], T | None], deadline_ms: int) -> T | None:
    """Return what a condition gives as soon as it gives something; None when time is over."""
    end = time.monotonic() + deadline_ms / 1_000
    while (outcome := condition()) is None and time.monotonic() < end:
        time.sleep(POLL_S)
    return outcome
