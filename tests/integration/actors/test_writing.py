"""The writer's answers: what is in the log, what was there already, and what never gets in."""

from pathlib import Path
from typing import Any, cast

import attrs

from tests.support.actor_tree import ActorTree, actor_tree
from tests.support.actors import Log
from wattswarm.actors.messages import Append, Appended, AppendRefused
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.lock import Lock
from wattswarm.kernel.signature import KeyPair
from wattswarm.store.connection import Database

WRITER_ALONE = frozenset(
    {
        "http_api",
        "config_watcher",
        "projection_builder",
        "projection_rebuilder",
        "executor_dispatcher",
    }
)


def note(node: ActorTree, number: int, *, network_id: str | None = None) -> Event:
    draft = Draft(
        kind="NOTE",
        scope="global",
        lane_class=LaneClass.MESSAGES,
        task_id=None,
        epoch=0,
        created_at=1_700_000_000_000 + number,
        payload={},
    )
    return draft.sign(network_id or node.network_id, node.key)


async def test_an_event_that_is_appended_again_keeps_its_place(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=WRITER_ALONE) as node:
        one, two = note(node, 1), note(node, 2)
        first = await node.append(one)
        again = await node.append(two, one)
        assert isinstance(first, Appended)
        assert isinstance(again, Appended)
        assert again.already == (False, True)
        assert again.seqs[1] == first.seqs[0]
        assert [row.seq for row in node.rows()] == [1, 2, 3]


async def test_a_second_value_for_a_lock_is_refused_with_everything_in_its_request(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=WRITER_ALONE) as node:
        lock = Lock("finality", b"task", b"one")
        assert isinstance(await node.append(note(node, 1), locks=[lock]), Appended)
        other = attrs.evolve(lock, value=b"other")
        refused = await node.append(note(node, 2), note(node, 3), locks=[other])
        assert isinstance(refused, AppendRefused)
        assert refused.code == "lock_held"
        assert len(node.rows()) == 2  # the genesis record and the first note


async def test_what_is_no_event_of_this_network_never_gets_in(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=WRITER_ALONE) as node:
        stranger = KeyPair.from_seed(bytes(32))
        foreign = note(node, 1, network_id=f"local:{stranger.node_id.hex()}")
        writer = node.tree.ref("sel_writer")
        for events, code in (
            ((foreign.to_wire(),), "wrong_network"),
            ((b"\x80",), "not_an_event"),
            ((note(node, 2).to_wire() + b"\x00",), "not_canonical"),
            ((), "too_large"),
        ):
            answer = await writer.ask(Append(events=events), deadline_s=10)
            assert isinstance(answer, AppendRefused)
            assert answer.code == code
        assert len(node.rows()) == 1
        assert node.crashes == []


async def test_an_event_of_its_own_key_from_elsewhere_is_an_alarm_and_ends_all_signing(
    database: Database, tmp_path: Path
) -> None:
    log = Log()
    async with actor_tree(
        database, tmp_path, without=WRITER_ALONE, logger=cast("Any", log)
    ) as node:
        assert isinstance(await node.append(note(node, 1)), Appended)
        assert isinstance(await node.append(note(node, 1), is_own=False), Appended)
        assert not alarms(log)
        assert isinstance(await node.append(note(node, 2), is_own=False), Appended)
        ((level, fields),) = alarms(log)
        assert level == "error"
        assert "wattswarm node restored" in fields["remedy"]
    async with actor_tree(
        database, tmp_path, without=WRITER_ALONE, logger=cast("Any", log)
    ) as node:
        refused = await node.append(note(node, 3))
        assert isinstance(refused, AppendRefused)
        assert (refused.code, refused.retry_after_ms) == ("signing_stopped", None)
        assert isinstance(await node.append(note(node, 1)), Appended), "it stands in the log"
        assert node.crashes == []


def alarms(log: Log) -> list[tuple[str, dict[str, Any]]]:
    return [(level, fields) for level, event, fields in log.lines if "nothing is signed" in event]
