"""What a node leaves behind when it has ended: processes, sockets, locks, files of the moment.

Every process of a node under test carries a mark in its environment; its database server, which is
given none, is known by its working directory.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psutil

from wattswarm.chaos.invariants import Check, Invariant
from wattswarm.config.state_dir import StateDir
from wattswarm.store.artifacts import UNFINISHED

MARK: Final = "WATTSWARM_CHAOS_MARK"
"""The variable that tells the processes of one node under test from all others."""


def marked_processes(mark: str) -> list[str]:
    """Return the living processes that carry the mark, in words: all of a node but its database."""
    return _living(lambda process: process.environ().get(MARK) == mark)


def placed_processes(state_dir: Path) -> list[str]:
    """Return the living processes that work in a state directory, in words: its database."""
    base = state_dir.resolve()
    return _living(lambda process: Path(process.cwd()).is_relative_to(base))


def check_leftovers(state: StateDir, mark: str) -> Check:
    """I9: of a node that has ended nothing is left but what the next start needs."""
    processes = [*marked_processes(mark), *placed_processes(state.path)]
    found = [*processes, *_sockets(state), *_files(state)]
    return Check(Invariant.LEFTOVERS, 1, tuple(f"{what} is left" for what in found))


def _living(is_wanted: Callable[[psutil.Process], bool]) -> list[str]:
    others = (process for process in psutil.process_iter() if process.pid != os.getpid())
    return [f"process {one.pid} ({one.name()})" for one in others if _is_so(one, is_wanted)]


def _is_so(process: psutil.Process, is_wanted: Callable[[psutil.Process], bool]) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and is_wanted(process)
    except psutil.Error:
        return False  # it has ended, or is nobody's that we may look at


def _sockets(state: StateDir) -> Iterator[str]:
    base = str(state.path.resolve())
    for connection in psutil.net_connections(kind="unix"):
        if str(connection.laddr).startswith(base):
            yield f"socket {connection.laddr}"
    for path in state.run_path.iterdir() if state.run_path.exists() else ():
        yield f"file {path.name} in {state.run_path.name}/"


def _files(state: StateDir) -> Iterator[str]:
    if state.holder() is not None:
        yield "the lock of the state directory"
    for path in (state.node_path, state.postgres_path / "postmaster.pid"):
        if path.exists():
            yield f"file {path.name}"
    for path in state.artifacts_path.glob(f"*{UNFINISHED}"):
        yield f"file {path.relative_to(state.path)}"
