"""When a node stops signing, in memory and in PostgreSQL alike.

The writer of the log finds out, and the writer refuses: whatever way a signature takes.
"""

from collections.abc import Iterator, Sequence

import attrs
import pytest

from tests.support.log_events import KEY, START_MS, event, events, group, singles
from wattswarm.kernel.event import Event
from wattswarm.kernel.lock import Lock
from wattswarm.kernel.signature import KeyPair
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.event_log import LogWriter
from wattswarm.store.log_record import Forgotten, Group, LockRefused, SigningStopped, Stored
from wattswarm.store.memory_log import MemoryLog, MemoryLogWriter
from wattswarm.store.signing import Signing, Standing

SOMEBODY = KeyPair.from_seed(b"\x2a" * 32)


@attrs.define
class Node:
    """A log with its writer, and how the node stands."""

    memory: MemoryLog
    local: Connection | None
    writer: LogWriter | MemoryLogWriter
    alarms: list[Event]

    @property
    def standing(self) -> Standing:
        return self.memory.standing if self.local is None else Signing(self.local).standing()

    def restored(self, at_ms: int) -> None:
        if self.local is None:
            self.memory.standing = Standing(restored_at_ms=at_ms)
        else:
            Signing(self.local).restored(at_ms)


@pytest.fixture(params=["memory", "postgres"])
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node that is the author of all test events, and has signed the first two."""
    memory, alarms = MemoryLog(), list[Event]()
    if request.param == "memory":
        writer = MemoryLogWriter(memory, own=KEY.node_id, alarm=alarms.append)
        writer.append(signed(events(2)))
        yield Node(memory, None, writer, alarms)
        return
    database: Database = request.getfixturevalue("database")
    with database.connect(Purpose.LOCAL) as local:
        writer = LogWriter(database, own=KEY.node_id, alarm=alarms.append)
        writer.open()
        writer.append(signed(events(2)))
        yield Node(memory, local, writer, alarms)
        writer.close()


def signed(made: Sequence[Event], *, opened_at: int | None = None) -> list[Group]:
    """Return the groups of events that this node signs now."""
    return [
        [attrs.evolve(entry, is_own=True, opened_at=opened_at) for entry in each]
        for each in singles(made)
    ]


def outcome(node: Node, *groups: Group) -> list[type]:
    return [type(each) for each in node.writer.append(groups).outcomes]


def test_what_this_node_signs_is_no_alarm_nor_is_what_its_log_holds(node: Node) -> None:
    assert outcome(node, *signed(events(4))) == [Stored] * 4
    assert outcome(node, *singles(events(4))) == [Stored] * 4
    assert (node.standing, node.alarms) == (Standing(), [])


def test_what_others_signed_is_no_alarm(node: Node) -> None:
    theirs = attrs.evolve(event(7), author=SOMEBODY.node_id)
    assert outcome(node, group(theirs)) == [Stored]
    assert node.standing.word == "free"


def test_an_event_of_our_key_from_elsewhere_is_taken_and_stops_signing(node: Node) -> None:
    assert outcome(node, *singles([event(7)])) == [Stored]
    assert node.alarms == [event(7)]
    assert (node.standing.word, node.standing.event_id) == ("suspected", event(7).event_id)
    assert node.standing.since_ms == START_MS
    assert outcome(node, *signed([event(8)])) == [SigningStopped]
    assert outcome(node, *singles([event(9)])) == [Stored], "taking goes on"
    assert node.alarms == [event(7)], "one alarm is enough"
    assert node.standing.event_id == event(7).event_id


def test_what_waits_in_the_same_batch_is_not_signed_either(node: Node) -> None:
    assert outcome(node, *signed([event(8)]), *singles([event(7)])) == [SigningStopped, Stored]


def test_what_this_node_signed_before_stands_when_it_is_appended_again(node: Node) -> None:
    node.writer.append(singles([event(7)]))
    assert outcome(node, *signed(events(2))) == [Stored, Stored]


def test_an_event_that_is_both_signed_and_brought_is_no_alarm(node: Node) -> None:
    assert outcome(node, *singles([event(7)]), *signed([event(7)])) == [Stored, Stored]
    assert node.alarms == []


def test_an_empty_log_takes_its_genesis_record(request: pytest.FixtureRequest) -> None:
    stopped = Standing(word="suspected", since_ms=1)
    writer = MemoryLogWriter(MemoryLog(standing=stopped), own=KEY.node_id)
    outcomes = writer.append(signed([event(1), event(2)])).outcomes
    assert [type(each) for each in outcomes] == [Stored, SigningStopped]


def test_after_a_restore_only_what_was_opened_later_is_signed(node: Node) -> None:
    node.writer.append(singles([event(7)]))
    node.restored(START_MS + 10)
    assert outcome(node, *signed([event(11)], opened_at=START_MS + 10)) == [Forgotten]
    assert outcome(node, *signed([event(12)], opened_at=START_MS + 11)) == [Stored]
    assert outcome(node, *signed([event(13)])) == [Stored]


def test_a_refused_signature_takes_no_lock(node: Node) -> None:
    def locked(number: int, opened_at: int) -> Group:
        (entry,) = group(event(number), locks=[Lock("finality", b"key", bytes([number]))])
        return [attrs.evolve(entry, is_own=True, opened_at=opened_at)]

    node.restored(START_MS + 10)
    assert outcome(node, locked(11, START_MS)) == [Forgotten]
    assert outcome(node, locked(12, START_MS + 11)) == [Stored]
    assert outcome(node, locked(13, START_MS + 11)) == [LockRefused]


def test_what_a_restore_lost_may_come_back_and_what_a_clone_says_now_may_not(node: Node) -> None:
    node.restored(START_MS + 10)
    assert outcome(node, *singles([event(9), event(10)])) == [Stored, Stored]
    assert node.standing.word == "free"
    assert outcome(node, *singles([event(11)])) == [Stored]
    assert node.standing.word == "suspected"
