"""Executors as processes of their own, for as long as a demonstration lasts."""

import json
import select
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import attrs

from wattswarm.cli.failure import Failure

START_S: Final = 20.0
STOP_S: Final = 5.0
TAIL_CHARS: Final = 500


@attrs.frozen
class Started:
    """An executor that listens."""

    name: str
    profile: str
    url: str
    pid: int


@contextmanager
def executors(wanted: Sequence[tuple[str, str]], directory: Path) -> Generator[tuple[Started, ...]]:
    """Run reference executors, given by name and profile; they are gone when this ends.

    Raises:
        Failure: One does not come up.
    """
    with ExitStack() as stack:
        children = [
            (name, profile, stack.enter_context(_process(name, profile, directory)))
            for name, profile in wanted
        ]
        yield tuple(
            Started(name, profile, _address(name, child, directory), child.pid)
            for name, profile, child in children
        )


@contextmanager
def _process(name: str, profile: str, directory: Path) -> Generator[subprocess.Popen[bytes]]:
    options = ["--listen", "127.0.0.1:0", "--name", name, "--profiles", profile]
    with (directory / f"executor-{name}.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "wattswarm.executors", "reference", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _address(name: str, child: subprocess.Popen[bytes], directory: Path) -> str:
    """Return where an executor says that it listens: its first line."""
    assert child.stdout is not None
    is_there, _, _ = select.select([child.stdout], [], [], START_S)
    line = child.stdout.readline() if is_there else b""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError, TypeError) as error:
        told = (directory / f"executor-{name}.log").read_text(errors="replace")[-TAIL_CHARS:]
        raise Failure(
            code="not_started", message=f"executor {name} does not come up: {told.strip()}"
        ) from error
