"""The writer against a real server: taking over, losing the session, poison, a full disk, and
tampering.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import attrs
import psycopg
import pytest

from tests.support.log_events import START_MS, event, events, group, singles
from tests.support.log_writing_child import FENCED_EXIT
from tests.support.postgres import Cluster
from wattswarm.kernel.ids import Seq
from wattswarm.store.connection import Database, Purpose, translated
from wattswarm.store.errors import Fenced, StoreFull, StoreUnavailable
from wattswarm.store.event_log import POINTS, LogWriter
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import Stored, Unstorable
from wattswarm.store.log_verify import Verification, verify_log
from wattswarm.store.migrate import migrate


def verification(database: Database) -> Verification:
    with database.connect(Purpose.READER) as connection:
        return verify_log(connection)


def run(database: Database, statement: str) -> None:
    """Run something that only an intruder with the owner's rights would."""
    with database.connect(Purpose.OWNER) as connection:
        connection.execute(statement.encode())


def end_session(database: Database, name: str) -> None:
    run(
        database,
        "select pg_terminate_backend(pid, 3000) from pg_stat_activity"
        f" where application_name like '{name}' and datname = current_database()",
    )


def test_a_successor_ends_the_session_of_a_writer_frozen_in_a_transaction(
    database: Database,
) -> None:
    old, new = LogWriter(database), LogWriter(database)
    made = events(3)

    def freeze(name: str) -> None:
        if name == "before_commit":
            assert new.open().term == 2
            new.append(singles(made[1:2]))

    old.open()
    old.point = freeze
    with pytest.raises(Fenced) as caught:
        old.append(singles(made[:1]))
    assert caught.value.current_term == 2
    assert new.append(singles(made[2:])).head.seq == 2
    new.close()
    assert verification(database).is_sound


def test_writers_of_other_schemas_are_left_alone(bare_database: Database) -> None:
    writers = [LogWriter(attrs.evolve(bare_database, schema=name)) for name in ("ws1", "ws2")]
    for writer in writers:
        migrate(writer.database)
        assert writer.open().term == 1
    for writer in writers:
        assert writer.append(singles(events(2))).head.seq == 2
        writer.close()


def test_a_lost_session_is_replaced_by_the_next_append(database: Database) -> None:
    writer = LogWriter(database)
    first = writer.open()
    writer.append(singles(events(2)))
    end_session(database, "wattswarm:log:%")
    with pytest.raises(StoreUnavailable) as caught:
        writer.append(singles(events(4)))
    assert not caught.value.is_commit_unknown
    appended = writer.append(singles(events(4)))
    assert appended.head.seq == 4
    assert appended.head.term == first.term + 1
    writer.close()


def test_a_session_lost_in_the_commit_leaves_it_unknown_until_the_batch_is_appended_again(
    database: Database,
) -> None:
    writer = LogWriter(database)
    writer.open()

    def cut(name: str) -> None:
        if name == "before_commit":
            end_session(database, "wattswarm:log:%")

    writer.point = cut
    with pytest.raises(StoreUnavailable) as caught:
        writer.append(singles(events(2)))
    assert caught.value.is_commit_unknown
    writer.point = lambda _name: None
    assert writer.append(singles(events(2))).head.seq == 2
    writer.close()


def test_a_server_that_is_away_is_said_to_be_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("nothing")
    with pytest.raises(StoreUnavailable):
        LogWriter(Database(f"host={place} user=nobody dbname=nothing")).open()


@pytest.mark.parametrize("where", [0, 3, 7])
def test_an_event_that_the_database_refuses_spoils_its_own_group_only(
    database: Database, where: int
) -> None:
    made = events(8)
    poison = attrs.evolve(made[where], signature=b"short")
    groups = singles(made)
    groups[where] = group(poison)
    writer = LogWriter(database)
    writer.open()
    appended = writer.append(groups)
    assert isinstance(appended.outcomes[where], Unstorable)
    assert sum(isinstance(outcome, Stored) for outcome in appended.outcomes) == 7
    assert appended.head.seq == 7
    writer.close()
    assert verification(database).is_sound


def test_a_full_disk_refuses_the_batch_until_a_probe_commits(database: Database) -> None:
    run(
        database,
        """
        create function no_room() returns trigger language plpgsql as $$
        begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$;
        create trigger no_room before update on sel_head for each row execute function no_room();
        """,
    )
    run(database, "alter table sel_head disable trigger no_room")
    writer = LogWriter(database)
    writer.open()
    run(database, "alter table sel_head enable trigger no_room")
    with pytest.raises(StoreFull):
        writer.append(singles(events(2)))
    with pytest.raises(StoreFull):
        writer.probe()
    run(database, "drop trigger no_room on sel_head")
    writer.probe()
    assert writer.append(singles(events(2))).head.seq == 2
    writer.close()


