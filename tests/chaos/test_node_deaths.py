"""Nodes that die, nodes that meet, and what neither may do to the other."""

import signal
import sys
from pathlib import Path

import psutil
import pytest
import trio

from tests.support.chaos_node import chaos_node, submit
from wattswarm.chaos.leftovers import check_leftovers, placed_processes
from wattswarm.chaos.subject import API, UP, Node
from wattswarm.chaos.waiting import is_soon
from wattswarm.store.embedded import running
from wattswarm.store.postmaster import find

pytestmark = pytest.mark.timeout(240)


async def _head(node: Node) -> int:
    return int((await node.call("GET", f"{API}/log/head")).document["seq"])


async def test_a_killed_node_leaves_only_its_database_and_the_next_attaches_to_it(
    tmp_path: Path,
) -> None:
    async with chaos_node(tmp_path) as node:
        await node.start()
        told = await submit(node, "one")
        server = find(node.state.postgres_path)
        assert server is not None
        await node.kill()
        assert node.orphans == []
        assert placed_processes(node.state.path), "the database goes on"
        await node.start()
        attached = find(node.state.postgres_path)
        assert attached is not None
        assert attached.pid == server.pid, "a living server is attached to, not replaced"
        again = await submit(node, "one")
        assert again.document["task_id"] == told.document["task_id"]
        assert again.document["already"]
        assert await node.stop() == 0
        assert check_leftovers(node.state, node.mark).violations == ()


async def test_a_node_killed_with_its_database_cleans_up_and_recovers(tmp_path: Path) -> None:
    async with chaos_node(tmp_path) as node:
        await node.start()
        told = await submit(node, "one")
        server = find(node.state.postgres_path)
        assert server is not None
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
        for process in processes:
            process.kill()
        await node.kill()
        psutil.wait_procs(processes, timeout=10)
        assert (node.state.postgres_path / "postmaster.pid").exists(), "a killed server leaves it"
        await node.start()
        again = await submit(node, "one")
        assert again.document["seq"] == told.document["seq"]
        assert await node.stop() == 0
        assert check_leftovers(node.state, node.mark).violations == ()


async def test_a_second_node_on_the_same_directory_is_refused_and_does_no_harm(
    tmp_path: Path,
) -> None:
    async with chaos_node(tmp_path) as node:
        await node.start()
        before = await _head(node)
        with trio.fail_after(30):
            second = await trio.run_process(
                [sys.executable, *UP, str(node.state.path), "up"],
                env=node.environ(),
                capture_stderr=True,
                check=False,
            )
        told = second.stderr.decode()
        assert second.returncode not in (0, -signal.SIGKILL), told
        assert str(node.pid) in told, "it says who holds the directory"
        assert (await submit(node, "one")).is_ok
        assert await _head(node) > before
        assert await node.stop() == 0


async def test_nodes_with_schemas_of_their_own_share_a_database_without_meeting(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "shared", fsync=False) as server:
        shared = {"STORE__PG_URL": server.dsn}
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        async with (
            chaos_node(tmp_path / "a", {**shared, "STORE__PG_SCHEMA": "one"}) as one,
            chaos_node(tmp_path / "b", {**shared, "STORE__PG_SCHEMA": "two"}) as two,
        ):
            await one.start()
            await two.start()
            quiet = await _head(two)
            told = await submit(one, "of-one")
            assert told.is_ok
            missing = await two.call("GET", f"{API}/tasks/{told.document['task_id']}")
            assert missing.status == 404
            assert await _head(two) == quiet
            await one.kill()
            assert (await submit(two, "of-two")).is_ok, "the other's death is no concern of it"
            await one.start()
            again = await submit(one, "of-one")
            assert again.document["already"]
            assert await one.stop() == 0
            assert await two.stop() == 0


async def test_a_schema_that_holds_the_log_of_another_node_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "shared", fsync=False) as server:
        settings = {"STORE__PG_URL": server.dsn, "STORE__PG_SCHEMA": "one"}
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        async with chaos_node(tmp_path / "a", settings) as one:
            await one.start()
            head = await _head(one)
            async with chaos_node(tmp_path / "b", settings) as other:
                other.launch()

                async def says_why() -> bool:
                    return "holds the log of" in other.last_words()

                assert await is_soon(says_why, 30.0), other.last_words()
            assert await _head(one) == head
            assert await one.stop() == 0
