"""The policy: what to do with which neighbour, and when."""

import attrs
import pytest

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.proto.sync.allowance import (
    BYTES_A_MINUTE,
    MINUTE_MS,
    SESSIONS_A_MINUTE,
    Allowance,
)
from wattswarm.transport.proto.sync.lane import LaneId
from wattswarm.transport.proto.sync.schedule import (
    AVOIDED_MS,
    BACKOFF_MS_MAX,
    BACKOFF_MS_MIN,
    BEAT_JITTER_MS,
    BEAT_MS,
    Descend,
    Heard,
    ReadFeed,
    Schedule,
    SendBeat,
)

A, B = NodeId(b"a" * 32), NodeId(b"b" * 32)
CONTROL, WORK = LaneId(b"control!"), LaneId(b"work....")
NOW = 1_790_000_000_000
SAME = Heard(peer=A, lane=WORK, is_control=False, cut=NOW - 20_000, is_equal=True, has_news=False)
DIFFERS = attrs.evolve(SAME, is_equal=False)
CONTROL_DIFFERS = attrs.evolve(DIFFERS, lane=CONTROL, is_control=True)


def middle(sides: int) -> int:
    return sides // 2


def first(_sides: int) -> int:
    return 0


@pytest.fixture
def schedule() -> Schedule:
    made = Schedule()
    made.join(A, NOW, middle)
    return made


def differing(schedule: Schedule, now: int) -> tuple[object, ...]:
    """Hear twice that roots differ, and return what is done about it, beats left out."""
    schedule.hear(DIFFERS)
    schedule.hear(DIFFERS)
    return tuple(one for one in schedule.next(now, middle) if not isinstance(one, SendBeat))


def test_a_neighbour_hears_a_beat_after_half_a_minute(schedule: Schedule) -> None:
    assert schedule.next(NOW, middle) == ()
    assert schedule.wake_at(NOW) == NOW + BEAT_MS
    assert schedule.next(NOW + BEAT_MS, middle) == (SendBeat(A),)
    assert schedule.next(NOW + BEAT_MS, middle) == ()


def test_beats_of_many_nodes_do_not_fall_together() -> None:
    times: set[int] = set()
    for throw in (0, BEAT_JITTER_MS, 2 * BEAT_JITTER_MS):
        schedule = Schedule()
        schedule.join(A, NOW, lambda _sides, throw=throw: throw)
        times.add(schedule.wake_at(NOW) - NOW)
    assert times == {BEAT_MS - BEAT_JITTER_MS, BEAT_MS, BEAT_MS + BEAT_JITTER_MS}


def test_equal_roots_need_nothing(schedule: Schedule) -> None:
    for _ in range(5):
        schedule.hear(SAME)
        assert schedule.next(NOW, middle) == ()


def test_roots_have_to_differ_in_two_beats(schedule: Schedule) -> None:
    schedule.hear(DIFFERS)
    assert schedule.next(NOW, middle) == ()
    schedule.hear(SAME)
    schedule.hear(DIFFERS)
    assert schedule.next(NOW, middle) == ()
    schedule.hear(DIFFERS)
    assert schedule.next(NOW, middle) == (Descend(A, WORK, DIFFERS.cut),)


def test_the_control_lane_is_descended_at_once(schedule: Schedule) -> None:
    schedule.hear(CONTROL_DIFFERS)
    assert schedule.next(NOW, middle) == (Descend(A, CONTROL, CONTROL_DIFFERS.cut),)


def test_other_lanes_wait_for_equal_control_lanes(schedule: Schedule) -> None:
    schedule.hear(CONTROL_DIFFERS)
    assert differing(schedule, NOW) == (Descend(A, CONTROL, CONTROL_DIFFERS.cut),)
    schedule.has_descended(A, CONTROL, NOW, has_found=True)
    schedule.hear(attrs.evolve(CONTROL_DIFFERS, is_equal=True))
    assert schedule.next(NOW, middle) == (Descend(A, WORK, DIFFERS.cut),)


def test_the_feed_is_read_before_anything_is_descended(schedule: Schedule) -> None:
    news = attrs.evolve(DIFFERS, has_news=True)
    schedule.hear(news)
    schedule.hear(news)
    assert schedule.next(NOW, middle) == (ReadFeed(A, WORK),)
    assert schedule.next(NOW, middle) == ()
    schedule.has_read(A, WORK, has_news=True)
    assert schedule.next(NOW, middle) == (ReadFeed(A, WORK),)
    schedule.has_read(A, WORK, has_news=False)
    assert schedule.next(NOW, middle) == (Descend(A, WORK, DIFFERS.cut),)


def test_there_is_one_session_at_a_time(schedule: Schedule) -> None:
    schedule.join(B, NOW, middle)
    for peer in (A, B):
        for _ in range(2):
            schedule.hear(attrs.evolve(DIFFERS, peer=peer))
    assert schedule.next(NOW, first) == (Descend(A, WORK, DIFFERS.cut),)
    assert schedule.next(NOW, first) == ()
    schedule.leave(A)
    assert schedule.next(NOW, first) == (Descend(B, WORK, DIFFERS.cut),)


