"""Dials that turn back by themselves."""

import trio
import trio.testing

from wattswarm.actors.runtime.errors import Down, Execution
from wattswarm.actors.runtime.logs import SilentLogger
from wattswarm.operations.reverts import Revert, Reverts


class Dials:
    """Takes turns, and fails while it is told to."""

    def __init__(self) -> None:
        self.turned: list[tuple[str, str, int, float]] = []
        self.is_away = False

    async def turn(self, actor: str, dial: str, value: int) -> int:
        if self.is_away:
            raise Down(actor=actor, execution=Execution.NOT_STARTED, reason="away")
        self.turned.append((actor, dial, value, trio.current_time()))
        return len(self.turned)


async def test_each_dial_turns_back_at_its_own_time(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    dials = Dials()
    reverts = Reverts(dials.turn, SilentLogger())
    nursery.start_soon(reverts.run)
    reverts.add(Revert("a", "batch", 1, 0), 2_000)
    reverts.add(Revert("b", "burst", 2, 0), 1_000)
    assert list(reverts.times("a")) == ["batch"]
    await trio.sleep(3)
    assert dials.turned == [("b", "burst", 2, 1.0), ("a", "batch", 1, 2.0)]
    assert not reverts.times("a", "b")


async def test_a_dial_that_was_turned_again_stays(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    dials = Dials()
    reverts = Reverts(dials.turn, SilentLogger())
    nursery.start_soon(reverts.run)
    reverts.add(Revert("a", "batch", 1, 0), 1_000)
    reverts.forget("a", "batch")
    await trio.sleep(3)
    assert dials.turned == []


async def test_an_actor_that_is_away_does_not_end_the_others(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    dials = Dials()
    reverts = Reverts(dials.turn, SilentLogger())
    nursery.start_soon(reverts.run)
    reverts.add(Revert("a", "batch", 1, 0), 1_000)
    dials.is_away = True
    await trio.sleep(2)
    dials.is_away = False
    reverts.add(Revert("b", "batch", 1, 0), 1_000)
    await trio.sleep(2)
    assert [turned[0] for turned in dials.turned] == ["b"]
