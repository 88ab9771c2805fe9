"""The checks themselves: each finds what it is there for, and says so in words."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.log_events import NETWORK, event, events, group, singles
from wattswarm.chaos.calls import Call, read_calls
from wattswarm.chaos.cases import Case, Kind, Special, matrix
from wattswarm.chaos.invariants import (
    Invariant,
    Log,
    check_acknowledged,
    check_calls,
    check_committed,
    check_log,
    check_once,
    check_outcomes,
    check_projections,
    check_writer,
)
from wattswarm.chaos.kill_matrix import points
from wattswarm.chaos.leftovers import MARK, check_leftovers
from wattswarm.chaos.outcome import Struck, Tally, document, quantiles, report
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.store.audit import Audit, Write
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.event_log import LogWriter

UNKNOWN = EventId(bytes(32))


@pytest.fixture
def log(database: Database) -> Log:
    """A log of five events."""
    writer = LogWriter(database)
    writer.open()
    writer.append(singles(events(5)))
    writer.close()
    with database.connect(Purpose.READER) as connection:
        return Log.read(connection, NETWORK)


def write(session: int, term: int, first: int) -> Write:
    """Return the note of one insert of two events."""
    name = f"wattswarm:log:{session}"
    return Write(session=name, writer_term=term, first_seq=first, last_seq=first + 1, events=2)


def call(key: str, at_ns: int) -> Call:
    """Return a request to an executor."""
    return Call(executor="a", call="execute", key=key, at_ns=at_ns)


def test_an_acknowledged_event_that_is_missing_or_elsewhere_is_found(log: Log) -> None:
    first, second = log.rows[0], log.rows[1]
    right = {first.event_id: first.seq, second.event_id: None}
    assert check_acknowledged(log, right).violations == ()
    wrong = check_acknowledged(log, {first.event_id: Seq(4), UNKNOWN: None})
    assert wrong.checked == 2
    assert len(wrong.violations) == 2


def test_an_event_that_stands_twice_is_found(log: Log) -> None:
    assert check_once(log).violations == ()
    assert len(check_once(Log((*log.rows, log.rows[2]), log.tasks)).violations) == 1


def test_a_log_that_was_edited_is_found(log: Log, database: Database) -> None:
    with database.connect(Purpose.OWNER) as connection:
        assert check_log(connection).checked == len(log.rows)
        connection.execute(b"alter table sel_events disable trigger append_only")
        connection.execute(b"update sel_events set created_at = created_at + 1 where seq = 3")
        (said,) = check_log(connection).violations
    assert "created_at" in said


def test_projections_that_are_behind_are_found(log: Log, database: Database) -> None:
    del log
    with database.connect(Purpose.READER) as connection:
        found = check_projections(database, NETWORK, connection)
    assert any("stand at 0, the log at 5" in sentence for sentence in found.violations)


def test_a_write_under_anothers_term_is_found() -> None:
    assert check_writer([write(1, 1, 1), write(2, 2, 3)]).violations == ()
    assert len(check_writer([write(2, 2, 1), write(1, 2, 3)]).violations) == 1
    assert len(check_writer([write(2, 2, 1), write(1, 1, 3)]).violations) == 1


def test_the_database_notes_who_wrote_what(database: Database) -> None:
    with database.connect(Purpose.OWNER) as connection:
        audit = Audit(connection)
        audit.begin()
        audit.begin()
        for start in (0, 3):
            writer = LogWriter(database)
            writer.open()
            writer.append(singles(events(3, start=start)))
            writer.append([group(event(start))])
            assert len(audit.writer_backends()) == 1
            writer.close()
        found = audit.writes()
    assert [(one.writer_term, one.first_seq, one.last_seq) for one in found] == [
        (found[0].writer_term, 1, 3),
        (found[0].writer_term + 1, 4, 6),
    ]
    assert check_writer(found).violations == ()
    assert check_writer(found).checked == 6


def test_a_request_after_its_answer_was_stored_is_found() -> None:
    calls = [call("one", 100), call("one", 150), call("two", 300)]
    assert check_calls(calls, {"one": 200}).violations == ()
    assert len(check_calls(calls, {"one": 120}).violations) == 1


def test_a_request_for_what_was_never_claimed_is_found(log: Log) -> None:
    found = check_committed(log, [call("one", 100)])
    assert found.checked == 1
    assert len(found.violations) == 1


def test_an_outcome_that_was_seen_and_is_gone_is_found(log: Log) -> None:
    assert len(check_outcomes(log, {UNKNOWN: UNKNOWN}).violations) == 1


def test_what_a_node_leaves_behind_is_found(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.prepare()
    assert check_leftovers(state, "nobody").violations == ()
    (state.artifacts_path / "12.unfinished").touch()
    state.node_path.touch()
    listener = socket.socket(socket.AF_UNIX)
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        env={**os.environ, MARK: "somebody"},
        stdin=subprocess.PIPE,
    )
    try:
        listener.bind(str(state.run_path / "s"))
        with state.hold():
            found = check_leftovers(state, "somebody").violations
    finally:
        listener.close()
        sleeper.communicate()
    for what in ("process", "socket", "lock", "node.json", "unfinished", "run/"):
        assert any(what in sentence for sentence in found), (what, found)


def test_a_journal_of_requests_reads_as_it_was_written(tmp_path: Path) -> None:
    calls = [call("one", 1), call("two", 2)]
    assert list(read_calls(tmp_path / "none")) == []
    (tmp_path / "calls").write_bytes(b"".join(one.line() for one in calls))
    assert list(read_calls(tmp_path / "calls")) == calls


def test_the_matrix_has_every_fault_at_every_point_in_an_order_of_its_seed() -> None:
    from random import Random

    plan = matrix(points(), Random(7), None)
    assert plan == matrix(points(), Random(7), None)
    assert plan != matrix(points(), Random(8), None)
    cases = [step for step in plan if isinstance(step, Case)]
    places = {case.place for case in cases}
    assert len(places) >= 30
    assert "sel_writer:stopping.before" in places
    assert "genesis:stopping.before" not in places  # it ends before anybody could stop it
    assert len(cases) == len(set(cases)) == len(places) * len(Kind)
    assert len(plan) - len(cases) == len(Special)
    assert all("sel_writer" in str(step) for step in matrix(points(), Random(7), "sel_writer"))


def test_the_root_process_is_killed_and_stopped_from_outside() -> None:
    case = Case(actor="http_api", point="handle.before", kind=Kind.KILL, is_in_root=True)
    assert (case.order.fault, case.order.delay_ms) == ("hang", 0)
    worker = Case(actor="sel_writer", point="before_commit", kind=Kind.KILL, is_in_root=False)
    assert worker.order.fault == "kill"


def test_the_outcome_tells_every_invariant_and_is_clean_only_when_all_is_well() -> None:
    lines: list[str] = []
    tally = Tally(lines.append, planned=1)
    assert not tally.is_clean
    tally.struck(Struck("a:b crash", 12))
    assert tally.is_clean
    tally.violation(Invariant.ONCE, "event 1 stands 2 times")
    assert not tally.is_clean
    found = document(tally, rounds=1, seed=3, points=1, duration_s=0.25)
    assert found["violations_total"] == 1
    assert found["recoveries_ms"] == {"p50": 12, "p99": 12, "max": 12}
    assert "event 1 stands 2 times" in report(found)
    assert quantiles([]) == {"p50": 0, "p99": 0, "max": 0}
    assert any("VIOLATION" in line for line in lines)
