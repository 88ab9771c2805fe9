"""Tasks as a client of the API meets them: made once, listed, shown, explained."""

from typing import Any

import trio

from tests.support.api_node import SAMPLE, ApiNode


async def test_a_task_stands_in_the_log_when_its_submission_is_answered(node: ApiNode) -> None:
    made = await node.submit()
    assert made["already"] is False
    row = await node.get(f"/log/events/{made['seq']}")
    assert row["event_kind"] == "TASK_CREATED"
    assert row["event_id"] == made["task_id"]


async def test_two_equal_contracts_without_a_key_are_two_tasks(node: ApiNode) -> None:
    first, second = await node.submit(), await node.submit()
    assert first["task_id"] != second["task_id"]


async def test_a_key_makes_one_task(node: ApiNode) -> None:
    first = await node.submit(**{"idempotency-key": "one"})
    again = await node.submit(**{"idempotency-key": "one"})
    assert again["task_id"] == first["task_id"]
    assert again["seq"] == first["seq"]
    assert again["already"] is True


async def test_a_key_whose_answer_was_lost_still_makes_one_task(node: ApiNode) -> None:
    await node.post("/actors/sel_writer/suspend")
    with trio.move_on_after(0.3) as patience:
        await node.submit(**{"idempotency-key": "one"})
    assert patience.cancelled_caught
    await node.post("/actors/sel_writer/resume")
    first = await node.submit(**{"idempotency-key": "one"})
    again = await node.submit(**{"idempotency-key": "one"})
    assert again["task_id"] == first["task_id"]
    listed = await node.get("/tasks", min_seq=first["seq"])
    assert len(listed["items"]) == 1


async def test_two_at_once_with_one_key_make_one_task(node: ApiNode) -> None:
    made: list[Any] = []

    async def submit() -> None:
        made.append(await node.submit(**{"idempotency-key": "one"}))

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(submit)
    assert len({task["task_id"] for task in made}) == 1
    assert sum(not task["already"] for task in made) == 1


async def test_a_key_with_another_contract_is_refused(node: ApiNode) -> None:
    await node.submit(**{"idempotency-key": "one"})
    problem = await node.refusal(
        "POST",
        "/tasks",
        json={"contract": {**SAMPLE, "name": "another"}},
        headers={"idempotency-key": "one"},
    )
    assert problem["code"] == "idempotency_conflict"


async def test_a_wrong_contract_is_refused_with_every_error(node: ApiNode) -> None:
    wrong = {"contract": {"task_type": "summarize", "inputs": [], "lease_ms": 0, "mood": 1}}
    problem = await node.refusal("POST", "/tasks", json=wrong)
    assert problem["code"] == "contract_invalid"
    paths = {error["path"] for error in problem["errors"]}
    assert {"$.inputs", "$.lease_ms", "$.mood"} <= paths
    check = await node.post("/tasks/validate", wrong)
    assert {error["path"] for error in check["errors"]} == paths


async def test_the_sample_contract_is_taken_and_what_is_shown_can_be_given_back(
    node: ApiNode,
) -> None:
    sample = await node.get("/tasks/sample")
    check = await node.post("/tasks/validate", {"contract": sample})
    assert check["valid"] is True
    again = await node.post("/tasks/validate", {"contract": check["contract"]})
    assert again["contract"] == check["contract"]
    assert again["contract"]["inputs"] == sample["inputs"]


async def test_large_inputs_become_an_artifact(node: ApiNode) -> None:
    text = "word " * 10_000
    made = await node.submit({"task_type": "summarize", "inputs": {"text": text}})
    ref = made["contract"]["inputs_ref"]
    body = await node.client.get(f"/api/v1/artifacts/{ref['digest']}")
    assert body.json() == {"text": text}


async def test_a_new_task_is_shown_before_any_projection_has_it(node: ApiNode) -> None:
    made = await node.submit()
    view = await node.get(f"/tasks/{made['task_id'][:12]}")
    assert view["task"]["state"] == "open"
    assert view["task"]["task_type"] == "summarize"
    assert [place["state"] for place in view["places"]] == ["free"] * len(view["places"])
    assert "an executor for summarize has to claim" in view["next_steps"][0]


async def test_lists_hold_what_was_written_once_it_is_asked_for(node: ApiNode) -> None:
    made = [await node.submit({**SAMPLE, "name": f"task {n}"}) for n in range(5)]
    first = await node.get("/tasks", limit=3, min_seq=made[-1]["seq"])
    rest = await node.get("/tasks", limit=3, cursor=first["next"])
    names = [row["name"] for row in (*first["items"], *rest["items"])]
    assert names == [f"task {n}" for n in reversed(range(5))]
    assert rest["next"] is None
    assert (await node.get("/tasks", state="final"))["items"] == []
    assert len((await node.get("/tasks", task_type="summarize"))["items"]) == 5


async def test_a_cursor_that_is_none_is_refused(node: ApiNode) -> None:
    problem = await node.refusal("GET", "/tasks", params={"cursor": "ab!"})
    assert problem["code"] == "bad_parameter"


async def test_names_that_are_unknown_or_ambiguous_are_told_apart(node: ApiNode) -> None:
    made = [await node.submit() for _ in range(20)]
    assert (await node.refusal("GET", f"/tasks/{'0' * 64}"))["code"] == "not_found"
    assert (await node.refusal("GET", "/tasks/no-name"))["code"] == "not_found"
    firsts = [task["task_id"][0] for task in made]
    shared = next(digit for digit in firsts if firsts.count(digit) > 1)
    assert (await node.refusal("GET", f"/tasks/{shared}"))["code"] == "ambiguous_name"


async def test_every_event_of_a_task_has_a_verdict(node: ApiNode) -> None:
    made = await node.submit()
    verdicts = await node.get(f"/tasks/{made['task_id']}/verdicts")
    assert [(item["event_kind"], item["verdict"]) for item in verdicts["items"]] == [
        ("TASK_CREATED", "effective")
    ]
    events = await node.get(f"/tasks/{made['task_id']}/events")
    assert events["items"][0]["payload"]["contract"]["task_type"] == "summarize"


async def test_nothing_is_decided_before_anybody_worked(node: ApiNode) -> None:
    made = await node.submit()
    problem = await node.refusal("GET", f"/tasks/{made['task_id']}/decision")
    assert problem["code"] == "not_decided"
    told = await node.get(f"/tasks/{made['task_id']}/explain")
    assert any("It is open" in sentence for sentence in told["summary"])
