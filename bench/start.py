"""A node started and stopped by its own commands: `wattswarm up --detach`, `wattswarm down`.

Times are those until the command returns: the node is ready, or gone. Baselines: the same done to
its database server alone.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import attrs

from bench.report import Options, Result, middle
from wattswarm.store.embedded import EmbeddedPostgres

ROUNDS: Final = 3
COMMAND_S: Final = 60


@attrs.define
class Times:
    """Seconds that each kind of start and stop took."""

    first: list[float] = attrs.field(factory=list[float])
    warm: list[float] = attrs.field(factory=list[float])
    stop: list[float] = attrs.field(factory=list[float])


def run(options: Options) -> Sequence[Result]:
    """Measure first and later starts, and stops."""
    node, server = Times(), Times()
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="wattswarm-bench-") as directory:
            _round(
                node,
                lambda: _command(directory, "up", "--detach"),
                lambda: _command(directory, "down"),
            )
        with tempfile.TemporaryDirectory(prefix="wattswarm-bench-") as directory:
            embedded = EmbeddedPostgres(Path(directory))
            _round(server, embedded.start, embedded.stop)
    return [
        _result("start_first_s", node.first, server.first),
        _result("start_warm_s", node.warm, server.warm),
        _result("stop_s", node.stop, server.stop),
    ]


def _round(times: Times, start: Callable[[], None], stop: Callable[[], None]) -> None:
    try:
        times.first.append(_seconds(start))
        times.stop.append(_seconds(stop))
        times.warm.append(_seconds(start))
    finally:
        times.stop.append(_seconds(stop))


def _command(directory: str, *words: str) -> None:
    """Run a command of the node in this directory, on any free port."""
    done = subprocess.run(
        [sys.executable, "-m", "wattswarm", "--state-dir", f"{directory}/state", *words],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=COMMAND_S,
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode(errors="replace"))


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _result(metric: str, values: Sequence[float], baseline: Sequence[float]) -> Result:
    return Result(
        metric=metric, value=middle(values), unit="s", baseline=middle(baseline), n=len(values)
    )
