"""A node whose database was restored: it stops signing, and contradicts nothing it has forgotten.

A node works on after a backup of its database was taken. The backup is restored beside another
state directory with the same seed, and then learns what came after it.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.actor_tree import reference_executor
from tests.support.api_node import SAMPLE, ApiNode, api_node
from tests.support.postgres import Cluster
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.payloads.control import PAYLOADS
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.local import Executions

INGEST = {"INGEST__ENABLED": "true"}
CONTINUOUS = {**SAMPLE, "mode": "continuous", "budget_mode": "epoch_renew"}


@attrs.frozen(kw_only=True)
class Restored:
    """A backup of a node's database, restored; and what came after it."""

    database: Database
    folder: Path
    rest: bytes
    done: str
    """A task from before the backup, which became final after it."""
    unfinished: str
    """A task from before the backup, which nobody has worked on."""
    renewed: str
    """A continuous task from before the backup, whose first epoch ended after it."""


@contextmanager
def copied(cluster: Cluster, database: Database) -> Generator[Database]:
    """Have a copy of a database that nobody uses at the moment."""
    name = str(conninfo_to_dict(database.dsn)["dbname"])
    with cluster.database(template=name) as made:
        yield made


@pytest.fixture
async def restored(cluster: Cluster, database: Database, tmp_path: Path) -> Any:
    first, second = tmp_path / "first", tmp_path / "second"
    async with api_node(database, first) as node:
        done = (await node.submit())["task_id"]
        renewed = (await node.submit(CONTINUOUS))["task_id"]
        unfinished = (await node.submit(CONTINUOUS))["task_id"]
        head = (await node.get("/log/head"))["seq"]
    with copied(cluster, database) as backup, reference_executor("one", "textrank") as url:
        async with api_node(database, first) as node:
            await node.post(f"/tasks/{unfinished}/suspend", {})
            await node.post(f"/tasks/{renewed}/end-epoch", {"out_of_turn": True})
            await node.post("/executors", {"name": "one", "base_url": url, "profile": "textrank"})
            await node.wait_final(done)
            await node.client.delete("/api/v1/executors/one")
            await node.post(f"/tasks/{unfinished}/resume", {})
            answer = await node.client.get("/api/v1/log/archive", params={"after": head})
        seed = StateDir(first / "node").seed_path
        place = StateDir(second / "node")
        place.prepare()
        place.seed_path.write_bytes(seed.read_bytes())
        place.seed_path.chmod(0o600)
        yield Restored(
            database=backup,
            folder=second,
            rest=answer.content,
            done=done,
            unfinished=unfinished,
            renewed=renewed,
        )


