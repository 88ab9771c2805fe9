"""What a node leaves behind when it has ended: processes, sockets, locks, files of the moment.

Every process of a node under test carries a mark in its environment; its database server, which is
given none, is known by its working directory.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from wattswarm.chaos.invariants import Check, Invariant
from wattswarm.config.state_dir import StateDir
from wattswarm.store.artifacts import UNFINISHED

MARK: Final = "WATTSWARM_CHAOS_MARK"
"""The variable that tells the processes of one node under test from all others."""


def marked_processes(mark: str, state_dir: Path) -> list[str]:
    """Return the processes of a node that are alive, in words; this one is not among them."""
    return [
        f"process {process.pid} ({process.name()})"
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _belongs(process, mark, state_dir.resolve())
    ]


def check_leftovers(state: StateDir, mark: str) -> Check:
    """I9: of a node that has ended nothing is left but what the next start needs."""
    found = [*marked_processes(mark, state.path), *_sockets(state), *_files(state)]
    return Check(Invariant.LEFTOVERS, 1, tuple(f"{what} is left" for what in found))


def _belongs(process: psutil.Process, mark: str, state_dir: Path) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.environ().get(MARK) == mark:
            return True
        return Path(process.cwd()).is_relative_to(state_dir)
    except psutil.Error:
        return False


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
