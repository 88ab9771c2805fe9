"""Statements at a running node: an event is revoked and restored, and its task follows."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.api_node import SAMPLE, ApiNode, api_node
from wattswarm.kernel.archive import archive
from wattswarm.kernel.governance import draft_statement
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads.statement import NodePenalized, StatementState
from wattswarm.store.connection import Database

STRANGER = "5e" * 32


async def say(at: ApiNode, what: str, /, **order: object) -> Any:
    """Make a statement."""
    return await at.post(f"/governance/{what}", order)


async def test_a_task_whose_creation_is_revoked_is_void_until_that_is_taken_back(
    node: ApiNode,
) -> None:
    task = (await node.submit())["task_id"]
    head = await node.get("/log/head")
    shown = await say(node, "revocations", event=task[:12], reason="a mistake", dry_run=True)
    effect = shown["effect"]
    assert (effect["voided"], effect["regained"]) == (1, 0)
    assert (effect["state_before"], effect["state_after"]) == ("open", "void")
    assert (shown["statement"]["state"], shown["seq"]) == ("holds", None)
    assert (await node.get("/log/head"))["seq"] == head["seq"]

    made = await say(node, "revocations", event=task[:12], reason="a mistake")
    assert (made["seq"], made["effect"]) == (head["seq"] + 1, None)
    assert (await node.get(f"/tasks/{task}"))["task"]["state"] == "void"
    (row,) = (await node.get("/governance/statements"))["items"]
    assert (row["target"], row["word"], row["state"]) == (task, "revoked", "holds")
    again = await say(node, "revocations", event=task)
    assert (again["already"], again["seq"]) == (True, None)

    back = await say(node, "restorations", event=task, dry_run=True)
    assert (back["effect"]["regained"], back["effect"]["state_after"]) == (1, "open")
    restored = await say(node, "restorations", event=task)
    listed = (await node.get("/tasks", min_seq=restored["seq"]))["items"]
    assert [each["state"] for each in listed] == ["open"]


@pytest.mark.parametrize(
    ("what", "order", "status", "code"),
    [
        ("revocations", {"event": "zz"}, 404, "not_found"),
        ("revocations", {"event": ""}, 404, "not_found"),
        ("revocations", {"event": "\u0000"}, 404, "not_found"),
        ("revocations", {"event": "GENESIS"}, 409, "not_revocable"),
        ("revocations", {"event": "ab" * 32, "reason": "x" * 5_000}, 422, "bad_field"),
        ("revocations", {}, 422, "bad_document"),
        ("penalties", {"node": STRANGER}, 422, "bad_field"),
        ("penalties", {"node": "SELF", "cut": True}, 409, "not_oneself"),
        ("penalties", {"node": STRANGER, "cut": True, "keep": ["zz"]}, 404, "not_found"),
        ("penalties", {"node": STRANGER, "cut": 1}, 422, "bad_document"),
        ("pardons", {"node": "ff"}, 404, "not_found"),
        ("statements/ff/sign", {}, 404, "not_found"),
    ],
)
async def test_a_statement_that_cannot_be_is_refused_and_nothing_is_signed(
    node: ApiNode, what: str, order: dict[str, Any], status: int, code: str
) -> None:
    events = (await node.get("/log/events", after=0))["items"]
    names = {
        "GENESIS": next(
            each["event_id"] for each in events if each["event_kind"] == "GOVERNANCE_UPDATED"
        ),
        "SELF": (await node.get("/node"))["node_id"],
    }
    order = {
        field: names.get(value, value) if isinstance(value, str) else value
        for field, value in order.items()
    }
    refused = await node.refusal("POST", f"/governance/{what}", json=order)
    assert (refused["status"], refused["code"]) == (status, code), refused
    assert len((await node.get("/log/events", after=0))["items"]) == len(events)


async def test_a_penalized_node_is_told_so_and_says_nothing_on_tasks_and_governance(
    database: Database, tmp_path: Path
) -> None:
    async with api_node(database, tmp_path, settings={"INGEST__ENABLED": "true"}) as node:
        task = (await node.submit())["task_id"]
        name, key = node.inside.network_id, node.inside.key
        head = (await node.get("/governance"))["version"]["version_id"]
        said = Statement(
            kind=NodePenalized.kind,
            target=key.node_id,
            serial=1,
            state=StatementState.REVOKED,
            governance=Digest(bytes.fromhex(head)),
            reason="lies",
            keep=frozenset({EventId(bytes.fromhex(task))}),
        )
        sigs = {key.node_id: key.sign(statement_message(name, said))}
        wire = draft_statement(said, sigs, 1).sign(name, key).to_wire()
        await node.client.post("/api/v1/events", content=archive(name, [wire]))
        # Signed behind its back: to the node that is a restored backup.
        await node.post("/node/restored", {})

        findings = (await node.get("/doctor"))["findings"]
        (error,) = (each for each in findings if each["area"] == "governance")
        assert (error["level"], "lies" in error["message"]) == ("error", True)
        assert "pardon" in error["remedy"]
        for path, document in (
            (f"/tasks/{task}/stop", {}),
            (f"/tasks/{task}/end-epoch", {}),
            ("/governance/changes", {"params": {"a": 1}}),
            ("/governance/admissions", {"node": STRANGER}),
            ("/tasks", {"contract": SAMPLE}),
        ):
            refused = await node.refusal("POST", path, json=document)
            assert refused["code"] == "barred", (path, refused)
        assert (await say(node, "pardons", node=key.node_id.hex()))["statement"]["serial"] == 2
        assert (await node.post(f"/tasks/{task}/stop"))["task"]["state"] == "stopped"


async def test_what_is_void_is_told_with_the_reason(node: ApiNode) -> None:
    task = (await node.submit())["task_id"]
    stopped = await node.post(f"/tasks/{task}/suspend")
    assert stopped["seq"] is not None
    names = (await node.get(f"/tasks/{task}/events"))["items"]
    word = next(each["event_id"] for each in names if each["event_kind"] == "TASK_SUSPENDED")
    shown = await say(node, "revocations", event=word, reason="unwanted", dry_run=True)
    await say(node, "revocations", event=task, reason="a mistake")
    view = await node.get(f"/tasks/{task}")
    (voided,) = view["voided"]
    assert (voided["word"], voided["event_kind"], voided["reason"]) == (
        "revoked",
        "TASK_CREATED",
        "a mistake",
    )
    told = " ".join((await node.get(f"/tasks/{task}/explain"))["summary"])
    assert "(TASK_CREATED) was revoked by finalizers: a mistake" in told
    assert shown["effect"]["task_id"] == task


async def test_statements_outlast_the_node(database: Database, tmp_path: Path) -> None:
    async with api_node(database, tmp_path) as node:
        await say(node, "penalties", node=STRANGER, cut=True, reason="lies")
    async with api_node(database, tmp_path) as node:
        (row,) = (await node.get("/governance/statements"))["items"]
        assert (row["word"], row["kept"], row["reason"]) == ("penalized", [], "lies")
        assert (await say(node, "pardons", node=STRANGER))["statement"]["serial"] == 2
