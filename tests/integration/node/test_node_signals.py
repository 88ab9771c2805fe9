"""Signals to a real node: none of them ends it anywhere but where it may end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

from wattswarm.store.connection import Database

PATIENCE_S = 40.0
COMMAND = [sys.executable, "-c", "from wattswarm.cli.main import main; main()"]


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up, what
        time.sleep(0.02)


@contextmanager
def running_node(database: Database, folder: Path) -> Generator["subprocess.Popen[bytes]"]:
    """Run a node as a process of its own; it is ready inside the block."""
    environment = {
        **os.environ,
        "WATTSWARM_NODE__PROFILE": "test",
        "WATTSWARM_API__LISTEN": "127.0.0.1:0",
        "WATTSWARM_PG_URL": database.dsn,
        "WATTSWARM_PG_SCHEMA": database.schema,
    }
    log = folder / "log"
    with log.open("wb") as sink:
        node = subprocess.Popen(
            [*COMMAND, "--state-dir", str(folder / "node"), "up"], env=environment, stderr=sink
        )
    try:
        wait_until(lambda: b'"ready"' in log.read_bytes(), "the node is ready")
        yield node
    finally:
        node.kill()
        node.wait(PATIENCE_S)


def stopped_worker(node: "subprocess.Popen[bytes]") -> psutil.Process:
    """Return a worker of the node that hangs from now on, so that stopping takes long."""
    worker = psutil.Process(node.pid).children()[0]
    worker.suspend()
    return worker


def test_signals_of_other_kinds_do_not_end_a_node_that_stops(
    database: Database, tmp_path: Path
) -> None:
    with running_node(database, tmp_path) as node:
        worker = stopped_worker(node)
        node.send_signal(signal.SIGTERM)
        wait_until(lambda: b'"stopping"' in (tmp_path / "log").read_bytes(), "it stops")
        for number in (signal.SIGHUP, signal.SIGUSR1):
            node.send_signal(number)
        assert node.wait(PATIENCE_S) == 0
        assert not worker.is_running()
        assert not (tmp_path / "node" / "node.json").exists()


def test_a_second_order_to_stop_is_carried_out_at_once_and_leaves_nothing(
    database: Database, tmp_path: Path
) -> None:
    with running_node(database, tmp_path) as node:
        worker = stopped_worker(node)
        node.send_signal(signal.SIGTERM)
        wait_until(lambda: b'"stopping"' in (tmp_path / "log").read_bytes(), "it stops")
        time.sleep(0.6)  # signals that come closer together are one
        node.send_signal(signal.SIGTERM)
        assert node.wait(PATIENCE_S) == 0
        assert b"stopping at once" in (tmp_path / "log").read_bytes()
        assert not worker.is_running()
        assert not (tmp_path / "node" / "node.json").exists()
