"""A program in place of `wattswarm up`: it does with its directory what a node does, and no more.

Usage: detached_node.py --state-dir DIR up [--fail] [--fail-silently] [--never-ready] [--deaf]
[--tell FIFO] …
It stops on SIGTERM and, unless it is deaf, when asked over the API.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import trio

from tests.support.small_node import NOW, SmallNode
from wattswarm.api.app import ApiSettings, create_app
from wattswarm.api.endpoint import Bounds
from wattswarm.api.server import bind, serve
from wattswarm.config.check import Address
from wattswarm.config.state_dir import NodeFile, StateDir
from wattswarm.surface.node import Stopping
from wattswarm.surface.words import when


class DeafNode(SmallNode):
    """A node that answers the order to stop, and goes on."""

    async def stop(self) -> Stopping:
        """Say yes and do nothing."""
        return Stopping(pid=os.getpid(), stop_ms_max=0)


async def run(state: StateDir, words: list[str]) -> None:
    """Serve until told to stop."""
    node = DeafNode() if "--deaf" in words else SmallNode()
    node.state = "starting" if "--never-ready" in words else "ready"
    bounds = Bounds(body_bytes_max=1_000, archive_bytes_max=1_000, request_ms=1_000, page_items=5)
    app = create_app(node, ApiSettings(token=state.token(), host="127.0.0.1", bounds=bounds))
    listener = bind(Address("127.0.0.1", 0), may_move=False)
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            url: str = await nursery.start(serve, app, listener, node.stopping.wait)
            state.write_node_file(
                NodeFile(pid=os.getpid(), api_url=url, version="0", started_at=when(NOW))
            )
            nursery.start_soon(partial(_stop_on, signals, node))
            await node.stopping.wait()
            nursery.cancel_scope.deadline = trio.current_time() + 0.2
    state.remove_node_file()


async def _stop_on(signals: AsyncIterator[int], node: SmallNode) -> None:
    async for _ in signals:
        node.stopping.set()


def main(words: list[str]) -> int:
    """Hold the directory and serve."""
    state = StateDir(Path(words[words.index("--state-dir") + 1]))
    if "--fail" in words:
        sys.stderr.write("the reason\n")
        return 3
    if "--fail-silently" in words:
        return 70
    with state.hold():
        if "--tell" in words:
            Path(words[words.index("--tell") + 1]).write_bytes(b"")
        trio.run(run, state, words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
