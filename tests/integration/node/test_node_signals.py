"""Signals to a real node: none of them ends it anywhere but where it may end."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from wattswarm.store.connection import Database

PATIENCE_S = 40.0
AGAIN_S = 0.1
COMMAND = [sys.executable, "-c", "from wattswarm.cli.main import main; main()"]

pytestmark = pytest.mark.timeout(PATIENCE_S)

Node = subprocess.Popen[bytes]


@contextmanager
def running_node(database: Database, folder: Path) -> Generator[Node]:
    """Run a node as a process of its own; it is ready inside the block."""
    environment = {
        **os.environ,
        "WATTSWARM_NODE__PROFILE": "test",
        "WATTSWARM_API__LISTEN": "127.0.0.1:0",
        "WATTSWARM_PG_URL": database.dsn,
        "WATTSWARM_PG_SCHEMA": database.schema,
    }
    command = [*COMMAND, "--state-dir", str(folder / "node"), "up"]
    node = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, bufsize=0)
    with node:
        try:
            wait_told(node, "ready")
            yield node
        finally:
            node.kill()


def next_event(node: Node) -> bytes:
    """Return the next line that the node logs."""
    assert node.stderr is not None
    line = node.stderr.readline()
    assert line, "the node ended"
    return line


def wait_told(node: Node, event: str) -> None:
    """Return when the node logs an event."""
    while f'"event": "{event}"'.encode() not in next_event(node):
        pass


def order_until_told(node: Node, number: signal.Signals, event: str) -> None:
    """Give an order again until the node logs an event: orders close together are one to it."""
    while True:
        node.send_signal(number)
        while select.select([node.stderr], [], [], AGAIN_S)[0]:
            if f'"event": "{event}"'.encode() in next_event(node):
                return


def stopped_worker(node: Node) -> psutil.Process:
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
        wait_told(node, "stopping")
        for number in (signal.SIGHUP, signal.SIGUSR1):
            node.send_signal(number)
        assert ended(node, worker, tmp_path) == 0


def test_a_second_order_to_stop_is_carried_out_at_once_and_leaves_nothing(
    database: Database, tmp_path: Path
) -> None:
    with running_node(database, tmp_path) as node:
        worker = stopped_worker(node)
        node.send_signal(signal.SIGTERM)
        wait_told(node, "stopping")
        order_until_told(node, signal.SIGTERM, "stopping at once")
        assert ended(node, worker, tmp_path) == 0


def ended(node: Node, worker: psutil.Process, folder: Path) -> int:
    """Return how the node ended; nothing of it is left."""
    node.communicate()
    assert not worker.is_running()
    assert not (folder / "node" / "node.json").exists()
    return node.returncode
