"""A disk without room: the node refuses what would change anything, reads on, and comes back."""

import os
from pathlib import Path

import pytest

from tests.support.chaos_node import node_on_a_small_disk, submit
from wattswarm.chaos.subject import API, Node
from wattswarm.chaos.waiting import is_soon

DISK_MIB = 190
LEFT_MIB = 6
MIB = 1_048_576
BLOCK = bytes(MIB)


def fill(filler: Path, left_mib: int) -> None:
    """Write until so much room is left, or none."""
    with filler.open("ab", buffering=0) as file:
        try:
            while (free := _free_bytes(filler)) > left_mib * MIB:
                file.write(BLOCK[: free - left_mib * MIB])
        except OSError:
            return


def _free_bytes(filler: Path) -> int:
    found = os.statvfs(filler)
    return found.f_bavail * found.f_frsize


async def _is_refused(node: Node, key: str) -> bool:
    return (await submit(node, key)).status in (503, 507)


async def _is_taken(node: Node, key: str) -> bool:
    return (await submit(node, key)).is_ok


@pytest.mark.timeout(240)
@pytest.mark.parametrize("left_mib", [LEFT_MIB, 0], ids=["nearly", "completely"])
async def test_a_full_disk_makes_the_node_read_only_until_there_is_room(
    tmp_path: Path, left_mib: int
) -> None:
    async with node_on_a_small_disk(tmp_path, DISK_MIB) as (node, place):
        before = await submit(node, "before")
        assert before.is_ok, before.document
        filler = place / "filler"
        fill(filler, left_mib)
        assert await is_soon(lambda: _is_refused(node, "refused"), 20.0), node.last_words()
        shown = await node.call("GET", f"{API}/tasks/{before.document['task_id']}")
        assert shown.is_ok, "a full disk is no reason not to read"
        node.check_alive()

        filler.unlink()
        assert await is_soon(lambda: _is_taken(node, "after"), 60.0), node.last_words()
        assert (await submit(node, "refused")).is_ok, "what was refused may be asked again"
        again = await submit(node, "before")
        assert again.document["seq"] == before.document["seq"]
        assert again.document["already"]
        verified = await node.call("POST", f"{API}/log/verify", timeout_s=30.0)
        assert verified.document["ok"], verified.document
