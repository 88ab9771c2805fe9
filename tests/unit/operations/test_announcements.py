"""Waiting for announcements."""

import trio
import trio.testing

from wattswarm.actors.messages import HeadMoved
from wattswarm.operations.announcements import LOOK_S, Announcements


async def test_an_announcement_wakes_everybody(
    autojump_clock: trio.testing.MockClock,
) -> None:
    announcements = Announcements()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(announcements.wait)
        await trio.testing.wait_all_tasks_blocked()
        announcements.take(HeadMoved(7))
    assert trio.current_time() == 0
    assert announcements.head_seq == 7


async def test_without_one_the_wait_ends_by_itself(
    autojump_clock: trio.testing.MockClock,
) -> None:
    await Announcements().wait()
    assert trio.current_time() == LOOK_S


async def test_nobody_waits_once_the_node_stops(autojump_clock: trio.testing.MockClock) -> None:
    announcements = Announcements()
    announcements.stop()
    await announcements.wait()
    assert trio.current_time() == 0
