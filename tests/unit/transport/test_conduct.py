"""What peers do, and what it costs them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.proto.conduct import (
    BAN_MS,
    BAN_MS_MAX,
    BAN_POINTS,
    DISCONNECT_POINTS,
    FORGIVEN_MS,
    PEERS_MAX,
    POINTS,
    REMEMBERED_MS,
    Conduct,
    Measure,
    Offence,
)

PEER, OTHER = NodeId(b"\1" * 32), NodeId(b"\2" * 32)


def peer(number: int) -> NodeId:
    return NodeId(number.to_bytes(32, "big"))


def test_every_offence_costs_something() -> None:
    assert set(POINTS) == set(Offence)
    assert all(points > 0 for points in POINTS.values())


@pytest.mark.parametrize(
    "offence", [Offence.BAD_SIGNATURE, Offence.CONTRADICTION, Offence.WRONG_CONTENT]
)
def test_what_no_honest_node_does_is_a_ban_at_once_that_expires(offence: Offence) -> None:
    conduct = Conduct()
    assert conduct.note(PEER, offence, 1_000) is Measure.BAN
    assert conduct.banned_until(PEER, 1_000) == 1_000 + BAN_MS
    assert conduct.banned_until(PEER, 1_000 + BAN_MS - 1) is not None
    assert conduct.banned_until(PEER, 1_000 + BAN_MS) is None
    assert conduct.banned_until(OTHER, 1_000) is None


def test_small_offences_add_up_to_the_link_and_then_to_a_ban() -> None:
    conduct = Conduct()
    measures = [conduct.note(PEER, Offence.LATE, 0) for _ in range(BAN_POINTS)]
    assert measures.index(Measure.DISCONNECT) == DISCONNECT_POINTS - 1
    assert measures.count(Measure.DISCONNECT) == 1
    assert measures.index(Measure.BAN) == BAN_POINTS - 1


def test_small_offences_now_and_then_are_forgiven() -> None:
    conduct = Conduct()
    for number in range(10 * BAN_POINTS):
        assert conduct.note(PEER, Offence.LATE, number * FORGIVEN_MS) is Measure.NOTHING


def test_each_further_ban_is_twice_as_long_up_to_a_day() -> None:
    conduct, now_ms = Conduct(), 0
    for number in range(12):
        conduct.note(PEER, Offence.BAD_SIGNATURE, now_ms)
        until_ms = conduct.banned_until(PEER, now_ms)
        assert until_ms == now_ms + min(BAN_MS_MAX, BAN_MS * 2**number)
        now_ms = until_ms + 1
    now_ms += REMEMBERED_MS
    conduct.note(PEER, Offence.BAD_SIGNATURE, now_ms)
    assert conduct.banned_until(PEER, now_ms) == now_ms + BAN_MS


def test_an_operator_bans_and_unbans() -> None:
    conduct = Conduct()
    conduct.ban(PEER, 500, 0)
    assert conduct.banned_until(PEER, 499) == 500
    conduct.note(PEER, Offence.BAD_SIGNATURE, 10)
    assert conduct.banned_until(PEER, 10) == 10 + BAN_MS
    conduct.unban(PEER, 20)
    assert conduct.banned_until(PEER, 20) is None
    conduct.note(PEER, Offence.BAD_SIGNATURE, 30)
    assert conduct.banned_until(PEER, 30) == 30 + BAN_MS


def test_what_was_done_is_counted_by_peer_and_reason() -> None:
    conduct = Conduct()
    conduct.note(PEER, Offence.LATE, 0)
    conduct.note(PEER, Offence.LATE, 0)
    conduct.note(PEER, Offence.MALFORMED, 0)
    conduct.ban(OTHER, 10, 0)
    assert list(conduct.offences()) == [(PEER, {Offence.LATE: 2, Offence.MALFORMED: 1})]


def test_strangers_without_number_do_not_push_out_who_is_banned() -> None:
    conduct = Conduct()
    conduct.note(PEER, Offence.BAD_SIGNATURE, 0)
    for number in range(10, PEERS_MAX + 50):
        conduct.note(peer(number), Offence.LATE, 1)
    assert conduct.banned_until(PEER, 1) is not None
    assert len(list(conduct.offences())) == PEERS_MAX


def test_not_even_bans_are_remembered_without_end() -> None:
    conduct = Conduct()
    for number in range(PEERS_MAX + 50):
        conduct.note(peer(number), Offence.BAD_SIGNATURE, 0)
    assert len(list(conduct.offences())) == PEERS_MAX
    assert conduct.banned_until(peer(PEERS_MAX + 49), 0) is not None


@given(st.lists(st.tuples(st.sampled_from(list(Offence)), st.integers(0, 10**7)), max_size=60))
def test_no_clock_and_no_order_makes_a_ban_last_for_ever(said: list[tuple[Offence, int]]) -> None:
    conduct = Conduct()
    for offence, at_ms in said:
        conduct.note(PEER, offence, at_ms)
    latest = max((at_ms for _, at_ms in said), default=0)
    assert conduct.banned_until(PEER, latest + BAN_MS_MAX) is None