def test_dice_choose_the_neighbour() -> None:
    chosen: set[NodeId] = set()
    for throw in (0, 1):
        schedule = Schedule()
        for peer in (A, B):
            schedule.join(peer, NOW, middle)
            for _ in range(2):
                schedule.hear(attrs.evolve(DIFFERS, peer=peer))
        (descend,) = schedule.next(NOW, lambda _sides, throw=throw: throw)
        assert isinstance(descend, Descend)
        chosen.add(descend.peer)
    assert chosen == {A, B}


def wait_for_descent(schedule: Schedule, now: int) -> int:
    """Return how long it takes until a lane that differs is descended again."""
    later = now
    while not differing(schedule, later):
        later += 10_000
        assert later <= now + BACKOFF_MS_MAX
    return later - now


def test_a_session_that_finds_nothing_is_repeated_ever_later(schedule: Schedule) -> None:
    schedule.hear(attrs.evolve(CONTROL_DIFFERS, is_equal=True))
    now, waits = NOW, list[int]()
    differing(schedule, now)
    for _ in range(7):
        schedule.has_descended(A, CONTROL, now, has_found=True)
        schedule.has_descended(A, WORK, now, has_found=False)
        waits.append(wait_for_descent(schedule, now))
        now += waits[-1]
    assert waits == [min(BACKOFF_MS_MIN * 2**n, BACKOFF_MS_MAX) for n in range(7)]


def test_a_session_that_found_something_may_be_repeated_at_once(schedule: Schedule) -> None:
    differing(schedule, NOW)
    schedule.has_descended(A, WORK, NOW, has_found=False)
    schedule.has_descended(A, WORK, NOW, has_found=True)
    assert differing(schedule, NOW) == (Descend(A, WORK, DIFFERS.cut),)


def test_a_peer_that_is_never_worth_it_is_left_alone(schedule: Schedule) -> None:
    schedule.hear(DIFFERS)
    for _ in range(3):
        schedule.has_descended(A, WORK, NOW, has_found=False)
    assert schedule.admit_session(A, NOW) == AVOIDED_MS
    assert differing(schedule, NOW + AVOIDED_MS - 1) == ()
    assert differing(schedule, NOW + AVOIDED_MS) == (Descend(A, WORK, DIFFERS.cut),)


def test_a_busy_neighbour_is_left_alone_for_as_long_as_it_asks(schedule: Schedule) -> None:
    schedule.be_refused(A, 5_000, NOW)
    schedule.hear(attrs.evolve(DIFFERS, has_news=True))
    assert schedule.next(NOW, middle) == ()
    assert schedule.wake_at(NOW) == NOW + 5_000
    assert schedule.next(NOW + 5_000, middle) == (ReadFeed(A, WORK),)


def test_a_neighbour_begins_three_sessions_a_minute(schedule: Schedule) -> None:
    waits = [schedule.admit_session(A, NOW + at) for at in range(SESSIONS_A_MINUTE + 1)]
    assert waits == [0, 0, 0, MINUTE_MS - SESSIONS_A_MINUTE]
    assert schedule.admit_session(A, NOW + MINUTE_MS) == 0


def test_a_neighbour_that_took_its_bytes_waits_for_more(schedule: Schedule) -> None:
    schedule.spend(A, BYTES_A_MINUTE, NOW)
    assert schedule.wait_ms(A, NOW) > 0
    schedule.hear(attrs.evolve(DIFFERS, has_news=True))
    assert schedule.next(NOW, middle) == ()
    later = NOW + schedule.wait_ms(A, NOW)
    assert schedule.next(later, middle) == (ReadFeed(A, WORK),)


def test_bytes_come_back_evenly_and_never_beyond_a_minute_of_them() -> None:
    allowance = Allowance(NOW)
    allowance.spend(10 * BYTES_A_MINUTE, NOW)
    assert allowance.wait_ms(NOW) <= MINUTE_MS + 1
    assert allowance.wait_ms(NOW + 10 * MINUTE_MS) == 0
    allowance.spend(BYTES_A_MINUTE - 1, NOW + 10 * MINUTE_MS)
    assert allowance.wait_ms(NOW + 10 * MINUTE_MS) == 0
    allowance.spend(1, NOW + 10 * MINUTE_MS)
    assert allowance.wait_ms(NOW + 10 * MINUTE_MS) == 1


def test_a_neighbour_that_left_is_forgotten(schedule: Schedule) -> None:
    differing(schedule, NOW)
    schedule.leave(A)
    schedule.has_descended(A, WORK, NOW, has_found=True)
    schedule.has_read(A, WORK, has_news=True)
    schedule.spend(A, 5, NOW)
    schedule.be_refused(A, 5, NOW)
    assert schedule.next(NOW + BEAT_MS, middle) == ()
    assert schedule.wake_at(NOW) == NOW + BEAT_MS
