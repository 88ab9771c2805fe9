"""The log as a client of the API meets it: read, checked, rebuilt, brought in."""

from pathlib import Path

import httpx2
import trio

from tests.support.api_node import ApiNode, api_node
from wattswarm.kernel.archive import MEDIA_TYPE, archive, read
from wattswarm.kernel.event import Draft, LaneClass, decode
from wattswarm.kernel.signature import KeyPair
from wattswarm.store.connection import Database


async def test_the_log_is_read_in_pages(node: ApiNode) -> None:
    made = [await node.submit() for _ in range(4)]
    page = await node.get("/log/events", limit=3)
    rest = await node.get("/log/events", after=page["next_after"], limit=10)
    seqs = [event["seq"] for event in (*page["items"], *rest["items"])]
    assert seqs == list(range(1, made[-1]["seq"] + 1))
    assert rest["next_after"] is None
    assert rest["head_seq"] == made[-1]["seq"]


async def test_an_event_is_found_by_id_by_prefix_and_by_seq(node: ApiNode) -> None:
    made = await node.submit()
    by_seq = await node.get(f"/log/events/{made['seq']}")
    assert await node.get(f"/log/events/{made['task_id']}") == by_seq
    assert await node.get(f"/log/events/{made['task_id'][:16]}") == by_seq
    assert (await node.refusal("GET", "/log/events/999999"))["code"] == "not_found"


async def test_an_event_is_shown_with_what_became_of_it(node: ApiNode) -> None:
    made = await node.submit()
    created = await node.get(f"/log/events/{made['task_id']}")
    assert (created["verdict"], created["code"]) == ("effective", None)
    genesis = await node.get("/log/events/1")
    assert genesis["event_kind"] == "GOVERNANCE_UPDATED"
    assert genesis["verdict"] == "effective"
    said = await node.post("/topics/messages", {"feed_key": "news", "text": "hello"})
    message = await node.get(f"/log/events/{said['event_id']}")
    assert message["sentence"].endswith("is effective.")
    (listed, *_) = (await node.get("/log/events", limit=1))["items"]
    assert listed["verdict"] is None


async def test_a_sound_log_verifies_and_a_rebuild_equals_what_stands(node: ApiNode) -> None:
    made = await node.submit()
    digests = await node.get("/log/digest", min_seq=made["seq"])
    verified = await node.post("/log/verify")
    assert (verified["ok"], verified["events"]) == (True, made["seq"])
    replayed = await node.post("/log/replay", {"verify": True})
    assert (replayed["verified"], replayed["equal"]) == (True, True)
    assert replayed["digest"] == digests["digest"]
    swapped = await node.post("/log/replay")
    assert swapped["digest"] == digests["digest"]
    assert (await node.get("/log/digest"))["scopes"] == digests["scopes"]


async def test_the_head_tells_how_far_the_projections_are(node: ApiNode) -> None:
    made = await node.submit()
    await node.get("/tasks", min_seq=made["seq"])
    head = await node.get("/log/head")
    assert head["seq"] == head["projected_seq"] == made["seq"]
    assert head["writer_term"] == 1


async def test_what_is_not_there_yet_is_not_waited_for_without_end(node: ApiNode) -> None:
    problem = await node.refusal("GET", "/tasks", params={"min_seq": 1_000})
    assert problem["code"] == "not_caught_up"


async def test_archives_are_refused_unless_they_are_asked_for(node: ApiNode) -> None:
    problem = await node.refusal("POST", "/events", content=b"\x82")
    assert problem["code"] == "ingest_disabled"


def _foreign(network_id: str, key: KeyPair, number: int, size: int = 0) -> bytes:
    draft = Draft(
        kind="UNKNOWN_THING",
        scope="global",
        lane_class=LaneClass.WORK,
        task_id=None,
        epoch=0,
        created_at=1_700_000_000_000 + number,
        payload={"number": number, "filling": bytes(size)},
    )
    return draft.sign(network_id, key).to_wire()


