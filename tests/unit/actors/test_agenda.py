"""The agenda of the dispatcher: tasks come up when they changed or when their date has come."""

from hypothesis import given
from hypothesis import strategies as st

from wattswarm.actors.dispatch.agenda import STALE_MIN, Agenda
from wattswarm.kernel.ids import EventId

ONE, TWO = EventId(b"1" * 32), EventId(b"2" * 32)


def test_a_task_that_changed_twice_comes_up_once() -> None:
    agenda = Agenda()
    agenda.mark(ONE)
    agenda.mark(TWO)
    agenda.mark(ONE)
    assert agenda.take(0, 10) == [ONE, TWO]
    assert not agenda.has_changed


def test_a_later_date_replaces_an_earlier_one() -> None:
    agenda = Agenda()
    agenda.schedule(ONE, 10)
    agenda.schedule(ONE, 20)
    assert agenda.take(15, 10) == []
    assert agenda.next_at_ms() == 20
    assert agenda.take(20, 10) == [ONE]


def test_a_date_can_be_taken_back() -> None:
    agenda = Agenda()
    agenda.schedule(ONE, 10)
    agenda.schedule(ONE, None)
    assert agenda.next_at_ms() is None
    assert agenda.take(99, 10) == []


def test_what_exceeds_the_limit_comes_up_next_time() -> None:
    agenda = Agenda()
    agenda.mark(ONE)
    agenda.mark(TWO)
    assert agenda.take(0, 1) == [ONE]
    assert agenda.has_changed
    assert agenda.take(0, 1) == [TWO]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), max_size=60), st.integers(0, 50))
def test_exactly_the_tasks_come_up_whose_last_date_has_come(
    plans: list[tuple[int, int]], now_ms: int
) -> None:
    agenda = Agenda()
    last: dict[EventId, int] = {}
    for number, at_ms in plans:
        task_id = EventId(bytes([number]) * 32)
        agenda.schedule(task_id, at_ms)
        last[task_id] = at_ms
    expected = {task_id for task_id, at_ms in last.items() if at_ms <= now_ms}
    assert set(agenda.take(now_ms, 100)) == expected


def test_a_task_is_looked_at_sooner_but_not_later() -> None:
    agenda = Agenda()
    agenda.advance(ONE, 20)
    agenda.advance(ONE, 30)
    assert agenda.next_at_ms() == 20
    agenda.advance(ONE, 10)
    assert agenda.next_at_ms() == 10


def test_dates_that_are_set_over_and_over_take_no_room() -> None:
    agenda = Agenda()
    for at_ms in range(10 * STALE_MIN):
        agenda.schedule(ONE, 1_000_000 + at_ms)
        agenda.schedule(TWO, 2_000_000)
    assert agenda.room_taken <= STALE_MIN + 2 * 2
    assert agenda.next_at_ms() == 1_000_000 + 10 * STALE_MIN - 1
