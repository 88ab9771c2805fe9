"""Artifacts as an operator of a running node meets them: listed, shown, verified, collected."""

import os
from pathlib import Path

from tests.support.actors import until
from tests.support.api_node import ApiNode, api_node
from wattswarm.store.artifacts import SCHEME, ArtifactStore
from wattswarm.store.connection import Database

LONG_AGO_S = 1_600_000_000
LARGE = {"task_type": "summarize", "inputs": {"text": "word " * 10_000}}


def store_of(node: ApiNode) -> ArtifactStore:
    return ArtifactStore(node.state.artifacts_path)


def path_of(node: ApiNode, digest: str) -> Path:
    name = digest.removeprefix(SCHEME)
    return node.state.artifacts_path / name[:2] / name


def stray(node: ApiNode, body: bytes) -> str:
    """Return the digest of a body that was stored long ago and that nothing names."""
    digest = store_of(node).put(body, "text/plain").digest
    os.utime(path_of(node, digest), (LONG_AGO_S, LONG_AGO_S))
    return digest


async def inputs_of(node: ApiNode) -> tuple[str, str]:
    """Return a task, and the digest of its inputs, which were stored long ago."""
    made = await node.submit(LARGE)
    digest = made["contract"]["inputs_ref"]["digest"]
    os.utime(path_of(node, digest), (LONG_AGO_S, LONG_AGO_S))
    return made["task_id"], digest


async def test_artifacts_are_listed_with_who_names_them(node: ApiNode) -> None:
    task_id, named = await inputs_of(node)
    unnamed = stray(node, b"nobody's")
    page = await node.get("/artifacts", limit=1)
    rest = await node.get("/artifacts", limit=1, cursor=page["next"])
    found = {each["digest"]: each for each in (*page["items"], *rest["items"])}
    assert list(found) == sorted((named, unnamed))
    assert rest["next"] is None
    assert (found[named]["named"], found[named]["tasks"]) == (True, 1)
    assert (found[unnamed]["named"], found[unnamed]["tasks"]) == (False, 0)
    record = await node.get(f"/artifacts/{named[:20]}/record")
    assert (record["named"], record["tasks"]) == (True, [task_id])
    unknown = await node.refusal("GET", "/artifacts/ffff/record")
    assert unknown["code"] == "not_found"


async def test_what_nothing_names_is_collected_and_what_a_task_names_stays(node: ApiNode) -> None:
    _, named = await inputs_of(node)
    unnamed = stray(node, b"nobody's")
    told = await node.post("/artifacts/collect", {"dry_run": True})
    assert (told["unnamed"], told["digests"]) == (1, [unnamed])
    assert path_of(node, unnamed).exists()
    found = await node.post("/artifacts/collect")
    assert (found["unnamed"], found["ended"], found["complete"]) == (1, 0, True)
    assert not path_of(node, unnamed).exists()
    assert path_of(node, named).exists()


async def test_damage_is_found_and_left_to_whoever_reads(node: ApiNode) -> None:
    sound, damaged = stray(node, b"sound"), stray(node, b"damaged")
    assert (await node.post("/artifacts/verify"))["ok"] is True
    path_of(node, damaged).write_bytes(b"changed")
    found = await node.post("/artifacts/verify")
    assert (found["ok"], found["artifacts"], found["damaged"]) == (False, 2, [damaged])
    assert path_of(node, sound).exists()
    assert path_of(node, damaged).exists()


async def test_a_node_collects_by_itself(database: Database, tmp_path: Path) -> None:
    settings = {"ARTIFACTS__COLLECT_EVERY_MS": "20"}
    async with api_node(database, tmp_path, settings=settings) as node:
        _, named = await inputs_of(node)
        unnamed = stray(node, b"nobody's")
        path = path_of(node, unnamed)
        await until(lambda: not path.exists())
        assert path_of(node, named).exists()
