"""Tasks that a bug struck are left alone longer each time, and told of once."""

import pytest

from wattswarm.actors.dispatch import quarantine
from wattswarm.actors.dispatch.quarantine import PAUSE_MS_MAX, PAUSE_MS_MIN, Quarantine
from wattswarm.kernel.ids import EventId

ONE, TWO = EventId(b"1" * 32), EventId(b"2" * 32)


def test_a_task_that_fails_again_is_left_alone_for_longer() -> None:
    made = Quarantine()
    pauses: list[int] = []
    for _ in range(40):
        made.admit(ONE, "it fails", 1_000)
        pauses.append(made.until_ms(ONE) - 1_000)
    assert pauses[:3] == [PAUSE_MS_MIN, 2 * PAUSE_MS_MIN, 4 * PAUSE_MS_MIN]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_MS_MAX


def test_the_same_failure_is_news_once() -> None:
    made = Quarantine()
    assert made.admit(ONE, "it fails", 0)
    assert not made.admit(ONE, "it fails", 0)
    assert made.admit(ONE, "it fails otherwise", 0)
    assert made.admit(TWO, "it fails", 0)
    assert made.failures == 4


def test_a_task_that_was_got_on_with_is_not_set_aside_any_more() -> None:
    made = Quarantine()
    made.admit(ONE, "it fails", 0)
    made.admit(TWO, "it fails", 0)
    made.dismiss(ONE)
    made.dismiss(ONE)
    assert made.until_ms(ONE) == 0
    assert made.snapshot() == {"count": 1, "failures": 2, "tasks": {TWO.hex(): "it fails"}}


def test_no_more_tasks_are_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quarantine, "KEPT_MAX", 1)
    made = Quarantine()
    made.admit(ONE, "it fails", 0)
    made.admit(TWO, "it fails", 0)
    assert (len(made), made.until_ms(ONE)) == (1, 0)
