"""Answers of executors, kept together."""

from collections.abc import Sequence

import attrs
import pytest
import trio
import trio.testing

from wattswarm.actors.dispatch.keeper import Keeper
from wattswarm.store.errors import StoreFull
from wattswarm.store.local import Execution


def execution(number: int) -> Execution:
    name = bytes([number]) * 32
    return Execution(execution_id=name, task_id=name, executor="one", answer=b"answer")


@attrs.define
class Shelf:
    """Remembers what came together; full from some number on."""

    kept: list[list[Execution]] = attrs.field(factory=list[list[Execution]])
    is_full: bool = False

    async def store(self, executions: Sequence[Execution]) -> None:
        if self.is_full:
            raise StoreFull(message="no room")
        self.kept.append([*executions])


async def test_what_comes_while_one_is_kept_is_kept_in_one_go() -> None:
    shelf = Shelf()
    keeper = Keeper(shelf.store)
    async with keeper.turn, trio.open_nursery() as nursery:
        for number in range(9):
            nursery.start_soon(keeper.keep, execution(number))
        await trio.testing.wait_all_tasks_blocked()
        assert shelf.kept == []
        keeper.turn.release()
        await trio.testing.wait_all_tasks_blocked()
        await keeper.turn.acquire()
    assert len(shelf.kept) == 1
    assert {each.execution_id for each in shelf.kept[0]} == {
        execution(number).execution_id for number in range(9)
    }


async def test_everybody_hears_that_there_was_no_room_and_may_try_again() -> None:
    shelf = Shelf(is_full=True)
    keeper = Keeper(shelf.store)
    refused: list[int] = []

    async def keep(number: int) -> None:
        try:
            await keeper.keep(execution(number))
        except StoreFull:
            refused.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(keep, number)
    assert sorted(refused) == [*range(5)]
    shelf.is_full = False
    await keeper.keep(execution(1))
    assert shelf.kept == [[execution(1)]]


async def test_whoever_does_not_wait_to_hear_of_it_has_its_answer_kept_all_the_same() -> None:
    shelf = Shelf()
    keeper = Keeper(shelf.store)
    async with keeper.turn:
        with trio.move_on_after(0):
            await keeper.keep(execution(1))
    await keeper.keep(execution(2))
    assert shelf.kept == [[execution(1), execution(2)]]


@pytest.mark.parametrize("number", [1, 255])
async def test_one_answer_is_kept_by_itself(number: int) -> None:
    shelf = Shelf()
    await Keeper(shelf.store).keep(execution(number))
    assert shelf.kept == [[execution(number)]]
