"""The feed: pages, positions, and what is asked for."""

import pytest

from tests.support.sync_messages import SHARED
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.kernel.limits import SYNC_BATCH_EVENTS_MAX, SYNC_IDS_MAX
from wattswarm.transport.proto.sync.feed import FeedReader, SentIds, page
from wattswarm.transport.proto.sync.lane import LaneId
from wattswarm.transport.proto.sync.messages import Ids, Since

EPOCH, OTHER = b"e" * 16, b"o" * 16


def event(number: int) -> EventId:
    return EventId(number.to_bytes(32, "big"))


class Log:
    """A peer's log, of which every second position is in the lane."""

    def __init__(self, events: int) -> None:
        self.rows = [(Seq(2 * at), event(at)) for at in range(1, events + 1)]
        self.sent = SentIds()

    @property
    def head(self) -> Seq:
        return self.rows[-1][0]

    def answer(self, asked: Since) -> Ids:
        after = [row for row in self.rows if row[0] > asked.after]
        has_more = len(after) > asked.limit
        return page(asked, after[: asked.limit], self.sent, has_more=has_more)


def reader_of(log: Log) -> FeedReader:
    reader = FeedReader(EPOCH)
    reader.follow(SHARED)
    reader.hear(SHARED, log.head)
    return reader


def read_all(reader: FeedReader, log: Log, known: set[EventId]) -> int:
    """Read until nothing is new; return how many questions it took."""
    questions = 0
    while (asked := reader.ask(SHARED)) is not None:
        questions += 1
        for want in reader.take(log.answer(asked), known):
            assert reader.receive(want.request, want.ids) == frozenset()
            known |= set(want.ids)
    return questions