async def bring(node: ApiNode, content: bytes) -> Any:
    answer = await node.client.post("/api/v1/events", content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def locks(database: Database) -> set[tuple[str, bytes]]:
    with database.connect(Purpose.READER) as connection:
        rows = connection.execute(b"select kind, key from own_locks").fetchall()
    return {(kind, bytes(key)) for kind, key in rows}


@pytest.fixture
def executor() -> Generator[str]:
    with reference_executor("one", "textrank") as url:
        yield url


async def test_a_restored_backup_stops_signing_until_its_operator_says_what_it_is(
    restored: Restored, executor: str
) -> None:
    async with api_node(restored.database, restored.folder, settings=INGEST) as node:
        assert (await node.get("/node"))["signing"]["state"] == "free"
        brought = await bring(node, restored.rest)
        assert (brought["refused"], brought["appended"] > 0) == (0, True)
        await shows_that_nothing_is_signed(node)
        await refuses_to_sign(node, restored)
        view = await node.get(f"/tasks/{restored.done}", min_seq=brought["head_seq"])
        assert view["task"]["state"] == "final", "reading and deriving go on"
        assert (await bring(node, restored.rest))["appended"] == 0
        await node.post("/executors", {"name": "one", "base_url": executor, "profile": "textrank"})
    async with api_node(restored.database, restored.folder, settings=INGEST) as node:
        assert (await node.post("/executors/one/check"))["ok"] is True
        await shows_that_nothing_is_signed(node)
        await refuses_to_sign(node, restored)
        with restored.database.connect(Purpose.LOCAL) as connection:
            unfinished = bytes.fromhex(restored.unfinished)
            assert Executions(connection).count([unfinished]) == 0, "nothing is paid for in vain"
        said = await node.post("/node/cloned")
        assert said["state"] == "cloned"
        finding = await signing_finding(node)
        assert (finding["level"], "another node" in finding["message"]) == ("error", True)
        await refuses_to_sign(node, restored)


async def shows_that_nothing_is_signed(node: ApiNode) -> None:
    page = await node.get("/node")
    assert page["signing"]["state"] == "suspected"
    assert any("nothing is signed" in warning for warning in page["warnings"])
    finding = await signing_finding(node)
    assert finding["level"] == "error"
    assert page["signing"]["event_id"][:12] in finding["message"]
    assert "wattswarm node restored" in finding["remedy"]
    assert "wattswarm node cloned" in finding["remedy"]
    metrics = (await node.client.get("/metrics")).text
    assert "wattswarm_signing_stopped 1.0" in metrics


async def signing_finding(node: ApiNode) -> Any:
    findings = (await node.get("/doctor"))["findings"]
    return next(each for each in findings if each["area"] == "signing")


async def refuses_to_sign(node: ApiNode, restored: Restored) -> None:
    head = (await node.get("/log/head"))["seq"]
    words = {
        "/tasks": {"contract": SAMPLE},
        f"/tasks/{restored.unfinished}/stop": {},
        f"/tasks/{restored.unfinished}/end-epoch": {"out_of_turn": True},
        "/governance/changes": {"params": {"a": 1}, "out_of_turn": True},
        "/governance/revocations": {"event": restored.unfinished},
        "/topics/messages": {"feed_key": "news", "text": "hello"},
        "/log/checkpoints": {},
    }
    for path, document in words.items():
        problem = await node.refusal("POST", path, json=document)
        assert problem["code"] == "signing_stopped", (path, problem)
    assert (await node.get("/log/head"))["seq"] == head


async def test_after_the_word_new_tasks_are_worked_on_and_old_epochs_are_left_alone(
    restored: Restored,
) -> None:
    old = (restored.done, restored.unfinished, restored.renewed)
    with reference_executor("one", "textrank") as url:
        async with api_node(restored.database, restored.folder, settings=INGEST) as node:
            brought = await bring(node, restored.rest)
            before = locks(restored.database)
            key = {"json": {"contract": SAMPLE}, "headers": {"idempotency-key": "mine"}}
            assert (await node.refusal("POST", "/tasks", **key))["code"] == "signing_stopped"
            said = await node.post("/node/restored")
            assert (said["state"], said["restored_at"] is not None) == ("free", True)
            await node.post("/executors", {"name": "one", "base_url": url, "profile": "textrank"})
            assert (await node.refusal("POST", "/tasks", **key))["code"] == "restored_since"
            fresh = (await node.submit())["task_id"]
            await node.wait_final(fresh)

            for task in (restored.unfinished, restored.renewed):
                problem = await node.refusal(
                    "POST", f"/tasks/{task}/end-epoch", json={"out_of_turn": True}
                )
                assert problem["code"] == "restored_since"
            change = {"params": {"a": 1}, "out_of_turn": True}
            problem = await node.refusal("POST", "/governance/changes", json=change)
            assert problem["code"] == "restored_since"
            vouched = {**change, "after_restore": True}
            assert (await node.post("/governance/changes", vouched))["missing"] == 0
            await node.post(f"/tasks/{restored.unfinished}/stop", {})
            assert (await bring(node, restored.rest))["appended"] == 0
            assert (await signing_finding(node))["level"] == "ok"

            signed = node.inside.rows(brought["head_seq"])
            kinds = {row.kind for row in signed if (row.task_id or b"").hex() in old}
            assert kinds <= {payload.kind for payload in PAYLOADS.values()}
            assert any(row.kind == "DECISION_FINALIZED" for row in signed)
        new = locks(restored.database) - before
        assert {"finality", "decision", "plain_vote"} <= {kind for kind, _ in new}
        assert not [key for _, key in new for task in old if bytes.fromhex(task) in key]


async def test_a_restore_that_is_announced_expects_what_comes_back(restored: Restored) -> None:
    async with api_node(restored.database, restored.folder, settings=INGEST) as node:
        await node.post("/node/restored")
        await bring(node, restored.rest)
        assert (await node.get("/node"))["signing"]["state"] == "free"
        metrics = (await node.client.get("/metrics")).text
        assert "wattswarm_signing_stopped 0.0" in metrics
        await node.submit()
