"""What is known of the log."""

from hypothesis import given
from hypothesis import strategies as st

from wattswarm.actors.dispatch.bodies import RecentBodies
from wattswarm.actors.dispatch.reach import Reach
from wattswarm.kernel.ids import Seq


def test_own_events_are_known_without_reading_them_once_nothing_stands_before_them() -> None:
    reach = Reach()
    reach.read_to(Seq(4))
    reach.wrote((5, 6), head=8)
    assert (reach.seq, reach.is_behind) == (6, True)
    reach.wrote((8,), head=8)
    assert reach.seq == 6
    reach.read_to(Seq(7))
    assert (reach.seq, reach.is_behind) == (8, False)


def test_an_announcement_of_what_is_known_says_nothing_new() -> None:
    reach = Reach()
    reach.read_to(Seq(9))
    reach.hear(3)
    assert not reach.is_behind
    reach.hear(10)
    assert reach.is_behind


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30))))
def test_what_is_known_has_no_gap(steps: list[tuple[bool, int]]) -> None:
    reach, known = Reach(), set[int]()
    for is_own, seq in steps:
        if is_own:
            reach.wrote((seq,), head=seq)
            known.add(seq)
        else:
            reach.read_to(Seq(seq))
            known |= set(range(1, seq + 1))
    assert set(range(1, reach.seq + 1)) <= known
    assert reach.seq + 1 not in known


def test_the_bodies_that_were_wanted_last_are_kept_and_no_more_than_may_be() -> None:
    bodies = RecentBodies(bytes_max=10)
    bodies.put("a", b"1234")
    bodies.put("b", b"1234")
    assert bodies.get("a") == b"1234"
    bodies.put("c", b"1234")
    assert bodies.get("b") is None
    assert (bodies.get("a"), bodies.get("c")) == (b"1234", b"1234")
    bodies.put("d", b"12345678901")
    assert bodies.get("d") is None
