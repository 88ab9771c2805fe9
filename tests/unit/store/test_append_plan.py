"""What a batch adds to a log, decided without one."""

from tests.support.log_events import event, events, group
from wattswarm.kernel.ids import Seq
from wattswarm.kernel.lock import Lock
from wattswarm.store.append_plan import plan_append
from wattswarm.store.log_record import LockRefused, Position, Stored

LOCK, RIVAL = Lock("finality", b"k", b"1"), Lock("finality", b"k", b"2")


def test_new_entries_get_the_next_positions_and_known_ones_theirs() -> None:
    one, two, three = events(3)
    plan = plan_append(
        [group(one, two), group(three)], last_seq=Seq(9), known={two.event_id: Seq(4)}, held={}
    )
    assert plan.outcomes == (
        Stored((Position(Seq(10), is_known=False), Position(Seq(4), is_known=True))),
        Stored((Position(Seq(11), is_known=False),)),
    )
    assert [entry.event for entry in plan.added] == [one, three]


def test_nothing_has_to_be_written_for_what_is_known_or_refused() -> None:
    one = event(1)
    plan = plan_append(
        [group(one, locks=[LOCK]), group(event(2), locks=[RIVAL])],
        last_seq=Seq(1),
        known={one.event_id: Seq(1)},
        held={("finality", b"k"): b"1"},
    )
    assert plan.is_empty
    assert plan.outcomes[1] == LockRefused(0, RIVAL, b"1")


def test_a_refused_group_takes_no_locks_and_spends_no_positions() -> None:
    other = Lock("finality", b"other", b"1")
    groups = [
        group(event(1), locks=[other, RIVAL]),
        group(event(2), locks=[Lock("finality", b"other", b"2")]),
    ]
    plan = plan_append(groups, last_seq=Seq(0), known={}, held={("finality", b"k"): b"1"})
    assert plan.outcomes[0] == LockRefused(0, RIVAL, b"1")
    assert plan.outcomes[1] == Stored((Position(Seq(1), is_known=False),))
    assert plan.locks == ((Lock("finality", b"other", b"2"), Seq(1)),)


def test_a_lock_is_written_once_with_the_position_of_its_event() -> None:
    groups = [group(event(1), locks=[LOCK]), group(event(2), locks=[LOCK, LOCK])]
    plan = plan_append(groups, last_seq=Seq(0), known={}, held={})
    assert plan.locks == ((LOCK, Seq(1)),)