async def test_an_archive_is_taken_event_by_event(database: Database, tmp_path: Path) -> None:
    async with api_node(database, tmp_path, settings={"INGEST__ENABLED": "true"}) as node:
        inside = node.inside
        own = [_foreign(inside.network_id, inside.key, number) for number in range(700)]
        stranger = KeyPair.from_seed(b"\x09" * 32)
        wires = [*own, _foreign(inside.network_id, stranger, 0), own[0]]
        content = archive(inside.network_id, wires)
        answer = await node.client.post("/api/v1/events", content=content)
        found = answer.json()
        assert answer.status_code == 200, found
        assert found["received"] == 702
        assert (found["appended"], found["already"], found["refused"]) == (700, 1, 1)
        assert found["refusals"] == {"not_admitted": 1}
        again = (await node.client.post("/api/v1/events", content=content)).json()
        assert (again["appended"], again["already"]) == (0, 701)
        cut = await node.refusal("POST", "/events", content=content[:-1])
        assert (cut["code"], cut["rule"]) == ("malformed", "truncated")
        other = await node.refusal("POST", "/events", content=archive("local:other", wires))
        assert other["code"] == "wrong_network"


async def test_a_changed_event_is_refused_and_the_rest_is_taken(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path, settings={"INGEST__ENABLED": "true"}) as node:
        inside = node.inside
        wires = [_foreign(inside.network_id, inside.key, number) for number in range(5)]
        content = bytearray(archive(inside.network_id, wires))
        content[content.index(wires[2]) + len(wires[2]) - 1] ^= 1
        found = (await node.client.post("/api/v1/events", content=bytes(content))).json()
        assert (found["appended"], found["refusals"]) == (4, {"bad_signature": 1})
        assert found["intact"] is False


async def test_the_log_is_exported_whole_or_in_part(node: ApiNode) -> None:
    made = [await node.submit() for _ in range(3)]
    events, whole = read(await _exported(node))
    assert (whole.events, whole.is_intact) == (made[-1]["seq"], True)
    assert whole.network_id == node.inside.network_id
    genesis, *created = [decode(wire).event_id.hex() for wire in events]
    assert created == [task["task_id"] for task in made]
    assert await _names(node, after=made[0]["seq"]) == created[1:]
    assert await _names(node, up_to=made[0]["seq"]) == [genesis, created[0]]
    assert await _names(node, task=created[1]) == [genesis, created[1]]
    assert await _names(node, scope="node:nobody") == [genesis]
    assert await _names(node, after=1_000) == []


async def test_a_client_may_leave_in_the_middle_of_an_archive(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path, settings={"INGEST__ENABLED": "true"}) as node:
        inside = node.inside
        wires = [_foreign(inside.network_id, inside.key, at, 30_000) for at in range(300)]
        content = archive(inside.network_id, wires)
        assert (await node.client.post("/api/v1/events", content=content)).is_success
        await trio.to_thread.run_sync(_begin_to_read, node)
        events, whole = read(await _exported(node))
        assert (len(events), whole.is_intact) == (301, True)


def _begin_to_read(node: ApiNode) -> None:
    url = f"{node.client.base_url}/api/v1/log/archive"
    with httpx2.stream("GET", url, headers=node.client.headers) as answer:
        assert next(answer.iter_raw())


async def test_a_part_that_makes_no_sense_is_refused(node: ApiNode) -> None:
    both = await node.refusal("GET", "/log/archive", params={"scope": "global", "task": "ab"})
    assert both["code"] == "bad_parameter"
    unknown = await node.refusal("GET", "/log/archive", params={"task": "ab"})
    assert unknown["code"] == "not_found"


async def _exported(node: ApiNode, **query: str | int) -> bytes:
    answer = await node.client.get("/api/v1/log/archive", params=query)
    assert answer.headers["content-type"] == MEDIA_TYPE
    return answer.content


async def _names(node: ApiNode, **query: str | int) -> list[str]:
    events, _ = read(await _exported(node, **query))
    return [decode(wire).event_id.hex() for wire in events]
