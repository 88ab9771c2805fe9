"""A task goes through the actors of a node, with real executors, until it is final."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.actor_tree import actor_tree, reference_executor
from wattswarm.actors.messages import ExecutorsChanged, Rebuild
from wattswarm.kernel.payloads import Ballot
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.local import Executors

CONTRACTS = Path(__file__).parents[3] / "examples" / "contracts"
PROFILES = {"rank": "textrank", "count": "frequency", "first": "lead"}


def register(database: Database, urls: dict[str, str]) -> None:
    with database.connect(Purpose.LOCAL) as connection:
        for name, url in urls.items():
            record = {"name": name, "base_url": url, "profile": PROFILES[name]}
            Executors(connection).put(name, record)


@pytest.mark.parametrize("is_compact", [True, False], ids=["in_process", "in_workers"])
async def test_three_executors_propose_and_verify_until_a_decision_is_final(
    database: Database, tmp_path: Path, is_compact: bool
) -> None:
    contract = json.loads(sorted(CONTRACTS.glob("*.json"))[0].read_text())
    with ExitStack() as stack:
        urls = {
            name: stack.enter_context(reference_executor(name, profile))
            for name, profile in PROFILES.items()
        }
        async with actor_tree(database, tmp_path, is_compact=is_compact) as node:
            register(database, urls)
            node.tree.ref("executor_dispatcher").offer(ExecutorsChanged())
            task_id = await node.submit(contract)
            state = await node.wait_final(task_id)

            assert {each.executor for each in state.candidates.values()} == set(PROFILES)
            assert all(
                result.executor != state.candidates[result.candidate].executor
                for result in state.results.values()
            )
            assert {vote.ballot for vote in state.votes.values()} == {Ballot.APPROVE}
            assert not state.pending, "every event of an honest run takes effect"
            assert node.crashes == []

            await node.wait_projected(node.rows()[-1].seq)
            rebuilt = await node.tree.ref("projection_rebuilder").ask(
                Rebuild(is_verify_only=True), deadline_s=30
            )
            assert rebuilt.is_compared
            assert rebuilt.differing == ()
