"""The inbox: bounds, order, priorities, waking, closing."""

import pytest
import trio

from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.errors import Down, Execution, Refused
from wattswarm.actors.runtime.inbox import SYSTEM_CAPACITY, Halt, Inbox
from wattswarm.actors.runtime.spec import InboxSpec, Overflow
from wattswarm.actors.runtime.system import Tune


class Reply:
    """Remembers what it was told."""

    def __init__(self):
        self.errors = []

    def answer(self, value):
        raise AssertionError(value)

    def fail(self, error):
        self.errors.append(error)
        return True


def inbox(capacity=2, overflow=Overflow.BLOCK):
    return Inbox("actor", InboxSpec(capacity=capacity, overflow=overflow), lambda: 0.0)


def envelope(number, reply=None):
    return Envelope(number, "sender", number, 0.0, reply)


def numbers(box):
    return [one.id for one in box.user]


async def test_a_sender_waits_for_room_and_keeps_its_order(autojump_clock):
    box = inbox(2)

    async def send():
        for number in range(6):
            await box.put(envelope(number))

    taken = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        while len(taken) < 6:
            await trio.testing.wait_all_tasks_blocked()
            assert len(box.user) <= 2
            taken.append(box.pop().id)
    assert taken == list(range(6))


async def test_every_waiting_sender_gets_its_turn(autojump_clock):
    box = inbox(1)
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(box.put, envelope(number))
        taken = set()
        for _ in range(5):
            await trio.testing.wait_all_tasks_blocked()
            taken.add(box.pop().id)
    assert taken == set(range(5))


async def test_a_cancelled_sender_leaves_nothing_and_takes_no_ones_place(autojump_clock):
    box = inbox(1)
    await box.put(envelope(0))
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(1):
            await box.put(envelope(1))
        nursery.start_soon(box.put, envelope(2))
        await trio.testing.wait_all_tasks_blocked()
        box.pop()
    assert numbers(box) == [2]


async def test_a_wait_that_is_cancelled_loses_no_mail(autojump_clock):
    box = inbox()
    with trio.move_on_after(1):
        await box.wait()
    await box.put(envelope(1))
    await box.wait()
    assert box.pop().id == 1


async def test_mail_that_comes_while_a_wait_is_cancelled_stays(autojump_clock):
    box = inbox()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.wait)
        await trio.testing.wait_all_tasks_blocked()
        box.offer(envelope(1))
        nursery.cancel_scope.cancel()
    assert numbers(box) == [1]


def test_the_oldest_is_shed_and_its_asker_told():
    box = inbox(1, Overflow.SHED_OLDEST)
    reply = Reply()
    assert box.offer(envelope(1, reply))
    assert box.offer(envelope(2))
    assert (numbers(box), box.shed) == ([2], 1)
    assert isinstance(reply.errors[0], Refused)


async def test_a_refusing_inbox_says_so_and_waits_for_nothing():
    box = inbox(1, Overflow.REFUSE)
    assert await box.put(envelope(1))
    assert not await box.put(envelope(2))
    assert not box.offer(envelope(3))
    assert (numbers(box), box.refused) == ([1], 2)


async def test_offers_do_not_overtake_waiting_senders(autojump_clock):
    box = inbox(2)
    box.offer(envelope(0))
    box.offer(envelope(1))
    async with trio.open_nursery() as nursery:
        for number in (2, 3):
            nursery.start_soon(box.put, envelope(number))
        await trio.testing.wait_all_tasks_blocked()
        assert not box.offer(envelope(9))
        box.pop()
        box.pop()
    assert sorted(numbers(box)) == [2, 3]


async def test_stop_and_system_messages_wake_a_held_consumer(autojump_clock):
    box = inbox()
    box.suspend(True)
    box.offer(envelope(1))
    with trio.move_on_after(1) as too_long:
        await box.wait()
    assert too_long.cancelled_caught, "held mail wakes nobody"
    box.put_system(Tune("burst", 1, 2))
    await box.wait()
    box.system.clear()
    box.stop()
    await box.wait()
    assert box.halt is Halt.STOP


async def test_what_is_put_back_comes_first(autojump_clock):
    box = inbox(4)
    for number in range(4):
        box.offer(envelope(number))
    box.put_back([box.pop(), box.pop()])
    assert numbers(box) == [0, 1, 2, 3]


async def test_closing_fails_what_waits_in_it_and_before_it(autojump_clock):
    box = inbox(1)
    reply, downs = Reply(), []
    box.offer(envelope(1, reply))

    async def send():
        with pytest.raises(Down) as down:
            await box.put(envelope(2))
        downs.append(down.value.execution)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        box.close("given up")
    assert downs == [Execution.NOT_STARTED]
    assert reply.errors[0].reason == "given up"
    with pytest.raises(Down):
        box.offer(envelope(3))
    box.reopen()
    assert box.offer(envelope(4))


async def test_a_larger_inbox_lets_waiting_senders_in(autojump_clock):
    box = inbox(1)
    box.offer(envelope(0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.put, envelope(1))
        await trio.testing.wait_all_tasks_blocked()
        box.resize(2)
    assert numbers(box) == [0, 1]


def test_the_system_lane_is_bounded_too():
    box = inbox()
    for version in range(SYSTEM_CAPACITY + 5):
        box.put_system(Tune("burst", 1, version))
    assert len(box.system) == SYSTEM_CAPACITY
