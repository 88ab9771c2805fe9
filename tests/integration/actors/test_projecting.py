"""Projections: shards that share the tasks come to what one builder comes to."""

from pathlib import Path

import attrs
import pytest

from tests.support.actor_tree import ActorTree, actor_tree, until
from tests.support.board_events import SAMPLES, START_MS
from wattswarm.actors.messages import Appended, Rebuild
from wattswarm.kernel import board, contract
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.payloads.board import write
from wattswarm.store.board_reader import BoardReader
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.projection_reader import ProjectionReader

WITHOUT = frozenset({"http_api", "config_watcher", "executor_dispatcher"})
TASKS = 12


def instances(count: int) -> dict[str, str]:
    return {"ACTORS__PROJECTION_BUILDER__INSTANCES": str(count)}


async def submit_some(node: ActorTree) -> int:
    for number in range(TASKS):
        await node.submit({**contract.sample(), "name": f"task {number}"})
    head = node.rows()[-1].seq
    await node.wait_projected(head)
    return head


async def is_equal_to_rebuild(node: ActorTree) -> bool:
    rebuilt = await node.tree.ref("projection_rebuilder").ask(
        Rebuild(is_verify_only=True), deadline_s=30
    )
    assert rebuilt.is_compared
    return rebuilt.differing == ()


@pytest.mark.parametrize("count", [1, 3])
async def test_every_task_is_projected_once_whatever_the_shards(
    database: Database, tmp_path: Path, count: int
) -> None:
    async with actor_tree(database, tmp_path, without=WITHOUT, settings=instances(count)) as node:
        await submit_some(node)
        with database.connect(Purpose.READER) as connection:
            assert ProjectionReader(connection).task_counts(0) == {"open": TASKS}
        assert await is_equal_to_rebuild(node)


async def test_another_number_of_shards_goes_on_where_the_last_of_the_old_ones_was(
    database: Database, tmp_path: Path
) -> None:
    for count in (2, 3, 1):
        async with actor_tree(
            database, tmp_path, without=WITHOUT, settings=instances(count)
        ) as node:
            head = await submit_some(node)
            assert await is_equal_to_rebuild(node)
            with database.connect(Purpose.READER) as connection:
                cursors = ProjectionReader(connection).cursors()
            assert cursors == {(f"tasks/{count}", shard): head for shard in range(count)}


async def test_a_builder_goes_on_after_the_tables_were_swapped_under_it(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=WITHOUT) as node:
        await submit_some(node)
        rebuilt = await node.tree.ref("projection_rebuilder").ask(
            Rebuild(is_verify_only=False), deadline_s=30
        )
        assert rebuilt.is_swapped
        await submit_some(node)
        assert await is_equal_to_rebuild(node)
        assert node.crashes == []


async def test_an_audit_mends_rows_that_are_not_those_of_the_log(
    database: Database, tmp_path: Path
) -> None:
    settings = {"LIMITS__AUDITS_PER_HOUR": "3600"}
    async with actor_tree(database, tmp_path, without=WITHOUT, settings=settings) as node:
        task_id = await node.submit({**contract.sample(), "name": "as it was said"})
        await node.wait_projected(node.rows()[-1].seq)
        with database.connect(Purpose.PROJECTION) as connection:
            connection.execute("update tasks set name = 'forged', attempt = 9")
            connection.execute("delete from verdicts")

        def is_mended() -> bool:
            with database.connect(Purpose.READER) as reader:
                (row,) = ProjectionReader(reader).task(task_id)["tasks"]
            return "as it was said" in row

        await until(is_mended, "the rows to be mended")
        assert await is_equal_to_rebuild(node)
        assert node.crashes == []


def on_the_board(node: ActorTree) -> list[Event]:
    """Return one event of each form of the board, and one about each as if it were a task."""
    made: list[Event] = []
    for number, payload in enumerate(SAMPLES):
        draft = Draft(
            kind=payload.kind,
            scope="global",
            lane_class=board.KINDS[payload.kind].lane_class,
            task_id=None,
            epoch=0,
            created_at=START_MS + number,
            payload=write(payload),
        )
        event = draft.sign(node.network_id, node.key)
        posing = attrs.evolve(draft, task_id=event.event_id, lane_class=LaneClass.WORK)
        made += [posing.sign(node.network_id, node.key), event]
    return made


@pytest.mark.parametrize("count", [1, 3])
async def test_the_board_is_projected_once_whatever_the_shards_and_whoever_takes_it_for_a_task(
    database: Database, tmp_path: Path, count: int
) -> None:
    async with actor_tree(database, tmp_path, without=WITHOUT, settings=instances(count)) as node:
        events = on_the_board(node)
        assert isinstance(await node.append(*events), Appended)
        await node.wait_projected(node.rows()[-1].seq)
        with database.connect(Purpose.READER) as connection:
            reader = BoardReader(connection)
            assert len(reader.messages(limit=9)) == 2
            assert [each.payload.revision for each in reader.announcements(limit=9)] == [2]
            assert reader.subscriptions(limit=9) == ()
            assert len(reader.checkpoints(limit=9)) == 1
        assert await is_equal_to_rebuild(node)
        assert node.crashes == []
