"""The actors of a node in a small tree: the real specification, without the HTTP API.

The tree runs on a database of the test's own, in process or in workers, and every message takes the
way through bytes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Collection, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import attrs
import trio

from wattswarm.actors.messages import Append, Appended, AppendRefused
from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.exit import CrashReport, DeadLetter
from wattswarm.actors.runtime.opening import open_tree
from wattswarm.actors.runtime.spec import ChildSpec, TreeSpec
from wattswarm.actors.runtime.tree import Tree
from wattswarm.config.load import load
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel import decide
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import Seq, TaskId
from wattswarm.kernel.lock import Lock
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import derive
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.node.tree import SEED, tree
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import LogRow
from wattswarm.store.projection_reader import ProjectionReader

LEFT_OUT = frozenset({"http_api", "config_watcher"})
PATIENCE_S = 30.0


@attrs.define(kw_only=True)
class ActorTree:
    """A running tree, and short ways to use it."""

    tree: Tree
    database: Database
    key: KeyPair
    crashes: list[CrashReport]
    letters: list[DeadLetter]

    @property
    def network_id(self) -> str:
        """The network of the tree's node."""
        return network_id_of(local_genesis(self.key.node_id))

    async def append(
        self, *events: Event, locks: Sequence[Lock] = (), is_own: bool = True
    ) -> Appended | AppendRefused:
        """Ask the writer to append events."""
        wires = tuple(event.to_wire() for event in events)
        request = Append(events=wires, locks=tuple(locks), is_own=is_own)
        return await self.tree.ref("sel_writer").ask(request, deadline_s=PATIENCE_S)

    async def submit(self, document: Mapping[str, object]) -> TaskId:
        """Have a task with this contract in the log."""
        draft = decide.create_task(
            document,
            governance=self.governance(),
            network_id=self.network_id,
            key_node=self.key.node_id,
            now_ms=time.time_ns() // 1_000_000,
        )
        assert not isinstance(draft, Rejection), draft
        event = draft.sign(self.network_id, self.key)
        assert isinstance(await self.append(event), Appended)
        return event.event_id

    def rows(self, after: int = 0) -> tuple[LogRow, ...]:
        """Return the rows of the log."""
        with self.database.connect(Purpose.READER) as connection:
            return LogReader(connection).read(Seq(after), limit=4_096)

    def governance(self) -> Governance:
        """Return governance as the log tells it."""
        made = Governance(self.network_id)
        for row in self.rows():
            if row.lane_class == "control":
                made.add(row.event())
        return made

    def state(self, task_id: TaskId) -> TaskState:
        """Return a task as derived from the log."""
        events = [row.event() for row in self.rows() if row.task_id == task_id]
        return derive(task_id, events, self.governance())

    async def wait_final(self, task_id: TaskId) -> TaskState:
        """Return a task once it is final."""
        return await until(lambda: _final(self.state(task_id)), "the task is final")

    async def wait_projected(self, seq: int) -> None:
        """Return once every projection has derived up to `seq`."""
        await until(lambda: self._projected() >= seq or None, f"projections are at {seq}")

    def _projected(self) -> int:
        with self.database.connect(Purpose.READER) as connection:
            return min(ProjectionReader(connection).cursors().values(), default=0)


def _final(state: TaskState) -> TaskState | None:
    return state if state.label is not None and state.outcome(state.label) is not None else None


async def until(look: Any, what: str) -> Any:
    """Return what `look` gives as soon as it gives something; fail when it never does."""
    with trio.move_on_after(PATIENCE_S):
        while True:
            found = await trio.to_thread.run_sync(look)
            if found is not None:
                return found
            await trio.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE_S} s: {what}")


@asynccontextmanager
async def actor_tree(
    database: Database,
    folder: Path,
    *,
    is_compact: bool = True,
    without: Collection[str] = LEFT_OUT,
    settings: Mapping[str, object] | None = None,
    chaos: bool = False,
    logger: Logger | None = None,
) -> AsyncGenerator[ActorTree]:
    """Run the actors of a node on a database; they are ready inside the block."""
    state = StateDir(folder / "node")
    state.prepare()
    environment = {
        **os.environ,
        "WATTSWARM_NODE__PROFILE": "test",
        "WATTSWARM_PG_URL": database.dsn,
        "WATTSWARM_PG_SCHEMA": database.schema,
        **{f"WATTSWARM_{name}": str(value) for name, value in (settings or {}).items()},
    }
    key = state.key()
    spec = tree(load(state.config_path, environment), state, key)
    spec = _without(spec.compact() if is_compact else spec, set(without))
    crashes: list[CrashReport] = []
    letters: list[DeadLetter] = []
    async with open_tree(
        spec,
        secrets={SEED: key.seed},
        wire=True,
        chaos_enabled=chaos,
        logger=logger,
        on_crash=crashes.append,
        on_dead_letter=letters.append,
    ) as running:
        with trio.fail_after(PATIENCE_S):
            await running.wait_ready()
        yield ActorTree(tree=running, database=database, key=key, crashes=crashes, letters=letters)


def _without(spec: TreeSpec, names: set[str]) -> TreeSpec:
    groups = [
        attrs.evolve(
            group,
            children=tuple(_cut(child, names) for child in group.children if child.id not in names),
        )
        for group in spec.groups
    ]
    return attrs.evolve(
        spec, groups=tuple(group for group in groups if group.children), spare=False
    )


def _cut(child: ChildSpec, names: set[str]) -> ChildSpec:
    """Return a child that does not know of those that are left out."""
    lists = {
        name: tuple(each for each in cast("tuple[str, ...]", child.args[name]) if each not in names)
        for name in ("readers", "listeners")
        if name in child.args
    }
    return attrs.evolve(
        child,
        args={**child.args, **lists},
        talks_to=tuple(name for name in child.talks_to if name not in names),
        asks=tuple(name for name in child.asks if name not in names),
    )


@contextmanager
def reference_executor(name: str, profile: str) -> Generator[str]:
    """Run a reference executor as a process of its own; the block has its URL."""
    command = [sys.executable, "-m", "wattswarm.executors", "reference"]
    options = ["--listen", "127.0.0.1:0", "--profiles", profile, "--name", name]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)
