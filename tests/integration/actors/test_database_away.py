"""A database that goes away is a state: actors wait for it, and do not count it as a crash."""

from pathlib import Path

import pytest

from tests.integration.actors.test_dispatching import TERMS, Worker, node_with
from tests.support.actor_tree import ActorTree, until
from wattswarm.store.connection import Database, Purpose


def end_sessions(database: Database) -> None:
    """End every session of the database, as its restart does."""
    with database.connect(Purpose.OWNER) as connection:
        connection.execute(
            b"select pg_terminate_backend(pid, 3000) from pg_stat_activity"
            b" where datname = current_database() and pid <> pg_backend_pid()"
        )


async def _task_after_task(node: ActorTree, database: Database) -> None:
    for _ in range(8):
        task_id = await node.submit(TERMS)
        end_sessions(database)
        await node.wait_final(task_id)


@pytest.mark.parametrize("settings", [{}, {"INGEST__ENABLED": "true"}])
async def test_tasks_go_on_when_all_sessions_end_again_and_again(
    database: Database, tmp_path: Path, settings: dict[str, str]
) -> None:
    async with node_with(Worker(), database, tmp_path, settings=settings) as node:
        await _task_after_task(node, database)
        assert node.crashes == []
        await until(lambda: _all_ready(node) or None, "nobody waits any more")


def _all_ready(node: ActorTree) -> bool:
    actors = [actor for group in node.tree.describe().groups for actor in group.actors]
    return {actor.state for actor in actors} <= {"ready", "stopped"}
