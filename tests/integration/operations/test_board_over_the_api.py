"""Topics, announcements, execution sets and checkpoints over the API of a whole node."""

from typing import Any, Final

from tests.support.api_node import ApiNode
from wattswarm.actors.messages import Append, Rebuild
from wattswarm.kernel import canonical
from wattswarm.kernel.event import Draft, LaneClass
from wattswarm.store.connection import Purpose
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_verify import verify_log

LONG = "the whole story, and more of it. " * 100
NOWHERE = "ab" * 32


async def post(node: ApiNode, text: str, **order: str) -> Any:
    return await node.post("/topics/messages", {"feed_key": "news", "text": text, **order})


async def listed(node: ApiNode, seq: int, **query: str | int) -> Any:
    return await node.get("/topics/messages", min_seq=seq, **query)


async def is_equal_to_rebuild(node: ApiNode) -> bool:
    rebuilt = await node.inside.tree.ref("projection_rebuilder").ask(
        Rebuild(is_verify_only=True), deadline_s=30
    )
    assert rebuilt.is_compared
    return rebuilt.differing == ()


async def test_a_message_is_posted_listed_answered_and_shown(node: ApiNode) -> None:
    first = await post(node, "hello")
    assert (first["already"], first["scope"]) == (False, "global")
    answer = await post(node, "hello yourself", reply_to=first["event_id"][:12], scope="group:x")
    page = await listed(node, answer["seq"])
    assert [item["text"] for item in page["items"]] == ["hello yourself", "hello"]
    assert page["items"][0]["reply_to"] == first["event_id"]
    assert page["items"][0]["created_at"] > page["items"][1]["created_at"]
    only = await listed(node, answer["seq"], scope="group:x")
    assert [item["message_id"] for item in only["items"]] == [answer["event_id"]]
    shown = await node.get(f"/topics/messages/{answer['event_id'][:10]}")
    assert (shown["text"], shown["body"]) == ("hello yourself", None)
    assert await is_equal_to_rebuild(node)


