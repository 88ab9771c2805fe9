"""What a log promises, in memory and in PostgreSQL alike."""

from collections.abc import Iterator
from typing import TypeAlias

import pytest

from tests.support.log_events import START_MS, event, events, group, singles
from wattswarm.kernel import chain, radix_trie, time_trie
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.ids import EventId, NodeId, Seq
from wattswarm.kernel.lock import Lock
from wattswarm.store import log_reader
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.errors import Fenced
from wattswarm.store.event_log import POINTS, LogWriter
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import Appended, Head, LockRefused, Position, Stored
from wattswarm.store.memory_log import MemoryLog, MemoryLogReader, MemoryLogWriter

Writer: TypeAlias = LogWriter | MemoryLogWriter
Reader: TypeAlias = LogReader | MemoryLogReader

ZERO = Seq(0)


class Log:
    """A log under test: its writers and one reader."""

    def __init__(self, database: Database | None) -> None:
        self.database = database
        self.memory = MemoryLog()
        self.writers: list[Writer] = []
        self.reader: Reader = MemoryLogReader(self.memory)
        if database is not None:
            self.reader = LogReader(database.connect(Purpose.READER))

    def writer(self) -> Writer:
        made: Writer = MemoryLogWriter(self.memory)
        if self.database is not None:
            made = LogWriter(self.database)
        self.writers.append(made)
        return made

    def close(self) -> None:
        for writer in self.writers:
            writer.close()
        if isinstance(self.reader, LogReader):
            self.reader.connection.close()