def test_a_probe_of_a_replaced_writer_is_fenced(database: Database) -> None:
    writer = LogWriter(database)
    writer.open()
    run(database, "update sel_head set writer_term = writer_term + 1")
    with pytest.raises(Fenced):
        writer.probe()


def test_the_session_shows_the_term_and_cannot_change_rows(database: Database) -> None:
    writer = LogWriter(database)
    term = writer.open().term
    with database.connect(Purpose.READER) as connection:
        names = connection.execute(
            "select application_name from pg_stat_activity where datname = current_database()"
        ).fetchall()
    assert (f"wattswarm:log:{term}",) in names
    writer.close()


def test_old_and_recent_events_in_any_lane_keep_the_tries_right(database: Database) -> None:
    writer = LogWriter(database)
    writer.open()
    recent = events(700)
    old = [event(number, created_at=number * 40_000_000_000) for number in range(300)]
    burst = [event(number, created_at=START_MS) for number in range(1_000, 1_300)]
    for batch in (recent[:256], old, recent[256:512], burst, recent[512:]):
        writer.append(singles(batch))
        writer.close()
        writer.open()
    writer.close()
    assert verification(database).is_sound


TAMPERING: dict[str, tuple[str, str, int | None]] = {
    "a removed row": ("delete from sel_events where seq = 5", "gap", 5),
    "a removed last row": ("delete from sel_events where seq = 90", "wrong_head", None),
    "a flipped bit": (
        "update sel_events set body = set_byte(body, 190, get_byte(body, 190) # 1) where seq = 7",
        "",
        7,
    ),
    "another signature": (
        "update sel_events set signature = set_byte(signature, 0, get_byte(signature, 0) # 1)"
        " where seq = 8",
        "wrong_signature",
        8,
    ),
    "another id": (
        "update sel_events set event_id = set_byte(event_id, 0, get_byte(event_id, 0) # 1)"
        " where seq = 9",
        "wrong_id",
        9,
    ),
    "another date": ("update sel_events set created_at = 1 where seq = 10", "wrong_column", 10),
    "another kind": ("update sel_events set event_kind = 'X' where seq = 11", "wrong_column", 11),
    "another task": (
        "update sel_events set task_id = event_id where seq = 12",
        "wrong_column",
        12,
    ),
    "two rows changed places": (
        "update sel_events set seq = -seq where seq in (20, 21);"
        "update sel_events set seq = 41 + seq where seq < 0",
        "wrong_chain",
        20,
    ),
    "another chain value": (
        "update sel_events set chain = event_id where seq = 30",
        "wrong_chain",
        30,
    ),
    "another head": (
        "update sel_head set chain = decode(repeat('00', 32), 'hex')",
        "wrong_head",
        None,
    ),
    "another root": (
        "update lane_roots set digest = decode(repeat('00', 32), 'hex')",
        "wrong_trie",
        None,
    ),
    "another count": ("update lane_roots set event_count = event_count + 1", "wrong_lane", None),
    "a page that went away": ("delete from sel_nodes", "wrong_trie", None),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_verification_names_the_first_row_that_was_tampered_with(
    database: Database, name: str
) -> None:
    statement, code, seq = TAMPERING[name]
    writer = LogWriter(database)
    writer.open()
    writer.append(singles(events(90)))
    writer.close()
    steps: list[tuple[int, int]] = []
    with database.connect(Purpose.READER) as connection:
        before = verify_log(connection, lambda checked, total: steps.append((checked, total)))
    assert before.is_sound
    assert before.checked == 90
    assert steps == [(90, 90)]
    run(
        database,
        "alter table sel_events disable trigger all; alter table sel_head disable trigger all;"
        "alter table sel_events drop constraint sel_events_seq_check;" + statement,
    )
    flaw = verification(database).flaw
    assert flaw is not None
    assert flaw.seq == seq
    assert flaw.code == code or (not code and flaw.code in {"malformed", "wrong_id"})


def test_verification_reads_one_snapshot_while_the_log_grows(database: Database) -> None:
    writer = LogWriter(database)
    writer.open()
    writer.append(singles(events(600)))

    def grow(_checked: int, _total: int) -> None:
        writer.append(singles(events(50, start=writer.append([]).head.seq)))

    with database.connect(Purpose.READER) as connection:
        found = verify_log(connection, grow)
    assert found.is_sound
    assert found.checked == 600
    writer.close()


ROOT = Path(__file__).parents[3]
CHILD = """
import sys
from tests.support.log_writing_child import main
main(*sys.argv[1:])
"""


class Child:
    """A process that appends batches, and says on its standard output which were acknowledged."""

    def __init__(self, database: Database, point: str = "", nth: int = 0) -> None:
        arguments = [database.dsn, database.schema, point, str(nth)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def acknowledged(self, at_least: int) -> int:
        """Read acknowledgements until there are enough, or the process ends; return the last."""
        assert self.process.stdout is not None
        last = 0
        for line in self.process.stdout:
            last = int(line)
            if last >= at_least:
                break
        return last

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End the process; return the last position that it said was stored."""
        self.process.send_signal(how)
        rest, _ = self.process.communicate()
        lines = rest.split()
        return int(lines[-1]) if lines else 0


Spawn: TypeAlias = Callable[..., Child]


@pytest.fixture
def spawn(database: Database) -> Iterator[Spawn]:
    """What starts children; none of them outlives the test."""
    children: list[Child] = []

    def start(point: str = "", nth: int = 0) -> Child:
        children.append(Child(database, point, nth))
        return children[-1]

    yield start
    for child in children:
        child.process.kill()
        child.process.wait()
        if child.process.stdout is not None:
            child.process.stdout.close()


def check(database: Database, acknowledged: int) -> None:
    """Nothing acknowledged is missing, nothing is there twice, everything holds."""
    found = verification(database)
    assert found.is_sound, found
    assert found.head.seq >= acknowledged
    with database.connect(Purpose.READER) as connection:
        rows = LogReader(connection).read(Seq(0), limit=100_000)
    numbers = [row.event().payload["number"] for row in rows]
    assert numbers == list(range(len(rows)))


@pytest.mark.parametrize(
    "point",
    POINTS,
)
def test_a_writer_killed_at_any_point_loses_nothing_that_it_acknowledged(
    database: Database, spawn: Spawn, point: str
) -> None:
    acknowledged = 0
    for nth in (1, 3):
        child = spawn(point, nth)
        acknowledged = max(acknowledged, child.acknowledged(1_000_000))
        assert child.process.wait() == -signal.SIGKILL
        child.end()
    check(database, acknowledged)


def test_a_writer_killed_at_random_moments_loses_nothing_that_it_acknowledged(
    database: Database, spawn: Spawn
) -> None:
    acknowledged = 0
    for more in (1, 40, 200, 333):
        child = spawn()
        seen = child.acknowledged(acknowledged + more)
        acknowledged = max(acknowledged, seen, child.end())
        check(database, acknowledged)


def test_a_writer_that_was_stopped_and_wakes_up_is_fenced(database: Database, spawn: Spawn) -> None:
    child = spawn()
    seen = child.acknowledged(50)
    child.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.process.pid, os.WSTOPPED | os.WNOWAIT)
    successor = LogWriter(database)
    head = successor.open()
    assert head.seq >= seen
    successor.append(singles(events(20, start=head.seq)))
    child.process.send_signal(signal.SIGCONT)
    rest, _ = child.process.communicate(timeout=20)
    assert child.process.returncode == FENCED_EXIT
    successor.append(singles(events(20, start=head.seq + 20)))
    successor.close()
    said = [int(line) for line in rest.split()]
    assert all(seq <= head.seq for seq in said)
    check(database, head.seq + 40)


def test_a_server_that_crashes_under_load_loses_nothing_acknowledged(
    cluster: Cluster, database: Database
) -> None:
    writer = LogWriter(database)
    writer.open()
    acknowledged = 0
    strike: Callable[[], None] = cluster.server.restart_immediately
    for round_ in range(3):
        writer.point = _once("before_commit" if round_ else "after_insert", strike)
        with pytest.raises(StoreUnavailable):
            _append_forever(writer)
        acknowledged = _append_some(writer)
    writer.close()
    check(database, acknowledged)


def _once(where: str, strike: Callable[[], None]) -> Callable[[str], None]:
    passed = 0

    def point(name: str) -> None:
        nonlocal passed
        passed += name == where
        if name == where and passed == 3:
            strike()

    return point


def _append_forever(writer: LogWriter) -> None:
    while True:
        _append_some(writer)


def _append_some(writer: LogWriter) -> int:
    head = writer.append([]).head
    return writer.append(singles(events(30, start=head.seq))).head.seq


def test_errors_of_ours_are_not_taken_for_a_server_that_is_away(database: Database) -> None:
    with (
        database.connect(Purpose.READER) as connection,
        pytest.raises(psycopg.errors.UndefinedTable),
        translated(),
    ):
        connection.execute("select * from nowhere")
