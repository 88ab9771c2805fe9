"""A rule that fails by a bug of ours costs the task that it fails for, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from tests.integration.actors.test_dispatching import TERMS, Worker, node_with
from tests.support.actor_tree import PATIENCE_S, ActorTree
from tests.support.actors import until
from wattswarm.actors.dispatch import asking, making
from wattswarm.executors.fields import Json
from wattswarm.kernel import task as derivation
from wattswarm.kernel.contract import Contract
from wattswarm.kernel.duty import Duty, roster
from wattswarm.kernel.duty.desk import Desk
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.rule import Entry
from wattswarm.kernel.state import TaskState
from wattswarm.store.connection import Database

POISON = "poisoned"

Poison = Callable[[pytest.MonkeyPatch], None]


def _fail(state: TaskState) -> None:
    if state.contract is not None and state.contract.name == POISON:
        raise ZeroDivisionError("a bug of ours")


def poison_the_roster(patch: pytest.MonkeyPatch) -> None:
    """Have the roster of the poisoned task fail."""

    def look(desk: Desk) -> Iterator[Duty]:
        _fail(desk.state)
        return iter(())

    patch.setattr(roster, "LOOKS", (look, *roster.LOOKS))


def _poison_rule(patch: pytest.MonkeyPatch, kind: str) -> None:
    sound = derivation.RULES[kind]

    def apply(entry: Entry[Any], state: TaskState) -> Any:
        _fail(state)
        return sound.apply(entry, state)

    rules = cast("dict[str, Any]", derivation.RULES)
    patch.setitem(rules, kind, attrs.evolve(sound, apply=apply))


def poison_deriving(patch: pytest.MonkeyPatch) -> None:
    """Have the poisoned task fail to be derived from the log."""
    _poison_rule(patch, "TASK_CREATED")


def poison_completing(patch: pytest.MonkeyPatch) -> None:
    """Have what an executor made for the poisoned task fail to become events."""
    _poison_rule(patch, "CANDIDATE_PROPOSED")


def poison_the_work(patch: pytest.MonkeyPatch) -> None:
    """Have the request to the executor fail to be made for the poisoned task."""
    sound = asking.document

    def document(terms: Contract) -> Mapping[str, Json]:
        if terms.name == POISON:
            raise ZeroDivisionError("a bug of ours")
        return sound(terms)

    patch.setattr(making, "document", document)


async def set_aside(node: ActorTree) -> Mapping[str, Any]:
    """Return what the dispatcher tells of tasks that are set aside."""
    snapshot: Mapping[str, Any] = await node.tree.inspect("executor_dispatcher")
    return snapshot["set_aside"]


async def wait_set_aside(node: ActorTree, count: int) -> Mapping[str, Any]:
    """Return what it tells once that are so many."""
    told: Mapping[str, Any] = {}

    async def are_so_many() -> bool:
        nonlocal told
        told = await set_aside(node)
        return told["count"] == count

    await until(are_so_many, within_s=PATIENCE_S)
    return told


async def poisoned(node: ActorTree) -> TaskId:
    return await node.submit({**TERMS, "name": POISON})


@pytest.mark.parametrize(
    "poison", [poison_the_roster, poison_deriving, poison_the_work, poison_completing]
)
async def test_a_bug_that_strikes_one_task_leaves_the_others_going(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poison: Poison
) -> None:
    async with node_with(Worker(), database, tmp_path) as node:
        with monkeypatch.context() as patch:
            poison(patch)
            bad = await poisoned(node)
            good = await node.submit(TERMS)
            await node.wait_final(good)
            told = await wait_set_aside(node, 1)
            assert list(told["tasks"]) == [bad.hex()]
            assert "ZeroDivisionError" in told["tasks"][bad.hex()]
            assert told["failures"] >= 1
            assert node.crashes == []
        await node.wait_final(bad)  # without the bug, it is tried again by itself
        await wait_set_aside(node, 0)


async def test_an_answer_that_was_paid_for_outlives_a_bug(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker()
    async with node_with(worker, database, tmp_path) as node:
        with monkeypatch.context() as patch:
            poison_completing(patch)
            bad = await poisoned(node)
            await wait_set_aside(node, 1)
        await node.wait_final(bad)
        assert len(worker.executed) == 1