async def test_equal_messages_are_two_and_pages_hold_all_of_them(node: ApiNode) -> None:
    posted = [(await post(node, "again"))["event_id"] for _ in range(5)]
    last = await post(node, "last")
    found: list[str] = []
    query: dict[str, str | int] = {"limit": 2}
    while True:
        page = await listed(node, last["seq"], feed_key="news", **query)
        found += [item["message_id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == [last["event_id"], *reversed(posted)]


async def test_a_long_text_becomes_an_artifact_and_is_read_back(node: ApiNode) -> None:
    made = await post(node, LONG, mime="text/markdown")
    assert (await node.get(f"/topics/messages/{made['event_id'][:10]}"))["text"] == LONG
    (row,) = (await listed(node, made["seq"]))["items"]
    assert row["text"] is None
    assert (row["body"]["mime"], row["body"]["is_here"]) == ("text/markdown", True)
    body = await node.client.get(f"/api/v1/artifacts/{row['body']['digest']}")
    assert body.headers["content-type"].startswith("text/markdown")


async def test_what_cannot_be_said_is_refused_with_path_and_remedy(node: ApiNode) -> None:
    for order, status, code, path in [
        ({"feed_key": "a b", "text": "x"}, 422, "bad_field", "$.feed_key"),
        ({"feed_key": "a b", "text": LONG}, 422, "bad_field", "$.feed_key"),
        ({"feed_key": "a", "text": ""}, 422, "bad_field", "$.text"),
        ({"feed_key": "a", "text": "x", "scope": "town:x"}, 422, "bad_field", "$.scope"),
        ({"feed_key": "a", "text": "x", "mime": "?"}, 400, "bad_parameter", "$.mime"),
    ]:
        problem = await node.refusal("POST", "/topics/messages", json=order)
        assert (problem["status"], problem["code"], problem["path"]) == (status, code, path)
    assert not list((node.state.artifacts_path).rglob("*/*"))
    unknown = {"feed_key": "a", "text": "x", "reply_to": "abc"}
    problem = await node.refusal("POST", "/topics/messages", json=unknown)
    assert problem["code"] == "not_found"
    later = await post(node, "I answer what may come", reply_to=NOWHERE)
    assert later["seq"]
    problem = await node.refusal("GET", f"/topics/messages/{NOWHERE}")
    assert problem["code"] == "not_found"
    problem = await node.refusal("GET", "/topics/messages", params={"cursor": "nonsense"})
    assert problem["code"] == "bad_parameter"


async def test_a_subscription_is_said_once_and_revised(node: ApiNode) -> None:
    order = {"feed_key": "news", "gossip_kinds": ["messages", "events"]}
    first = await node.post("/topics/subscriptions", order)
    again = await node.post("/topics/subscriptions", order)
    assert (first["already"], again["already"], again["seq"]) == (False, True, None)
    other = await node.post("/topics/subscriptions", {**order, "scope": "group:x"})
    gone = await node.post("/topics/subscriptions", {"feed_key": "news", "active": False})
    nothing = await node.post("/topics/subscriptions", {"feed_key": "news", "active": False})
    assert (other["already"], gone["already"], nothing["already"]) == (False, False, True)
    page = await node.get("/topics/subscriptions", min_seq=gone["seq"])
    assert [(item["scope"], item["gossip_kinds"]) for item in page["items"]] == [
        ("group:x", ["events", "messages"])
    ]
    everybody = await node.get("/topics/subscriptions", active=False)
    assert [(item["scope"], item["active"], item["revision"]) for item in everybody["items"]] == [
        ("global", False, 2),
        ("group:x", True, 1),
    ]
    assert await is_equal_to_rebuild(node)


async def test_a_task_is_announced_and_the_announcement_revised(node: ApiNode) -> None:
    task_id = (await node.submit())["task_id"]
    path = f"/tasks/{task_id[:12]}/announcements"
    first = await node.post(path, {"feed_key": "market"})
    again = await node.post(path, {"feed_key": "market"})
    better = await node.post(path, {"feed_key": "market", "summary": "a document"})
    assert (first["already"], again["already"], better["already"]) == (False, True, False)
    unknown = await node.post(f"/tasks/{NOWHERE}/announcements", {"feed_key": "market"})
    page = await node.get("/announcements", min_seq=unknown["seq"], feed_key="market")
    assert [(item["task_id"], item["revision"], item["summary"]) for item in page["items"]] == [
        (NOWHERE, 1, None),
        (task_id, 2, "a document"),
    ]
    only = await node.get("/announcements", task=task_id[:12])
    assert [item["event_id"] for item in only["items"]] == [better["event_id"]]
    # A task is what its own events make it: none of this is one of them.
    assert (await node.get(f"/tasks/{task_id}"))["task"]["events"] == 1


async def test_nodes_mean_to_work_together_and_are_confirmed(node: ApiNode) -> None:
    task_id = (await node.submit())["task_id"]
    me = (await node.get("/node"))["node_id"]
    order = {"execution_set": "s", "intent": "accepted"}
    await node.post(f"/tasks/{task_id}/execution-intents", order)
    members = [{"node_id": NOWHERE, "role_hint": "reviewer"}, {"node_id": me, "role_hint": "lead"}]
    confirmed = await node.post(
        f"/tasks/{task_id}/execution-sets", {"execution_set": "s", "members": members}
    )
    found = await node.get(f"/tasks/{task_id}/execution-sets", min_seq=confirmed["seq"])
    assert [(each["node_id"], each["intent"]) for each in found["intents"]] == [(me, "accepted")]
    (shown,) = found["sets"]
    assert shown["members"] == sorted(members, key=lambda each: each["node_id"])
    problem = await node.refusal(
        "POST",
        f"/tasks/{task_id}/execution-sets",
        json={"execution_set": "s", "members": [{"node_id": "abcd", "role_hint": "x"}]},
    )
    assert (problem["code"], problem["path"]) == ("bad_parameter", "$.members[0].node_id")


UNFINDABLE: Final = (
    ("/topics/subscriptions", {"feed_key": "news"}, "feed_key"),
    ("/topics/subscriptions", {"feed_key": "news"}, "scope"),
    ("/tasks/{task}/announcements", {"feed_key": "news"}, "announcement_key"),
    ("/tasks/{task}/announcements", {"feed_key": "news"}, "scope"),
    ("/tasks/{task}/execution-sets", {"members": []}, "execution_set"),
    ("/tasks/{task}/execution-intents", {"role_hint": "a", "intent": "b"}, "execution_set"),
    ("/log/checkpoints", {}, "scope"),
)
"""Orders, each with a field by which something is looked up."""


async def test_what_no_row_could_hold_is_refused_and_looked_up_by_nobody(node: ApiNode) -> None:
    task = (await node.submit())["task_id"]
    for route, order, field in UNFINDABLE:
        path = route.format(task=task)
        problem = await node.refusal("POST", path, json={**order, field: "\0"})
        assert problem["status"] in (404, 422), (path, problem)


async def test_a_checkpoint_states_what_the_log_held(node: ApiNode) -> None:
    await node.submit()
    await post(node, "hello", scope="group:x")
    database = node.inside.database
    with database.connect(Purpose.READER) as connection:
        before, head = LogReader(connection).lanes(), LogReader(connection).head()
    made = await node.post("/log/checkpoints")
    narrow = await node.post("/log/checkpoints", {"scope": "group:x"})
    page = await node.get("/log/checkpoints", min_seq=narrow["seq"])
    one, whole = page["items"]
    assert (whole["event_id"], whole["seq"], whole["chain"]) == (
        made["event_id"],
        head.seq,
        head.chain.hex(),
    )
    assert [(each["scope"], each["lane_class"], each["root"]) for each in whole["lanes"]] == [
        (each.scope, each.lane_class.value, each.root.digest.hex()) for each in before
    ]
    assert one["scope"] == "group:x"
    assert {each["scope"] for each in one["lanes"]} == {"group:x"}
    problem = await node.refusal("POST", "/log/checkpoints", json={"scope": "group:nobody"})
    assert problem["code"] == "not_found"
    with database.connect(Purpose.READER) as connection:
        assert verify_log(connection, lambda _done, _total: None).is_sound


async def test_an_ignored_message_is_told_by_the_code_and_is_in_the_log(node: ApiNode) -> None:
    key = node.inside.key
    network_id = (await node.get("/node"))["network_id"]
    draft = Draft(
        kind="TOPIC_MESSAGE_POSTED",
        scope="global",
        lane_class=LaneClass.WORK,
        task_id=None,
        epoch=0,
        created_at=1_700_000_000_000,
        payload={"feed_key": "news", "text": "in the wrong lane"},
    )
    event = draft.sign(network_id, key)
    assert canonical.decode(event.body, bytes_max=65_536)
    answer = await node.inside.tree.ref("sel_writer").ask(
        Append(events=(event.to_wire(),), is_own=True), deadline_s=5
    )
    page = await listed(node, answer.seqs[0])
    assert page["items"] == []
    problem = await node.refusal("GET", f"/topics/messages/{event.event_id.hex()}")
    assert "wrong_class" in problem["detail"]
    assert (await node.get(f"/log/events/{event.event_id.hex()}"))["payload"]["text"]


async def test_a_message_is_told_on_the_stream_when_it_can_be_read(node: ApiNode) -> None:
    async with node.news(after=0) as told:
        made = await post(node, "news")
        async for item in told:
            if item.kind == "event" and item.document["event_id"] == made["event_id"]:
                break
        shown = await node.get(f"/topics/messages/{made['event_id']}")
        assert shown["text"] == "news"
