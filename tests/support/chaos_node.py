"""A real node for tests that do bad things to it, with executors and without."""

import secrets
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from wattswarm.chaos.subject import API, Answer, Node, Unreachable
from wattswarm.chaos.waiting import is_soon
from wattswarm.config.state_dir import StateDir
from wattswarm.store.embedded import EmbeddedPostgres
from wattswarm.store.postmaster import StopMode

CONTRACT: Mapping[str, object] = {
    "name": "count words",
    "task_type": "count",
    "inputs": {"text": "one two three"},
    "output_schema": {"type": "object", "required": ["answer"]},
    "expires_in_ms": 600_000,
}
ON_A_SMALL_DISK = """mount -t tmpfs -o size="$1"m,mode=700 tmpfs "$2"
exec "$3" -m wattswarm --state-dir "$2" up
"""
"""A node in a mount namespace of its own, whose state directory is a disk of so many MiB."""


@asynccontextmanager
async def chaos_node(
    folder: Path, settings: Mapping[str, int | str] | None = None
) -> AsyncGenerator[Node]:
    """Have a node that is not started yet; after the block nothing of it is left."""
    state = StateDir(folder / "node")
    state.prepare()
    node = Node(
        state=state,
        mark=f"test-{secrets.token_hex(8)}",
        journal=folder / "node.log",
        settings=settings or {},
    )
    try:
        yield node
    finally:
        await node.close()
        server = EmbeddedPostgres(state.path, fsync=False)
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(server.stop, StopMode.IMMEDIATE)


@asynccontextmanager
async def node_on_a_small_disk(folder: Path, size_mib: int) -> AsyncGenerator[tuple[Node, Path]]:
    """Have a running node and, as seen from here, its state directory on a disk of that size."""
    place = folder / "disk"
    place.mkdir(mode=0o700)
    command = (
        *("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", ON_A_SMALL_DISK, "sh"),
        *(str(size_mib), str(place), sys.executable),
    )
    node = Node(
        state=StateDir(place), mark=f"test-{secrets.token_hex(8)}", journal=folder / "node.log"
    )
    try:
        node.launch(command)
        seen = Path(f"/proc/{node.pid}/root{place}")
        node.state = StateDir(seen)
        await node.wait_ready()
        yield node, seen
        await node.stop()
    finally:
        await node.close()


async def submit(node: Node, key: str) -> Answer:
    """Return what the node says to a task, as soon as it says anything."""
    answers: list[Answer] = []

    async def is_answered() -> bool:
        try:
            body = {"contract": dict(CONTRACT)}
            answers.append(await node.call("POST", f"{API}/tasks", body=body, key=key))
        except Unreachable:
            return False
        return True

    assert await is_soon(is_answered, 30.0), node.last_words()
    return answers[0]
