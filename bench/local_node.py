"""A real node in this process, on a state directory that vanishes: its own workers and database."""

import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.opening import open_tree
from wattswarm.actors.runtime.tree import Tree
from wattswarm.config.load import load
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.node.tree import SEED, database, embedded, tree
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.embedded import running
from wattswarm.store.log_reader import LogReader
from wattswarm.store.migrate import migrate
from wattswarm.store.projection_reader import ProjectionReader

READY_S: Final = 60.0
LOOK_S: Final = 0.02

Before = Callable[[Database, KeyPair], None]
"""What is done to the empty tables of a node before it starts."""


@attrs.frozen
class LocalNode:
    """A node that is ready."""

    tree: Tree
    state: StateDir
    key: KeyPair
    database: Database

    @property
    def network_id(self) -> str:
        """The network of the node by itself."""
        return network_id_of(local_genesis(self.key.node_id))


@asynccontextmanager
async def local_node(
    settings: Mapping[str, object] | None = None, *, before: Before | None = None
) -> AsyncGenerator[LocalNode]:
    """Run a node with these settings (values by path) as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="wattswarm-bench-") as directory:
        state = StateDir(Path(directory) / "state")
        state.prepare()
        key = state.key()
        state.token()
        loaded = load(None, {}, {"api.listen": "127.0.0.1:0", **(settings or {})})
        place = database(loaded.config, state)
        try:
            with state.hold():
                if before is not None:
                    await trio.to_thread.run_sync(_prepare, state, place, key, before)
                async with open_tree(tree(loaded, state, key), secrets={SEED: key.seed}) as running:
                    await wait_ready(running)
                    yield LocalNode(running, state, key, place)
        finally:
            embedded(loaded.config, state).stop()


def _prepare(state: StateDir, place: Database, key: KeyPair, before: Before) -> None:
    with running(state.path):
        migrate(place)
        before(place, key)


async def wait_ready(running: Tree) -> None:
    """Return when the tree is ready."""
    with trio.fail_after(READY_S):
        await running.wait_ready()


async def wait_projected(node: LocalNode) -> None:
    """Return when the projections have reached the head of the log."""
    await trio.to_thread.run_sync(_wait_projected, node.database)


def _wait_projected(database: Database) -> None:
    with database.connect(Purpose.READER) as connection:
        head = LogReader(connection).head().seq
        while min(ProjectionReader(connection).cursors().values(), default=0) < head:
            time.sleep(LOOK_S)
