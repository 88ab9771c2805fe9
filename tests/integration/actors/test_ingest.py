"""The gate for events of others: only what is authentic gets into the log."""

import time
from pathlib import Path

import attrs
import trio

from tests.support.actor_tree import ActorTree, actor_tree, until
from tests.support.board_events import SAMPLES
from wattswarm.actors.messages import Append, Ingest, Ingested
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import draft_admission
from wattswarm.kernel.payloads.board import write
from wattswarm.kernel.signature import KeyPair
from wattswarm.store.connection import Database

LEFT_OUT = frozenset(
    {"http_api", "config_watcher", "projection_builder", "projection_rebuilder"}
    | {"executor_dispatcher"}
)
WITH_INGEST = {"INGEST__ENABLED": "true"}
GUEST = KeyPair.from_seed(b"g" * 32)


def said(node: ActorTree, key: KeyPair, *, ahead_ms: int = 0, number: int = 0) -> Event:
    draft = Draft(
        kind="NOTE",
        scope="global",
        lane_class=LaneClass.MESSAGES,
        task_id=None,
        epoch=0,
        created_at=time.time_ns() // 1_000_000 + ahead_ms,
        payload={"number": number},
    )
    return draft.sign(node.network_id, key)


async def ingest(node: ActorTree, *wires: bytes) -> Ingested:
    return await node.tree.ref("verifier").ask(Ingest(events=wires), deadline_s=20)


async def test_a_stranger_is_refused_until_a_finalizer_admits_it(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=LEFT_OUT, settings=WITH_INGEST) as node:
        word = said(node, GUEST).to_wire()
        assert [each.code for each in (await ingest(node, word)).refused] == ["not_admitted"]
        admission = draft_admission(GUEST.node_id, 1).sign(node.network_id, node.key).to_wire()
        answer = await ingest(node, word, admission)  # in any order, in one request
        assert (answer.accepted, answer.refused) == (2, ())
        assert (await ingest(node, word)).already == 1


async def test_requests_side_by_side_know_an_admission_that_is_in_the_log(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=LEFT_OUT, settings=WITH_INGEST) as node:
        admission = draft_admission(GUEST.node_id, 1).sign(node.network_id, node.key).to_wire()
        await node.tree.ref("sel_writer").ask(Append(events=(admission,)), deadline_s=20)
        answers: list[Ingested] = []

        async def send(number: int) -> None:
            answers.append(await ingest(node, said(node, GUEST, number=number).to_wire()))

        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(send, number)
        assert [answer.accepted for answer in answers] == [1] * 8


async def test_a_broken_signature_and_broken_bytes_are_refused_by_themselves(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=LEFT_OUT, settings=WITH_INGEST) as node:
        good = said(node, node.key)
        forged = attrs.evolve(good, signature=bytes(64))
        answer = await ingest(node, forged.to_wire(), b"no event", good.to_wire())
        assert answer.accepted == 1
        assert [(each.index, each.code) for each in answer.refused] == [
            (0, "bad_signature"),
            (1, "not_cbor"),
        ]


async def test_an_event_from_the_future_waits_or_is_refused(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=LEFT_OUT, settings=WITH_INGEST) as node:
        soon = said(node, node.key, ahead_ms=3_400)
        far = said(node, node.key, ahead_ms=3_600_000)
        answer = await ingest(node, soon.to_wire(), far.to_wire())
        assert answer.parked == 1
        assert [each.code for each in answer.refused] == ["from_the_future"]
        await until(
            lambda: any(row.event_id == soon.event_id for row in node.rows()) or None,
            "the parked event is in the log",
        )


async def test_one_author_leaves_room_for_what_others_say_too_early(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=LEFT_OUT, settings=WITH_INGEST) as node:
        admission = draft_admission(GUEST.node_id, 1).sign(node.network_id, node.key).to_wire()
        early = [said(node, GUEST, ahead_ms=300_000, number=each).to_wire() for each in range(200)]
        answer = await ingest(node, admission, *early)
        assert (answer.accepted, answer.parked, len(answer.refused)) == (1, 128, 72)
        assert (await ingest(node, *early)).parked == 128, "they are known already"
        assert (await ingest(node, said(node, node.key, ahead_ms=300_000).to_wire())).parked == 1


async def test_the_board_of_others_is_taken_in_whatever_it_says(
    database: Database, tmp_path: Path
) -> None:
    async with actor_tree(database, tmp_path, without=LEFT_OUT, settings=WITH_INGEST) as node:
        wires = [
            Draft(
                kind=payload.kind,
                scope="group:x",
                lane_class=lane_class,
                task_id=None,
                epoch=0,
                created_at=time.time_ns() // 1_000_000,
                payload=fields,
            )
            .sign(node.network_id, node.key)
            .to_wire()
            for payload in SAMPLES
            for lane_class in LaneClass
            for fields in ({"revision": 1}, write(payload))
        ]
        answer = await ingest(node, *set(wires))
        assert (answer.accepted, answer.refused) == (len(set(wires)), ())