@pytest.fixture(params=["memory", "postgres"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    is_memory = request.param == "memory"
    made = Log(None if is_memory else request.getfixturevalue("database"))
    yield made
    made.close()


@pytest.fixture
def writer(log: Log) -> Writer:
    made = log.writer()
    made.open()
    return made


def positions(appended: Appended) -> list[tuple[int, bool]]:
    found: list[Position] = []
    for outcome in appended.outcomes:
        assert isinstance(outcome, Stored), outcome
        found.extend(outcome.positions)
    return [(position.seq, position.is_known) for position in found]


def test_an_empty_log_has_a_head_at_zero(log: Log) -> None:
    head = log.writer().open()
    assert (head.seq, head.chain) == (0, chain.START)
    assert log.reader.head() == head
    assert log.reader.read(ZERO, limit=10) == ()
    assert log.reader.lanes() == ()


def test_governance_is_read_without_the_rest(writer: Writer, log: Log) -> None:
    made = [
        event(0),
        event(1, scope="global", lane_class=LaneClass.CONTROL, kind="GOVERNANCE_UPDATED"),
        event(2, scope="global", kind="GOVERNANCE_UPDATED"),
        event(3, scope="global", lane_class=LaneClass.CONTROL, kind="NODE_ADMITTED"),
        event(4, scope="global", lane_class=LaneClass.CONTROL, kind="NODE_REVOKED"),
    ]
    writer.append(singles(made))
    assert [row.seq for row in log.reader.governance_events()] == [2, 3, 4]
    assert [row.seq for row in log.reader.governance_events(Seq(2), limit=1)] == [3]


def test_positions_are_gap_free_and_follow_the_order_of_the_batch(writer: Writer, log: Log) -> None:
    made = events(7)
    first = writer.append([group(*made[:3]), group(made[3])])
    second = writer.append(singles(made[4:]))
    assert positions(first) == [(1, False), (2, False), (3, False), (4, False)]
    assert positions(second) == [(5, False), (6, False), (7, False)]
    assert second.head.seq == 7
    rows = log.reader.read(ZERO, limit=100)
    assert [row.event() for row in rows] == made
    assert [row.seq for row in rows] == list(range(1, 8))


def test_a_known_event_keeps_its_position_and_spends_none(writer: Writer, log: Log) -> None:
    made = events(4)
    writer.append(singles(made[:2]))
    again = writer.append(singles([made[1], made[2], made[0], made[3]]))
    assert positions(again) == [(2, True), (3, False), (1, True), (4, False)]
    only_known = writer.append(singles(made))
    assert only_known.head == again.head == log.reader.head()


def test_an_event_that_is_twice_in_a_batch_is_stored_once(writer: Writer) -> None:
    one, two = events(2)
    appended = writer.append([group(one, one), group(two), group(one)])
    assert positions(appended) == [(1, False), (1, True), (2, False), (1, True)]


def test_the_chain_seals_every_row(writer: Writer, log: Log) -> None:
    made = events(5)
    writer.append(singles(made[:2]))
    writer.append(singles(made[2:]))
    links = chain.links(chain.START, [item.event_id for item in made])
    assert tuple(row.chain for row in log.reader.read(ZERO, limit=10)) == links
    assert log.reader.head().chain == links[-1]


def test_a_row_holds_what_was_signed(writer: Writer, log: Log) -> None:
    task = event(1, kind="TASK_CREATED", scope="group:g")
    claim = event(2, task_id=task.event_id, scope="group:g")
    writer.append(singles([task, claim]))
    first, second = log.reader.read(ZERO, limit=10)
    assert first.task_id == second.task_id == task.event_id
    assert (first.kind, first.scope, first.lane_class) == ("TASK_CREATED", "group:g", "work")
    assert (first.body, first.signature, first.author) == (task.body, task.signature, task.author)
    assert (second.created_at, second.received_at) == (START_MS + 2, START_MS)


def test_a_taken_lock_refuses_the_whole_group_and_no_other(writer: Writer, log: Log) -> None:
    mine, other = Lock("finality", b"task", b"candidate 1"), Lock("finality", b"task", b"2")
    made = events(5)
    writer.append([group(made[0], locks=[mine])])
    appended = writer.append(
        [group(made[1]), group(made[2], made[3], locks=[other]), group(made[4], locks=[mine])]
    )
    stored, refused, last = appended.outcomes
    assert refused == LockRefused(1, other, b"candidate 1")
    assert stored == Stored((Position(Seq(2), is_known=False),))
    assert last == Stored((Position(Seq(3), is_known=False),))
    assert log.reader.positions([made[2].event_id, made[3].event_id]) == {}


def test_of_two_groups_in_a_batch_the_first_gets_the_lock(writer: Writer) -> None:
    one, two = Lock("decision", b"task", b"1"), Lock("decision", b"task", b"2")
    made = events(3)
    appended = writer.append(
        [group(made[0], locks=[one]), group(made[1], locks=[two]), group(made[2], locks=[one])]
    )
    assert appended.outcomes[1] == LockRefused(0, two, b"1")
    assert appended.head.seq == 2


def test_a_group_that_contradicts_itself_takes_no_lock(writer: Writer) -> None:
    one, two = Lock("decision", b"task", b"1"), Lock("decision", b"task", b"2")
    made = events(2)
    refused = writer.append([group(made[0], locks=[one, two])])
    assert refused.outcomes == (LockRefused(0, two, b"1"),)
    assert positions(writer.append([group(made[1], locks=[two])])) == [(1, False)]


def test_a_known_event_may_take_a_lock(writer: Writer) -> None:
    made = events(2)
    lock = Lock("finality", b"task", b"1")
    writer.append([group(made[0])])
    assert positions(writer.append([group(made[0], locks=[lock])])) == [(1, True)]
    refused = writer.append([group(made[1], locks=[Lock("finality", b"task", b"2")])])
    assert refused.outcomes == (LockRefused(0, Lock("finality", b"task", b"2"), b"1"),)


def test_locks_outlive_the_writer_that_took_them(log: Log) -> None:
    made = events(2)
    first, second = log.writer(), log.writer()
    first.open()
    first.append([group(made[0], locks=[Lock("finality", b"task", b"1")])])
    second.open()
    refused = second.append([group(made[1], locks=[Lock("finality", b"task", b"2")])])
    assert isinstance(refused.outcomes[0], LockRefused)


def test_a_replaced_writer_is_fenced_and_writes_nothing(log: Log) -> None:
    made = events(3)
    old, new = log.writer(), log.writer()
    term = old.open().term
    old.append(singles(made[:1]))
    assert new.open().term == term + 1
    for _attempt in range(2):
        with pytest.raises(Fenced) as caught:
            old.append(singles(made[1:2]))
        assert caught.value.term == term
    assert positions(new.append(singles(made[2:]))) == [(2, False)]
    assert [row.event() for row in log.reader.read(ZERO, limit=10)] == [made[0], made[2]]


def test_a_writer_goes_on_where_the_one_before_ended(log: Log) -> None:
    made = events(300)
    for start in range(0, 300, 100):
        writer = log.writer()
        writer.open()
        writer.append(singles(made[start : start + 100]))
    assert [row.event() for row in log.reader.read(ZERO, limit=1000)] == made


def test_each_lane_has_the_root_of_its_own_events(writer: Writer, log: Log) -> None:
    lanes = [(scope, of) for scope in ("global", "node:a") for of in LaneClass]
    made = [
        event(number, scope=scope, lane_class=lane_class)
        for number in range(100)
        for scope, lane_class in lanes
    ]
    for start in range(0, len(made), 70):
        writer.append(singles(made[start : start + 70]))
    found = {(lane.scope, lane.lane_class): lane.root for lane in log.reader.lanes()}
    assert list(found) == sorted(lanes)
    for scope, lane_class in lanes:
        keys = sorted(
            time_trie.key(item.created_at, item.event_id)
            for item in made
            if (item.scope, item.lane_class) == (scope, lane_class)
        )
        assert found[scope, lane_class] == radix_trie.build(keys)


def test_reading_goes_on_after_a_position_within_a_limit(writer: Writer, log: Log) -> None:
    made = events(10)
    writer.append(singles(made))
    assert [row.seq for row in log.reader.read(Seq(4), limit=3)] == [5, 6, 7]
    assert log.reader.read(Seq(10), limit=3) == ()
    third = log.reader.at(Seq(3))
    assert third is not None
    assert third.event() == made[2]
    assert log.reader.at(Seq(11)) is None


def test_the_events_of_tasks_are_found_without_the_rest(writer: Writer, log: Log) -> None:
    one, two = (event(number, kind="TASK_CREATED") for number in range(2))
    about_one = [event(10 + number, task_id=one.event_id) for number in range(3)]
    about_two = [event(20, task_id=two.event_id)]
    writer.append(singles([one, about_two[0], *about_one, two, event(30)]))
    of_one = log.reader.task_events(one.event_id)
    assert [row.event() for row in of_one] == [one, *about_one]
    assert log.reader.task_events(one.event_id, of_one[1].seq, limit=1) == of_one[2:3]
    unknown = EventId(bytes(32))
    found = log.reader.events_of_tasks([one.event_id, two.event_id, unknown], Seq(5))
    assert found == {one.event_id: of_one, two.event_id: found[two.event_id], unknown: ()}
    assert [row.event() for row in found[two.event_id]] == about_two
    assert log.reader.events_of_tasks([], Seq(5)) == {}


def test_the_tasks_of_events_and_of_authors_are_found(writer: Writer, log: Log) -> None:
    tasks = sorted((event(number, kind="TASK_CREATED") for number in range(3)), key=_id)
    about_last = event(20, task_id=tasks[2].event_id)
    writer.append(singles([*tasks, about_last, event(30)]))
    first, _, last = (each.event_id for each in tasks)
    find = log.reader.tasks_about
    assert find([], []) == ()
    assert find([about_last.event_id, EventId(bytes(32)), first], []) == (first, last)
    assert find([about_last.event_id], [], Seq(3)) == ()
    assert find([], [tasks[0].author]) == tuple(each.event_id for each in tasks)


def test_what_names_no_task_is_found_by_id_and_by_author_page_by_page(
    writer: Writer, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "TASKLESS_ROWS_MAX", 2)
    task = event(0, kind="TASK_CREATED")
    free = [event(number) for number in range(1, 8)]
    writer.append(singles([task, event(20, task_id=task.event_id), *free]))

    def find(events: list[EventId], authors: list[NodeId], up_to: int = 99) -> list[EventId]:
        pages = log.reader.taskless_about(events, authors, Seq(up_to))
        return [row.event_id for page in pages for row in page]

    everything = [each.event_id for each in free]
    assert find([], []) == []
    assert find([task.event_id, free[3].event_id, EventId(bytes(32))], []) == [everything[3]]
    assert find([free[3].event_id], [task.author]) == everything
    assert find([], [task.author], 4) == everything[:2]
    assert find([], [NodeId(bytes(32))]) == []


def _id(each: Event) -> EventId:
    return each.event_id


def test_the_events_of_large_tasks_are_read_page_by_page(
    writer: Writer, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "TASK_ROWS_MAX", 3)
    monkeypatch.setattr(log_reader, "TASKS_MAX", 2)
    tasks = [event(number, kind="TASK_CREATED") for number in range(5)]
    named = [
        event(10 * number + index, task_id=tasks[number].event_id)
        for number, count in enumerate([0, 2, 3, 7, 8])
        for index in range(1, count + 1)
    ]
    writer.append(singles([*tasks, *named]))
    found = log.reader.events_of_tasks([each.event_id for each in tasks], Seq(99))
    assert [len(found[each.event_id]) for each in tasks] == [1, 3, 4, 8, 9]
    for each in tasks:
        assert found[each.event_id] == log.reader.task_events(each.event_id)
    cut = log.reader.events_of_tasks([tasks[4].event_id], Seq(21))
    assert [row.seq for row in cut[tasks[4].event_id]] == [5, 18, 19, 20, 21]


def test_an_event_is_found_by_id_or_by_a_prefix_of_it(writer: Writer, log: Log) -> None:
    made = events(60)
    writer.append(singles(made))
    wanted = made[17]
    assert [row.event() for row in log.reader.find(wanted.event_id.hex())] == [wanted]
    assert [row.event() for row in log.reader.find(wanted.event_id.hex()[:12])] == [wanted]
    assert len(log.reader.find(wanted.event_id.hex()[:1])) <= 2
    digits = sorted({item.event_id.hex()[0] for item in made})
    ambiguous = [digit for digit in digits if len(log.reader.find(digit)) == 2]
    assert ambiguous, "sixty ids begin with sixteen digits"
    row = log.reader.event(wanted.event_id)
    assert row is not None
    assert row.event() == wanted
    assert log.reader.event(EventId(bytes(32))) is None
    assert log.reader.find("0" * 64) == ()


def test_the_points_are_passed_in_order(log: Log) -> None:
    passed: list[str] = []
    writer = log.writer()
    writer.point = passed.append
    writer.open()
    writer.append(singles(events(3)))
    assert tuple(passed) == POINTS


@pytest.mark.parametrize("where", POINTS)
def test_a_fault_at_any_point_leaves_the_whole_batch_or_nothing(log: Log, where: str) -> None:
    def strike(name: str) -> None:
        if name == where:
            raise InterruptedError(name)

    made = events(200)
    writer = log.writer()
    writer.open()
    writer.append(singles(made[:50]))
    writer.point = strike
    with pytest.raises(InterruptedError):
        writer.append(singles(made[50:]))
    is_there = where == "after_commit"
    assert log.reader.head().seq == (200 if is_there else 50)
    writer.point = lambda _name: None
    again = writer.append(singles(made[50:]))
    assert positions(again) == [(seq, is_there) for seq in range(51, 201)]
    keys = sorted(time_trie.key(item.created_at, item.event_id) for item in made)
    assert [lane.root for lane in log.reader.lanes()] == [radix_trie.build(keys)]


def test_an_empty_batch_answers_with_the_head(writer: Writer, log: Log) -> None:
    head: Head = writer.append([]).head
    assert head == log.reader.head()
