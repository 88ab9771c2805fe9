"""Epochs of a continuous task at a running node: ended, opened and told."""

from tests.support.api_node import SAMPLE, ApiNode

CONTINUOUS = {**SAMPLE, "mode": "continuous", "budget_mode": "epoch_renew"}


async def test_an_epoch_is_ended_and_the_next_runs_under_the_newest_version(
    node: ApiNode,
) -> None:
    task = (await node.submit(CONTINUOUS))["task_id"]
    first = await node.get(f"/tasks/{task}")
    (epoch,) = first["epochs"]
    assert (epoch["epoch"], epoch["is_newest"], epoch["pin"]) == (1, True, first["pin"])
    early = await node.refusal("POST", f"/tasks/{task}/end-epoch", json={})
    assert (early["status"], early["code"]) == (409, "too_early")

    changed = await node.post("/governance/changes", {"params": {"a": 1}})
    pin = changed["version"]["version_id"]
    said = await node.post(
        f"/tasks/{task[:12]}/end-epoch", {"reason": "enough", "out_of_turn": True}
    )
    assert (said["missing"], said["ended"]["epoch"], said["task"]["epoch"]) == (0, 1, 2)
    opened = said["opened"]
    assert (opened["epoch"], opened["pin"], opened["version"]) == (2, pin, 1)
    (ending,) = said["ended"]["endings"]
    assert (ending["next_pin"], ending["missing"], len(ending["signers"])) == (pin, 0, 1)

    view = await node.get(f"/tasks/{task}")
    assert [each["epoch"] for each in view["epochs"]] == [1, 2]
    assert view["task"]["expires_at"] == opened["expires_at"]
    told = " ".join((await node.get(f"/tasks/{task}/explain"))["summary"])
    assert f"in epoch 2, which was opened at {opened['opened_at']} under version 1" in told
    assert f"the first ran under {first['pin'][:12]}" in told


async def test_a_task_of_one_epoch_has_none_to_end(node: ApiNode) -> None:
    task = (await node.submit())["task_id"]
    assert (await node.get(f"/tasks/{task}"))["epochs"] == []
    refused = await node.refusal("POST", f"/tasks/{task}/end-epoch", json={})
    assert (refused["status"], refused["code"]) == (409, "one_epoch")
    missing = await node.refusal("POST", "/tasks/ff/end-epoch", json={})
    assert missing["status"] == 404
