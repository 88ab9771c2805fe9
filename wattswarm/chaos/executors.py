"""The executors of a node under test: small ones, in processes that outlive the node."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import trio

from wattswarm.chaos.calls import Call, read_calls

NAMES: Final = ("a", "b", "c")
STOP_S: Final = 5.0


@attrs.frozen(kw_only=True)
class Executors:
    """Running executors: their addresses by name, and the journal of what they were asked."""

    urls: Mapping[str, str]
    journal: Path

    def calls(self) -> Sequence[Call]:
        """Return all requests so far."""
        return tuple(read_calls(self.journal))


@asynccontextmanager
async def running_executors(journal: Path) -> AsyncGenerator[Executors]:
    """Have executors for as long as the block lasts."""
    processes = [_start(name, journal) for name in NAMES]
    try:
        urls = {
            name: await trio.to_thread.run_sync(_address, process)
            for name, process in zip(NAMES, processes, strict=True)
        }
        yield Executors(urls=urls, journal=journal)
    finally:
        with trio.CancelScope(shield=True):
            for process in processes:
                process.terminate()
            for process in processes:
                await trio.to_thread.run_sync(_end, process)


def _start(name: str, journal: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "wattswarm.chaos.executor"),
            *("--name", name, "--calls", str(journal)),
        ],
        env={name: value for name, value in os.environ.items() if "WATTSWARM" not in name},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return str(json.loads(process.stdout.readline())["url"])


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