def test_all_that_is_new_is_asked_for_once() -> None:
    log, known = Log(4_000), {event(1), event(3_000)}
    reader = reader_of(log)
    assert read_all(reader, log, known) == -(-4_000 // SYNC_IDS_MAX)
    assert known == {one for _, one in log.rows}
    assert reader.is_drained(SHARED)
    assert reader.positions() == {SHARED: log.head}
    assert read_all(reader, log, known) == 0


def test_wants_are_batches() -> None:
    log = Log(SYNC_BATCH_EVENTS_MAX + 1)
    reader = reader_of(log)
    asked = reader.ask(SHARED)
    assert asked is not None
    wants = reader.take(log.answer(asked), known=())
    assert [len(want.ids) for want in wants] == [SYNC_BATCH_EVENTS_MAX, 1]
    assert wants[0].request != wants[1].request


def test_one_question_of_a_lane_is_under_way_at_a_time() -> None:
    log = Log(10)
    reader = reader_of(log)
    asked = reader.ask(SHARED)
    assert asked is not None
    assert reader.ask(SHARED) is None
    assert not reader.is_drained(SHARED)
    reader.forget_question(SHARED)
    assert reader.ask(SHARED) == asked


def test_a_position_is_kept_when_everything_before_it_has_arrived() -> None:
    log = Log(SYNC_BATCH_EVENTS_MAX + 1)
    reader = reader_of(log)
    asked = reader.ask(SHARED)
    assert asked is not None
    first, second = reader.take(log.answer(asked), known=())
    reader.receive(first.request, first.ids)
    assert reader.positions() == {SHARED: 0}
    assert reader.ask(SHARED) is None
    reader.receive(second.request, second.ids)
    assert reader.positions() == {SHARED: log.head}


def test_what_was_promised_and_is_not_delivered_is_given_up() -> None:
    log = Log(3)
    reader = reader_of(log)
    asked = reader.ask(SHARED)
    assert asked is not None
    (want,) = reader.take(log.answer(asked), known=())
    assert reader.receive(want.request, [event(1)]) == {event(2), event(3)}
    assert reader.is_drained(SHARED)
    log.rows.append((Seq(100), event(50)))
    reader.hear(SHARED, log.head)
    again = reader.ask(SHARED)
    assert again is not None
    (want,) = reader.take(log.answer(again), known=())
    assert reader.give_up(want.request) == {event(50)}
    assert reader.give_up(want.request) == frozenset()
    assert reader.is_drained(SHARED)


def test_another_feed_epoch_begins_anew() -> None:
    log = Log(10)
    reader = reader_of(log)
    known: set[EventId] = set()
    read_all(reader, log, known)
    assert not reader.restart(EPOCH)
    assert reader.restart(OTHER)
    assert reader.positions() == {SHARED: 0}
    reader.hear(SHARED, log.head)
    asked = reader.ask(SHARED)
    assert asked is not None
    assert reader.take(log.answer(asked), known) == ()
    assert reader.is_drained(SHARED)


def test_kept_positions_are_used_if_they_are_of_the_same_epoch() -> None:
    kept = {SHARED: Seq(6)}
    assert FeedReader.resume(EPOCH, kept, EPOCH).positions() == kept
    assert FeedReader.resume(OTHER, kept, EPOCH).positions() == {SHARED: 0}


def test_a_peer_is_not_told_of_what_it_sent() -> None:
    log = Log(10)
    log.sent.add(one for _, one in log.rows[2:])
    answer = log.answer(Since(lane=SHARED, after=Seq(0), limit=100))
    assert [one for _, one in answer.ids] == [event(1), event(2)]
    assert answer.up_to == log.head


def test_a_page_on_which_nothing_is_left_goes_on() -> None:
    log = Log(10)
    log.sent.add(one for _, one in log.rows)
    reader = reader_of(log)
    questions = 0
    while (asked := reader.ask(SHARED, limit=3)) is not None:
        questions += 1
        assert reader.take(log.answer(asked), known=()) == ()
    assert questions == 4
    assert reader.is_drained(SHARED)


def test_what_a_peer_sent_is_remembered_within_bounds() -> None:
    sent = SentIds(limit=2)
    sent.add([event(1), event(2)])
    sent.add([event(1), event(3)])
    assert [event(at) in sent for at in (1, 2, 3)] == [True, False, True]


def test_a_head_that_no_page_confirms_is_not_asked_for_again() -> None:
    log = Log(3)
    reader = reader_of(log)
    reader.hear(SHARED, Seq(10**15))
    known: set[EventId] = set()
    assert read_all(reader, log, known) == 1
    assert reader.is_drained(SHARED)


def test_a_head_that_is_heard_while_a_page_is_under_way_is_asked_for() -> None:
    log = Log(3)
    reader = reader_of(log)
    asked = reader.ask(SHARED)
    assert asked is not None
    answer = log.answer(asked)
    log.rows.append((Seq(100), event(50)))
    reader.hear(SHARED, log.head)
    for want in reader.take(answer, known=()):
        reader.receive(want.request, want.ids)
    assert not reader.is_drained(SHARED)
    assert reader.ask(SHARED) is not None


def test_lanes_that_are_not_followed_are_not_remembered() -> None:
    reader = FeedReader(EPOCH)
    reader.hear(LaneId(b"another!"), Seq(10))
    assert reader.positions() == {}
    assert reader.ask(LaneId(b"another!")) is None
    assert reader.is_drained(LaneId(b"another!"))


def test_answers_that_nobody_asked_for_are_offences() -> None:
    log = Log(3)
    reader = reader_of(log)
    asked = reader.ask(SHARED)
    assert asked is not None
    answer = log.answer(asked)
    (want,) = reader.take(answer, known=())
    with pytest.raises(Malformed, match="a page that was not asked for"):
        reader.take(answer, known=())
    with pytest.raises(Malformed, match="a batch that was not asked for"):
        reader.receive(want.request + 1, ())
    with pytest.raises(Malformed, match="a batch that was not asked for"):
        reader.receive(want.request, [event(77)])
