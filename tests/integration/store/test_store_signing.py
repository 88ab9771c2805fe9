"""The word on who signs, in the database: kept through crashes, and only moved on."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.log_events import KEY, START_MS, event, events, singles
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.event_log import AFTER_ALARM, LogWriter
from wattswarm.store.log_reader import LogReader
from wattswarm.store.signing import Signing, Standing

ROOT = Path(__file__).parents[3]
CHILD = """
import os, signal, sys
from tests.support.log_events import KEY, event, singles
from wattswarm.store.connection import Database
from wattswarm.store.event_log import LogWriter

def strike(name):
    if name == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

writer = LogWriter(Database(*sys.argv[1:3]), strike, own=KEY.node_id)
writer.open()
writer.append(singles([event(7)]))
"""


def standing(database: Database) -> Standing:
    with database.connect(Purpose.READER) as connection:
        return Signing(connection).standing()


@pytest.mark.parametrize("point", [AFTER_ALARM, "after_insert", "before_commit"])
def test_a_writer_that_dies_between_the_alarm_and_the_event_leaves_signing_stopped(
    database: Database, point: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, database.dsn, database.schema, point],
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL
    found = standing(database)
    assert (found.word, found.event_id) == ("suspected", event(7).event_id)
    with database.connect(Purpose.READER) as connection:
        assert LogReader(connection).head().seq == 0


def test_a_restore_covers_all_that_the_log_knows_whatever_the_clock_says(
    database: Database,
) -> None:
    writer = LogWriter(database)
    writer.open()
    writer.append(singles(events(9)))
    writer.append(singles([event(20, scope="global"), event(3, scope="group:g")]))
    writer.close()
    with database.connect(Purpose.LOCAL) as connection:
        row = Signing(connection)
        assert row.restored(START_MS - 1_000).restored_at_ms == START_MS + 20
        assert row.restored(START_MS + 50).restored_at_ms == START_MS + 50
        assert row.restored(START_MS).restored_at_ms == START_MS + 50


def test_an_operators_word_stands_until_the_next(database: Database) -> None:
    with database.connect(Purpose.LOCAL) as connection:
        row = Signing(connection)
        row.suspect(event(1).event_id, 5)
        row.suspect(event(2).event_id, 6)
        assert row.standing() == Standing(word="suspected", since_ms=5, event_id=event(1).event_id)
        assert row.cloned(7).word == "cloned"
        row.suspect(event(3).event_id, 8)
        assert row.standing().word == "cloned"
        assert row.standing().since_ms == 5
        assert row.restored(9) == Standing(restored_at_ms=9)
        assert row.cloned(10) == Standing(word="cloned", since_ms=10, restored_at_ms=9)


def test_an_empty_log_can_be_restored(database: Database) -> None:
    with database.connect(Purpose.LOCAL) as connection:
        assert Signing(connection).restored(START_MS).restored_at_ms == START_MS


def test_only_the_operator_frees_what_the_writer_stopped(database: Database) -> None:
    """A second writer finds signing stopped: it is no fact of the process that found out."""
    for _ in range(2):
        writer = LogWriter(database, own=KEY.node_id)
        writer.open()
        writer.append(singles([event(7)]))
        writer.close()
        assert standing(database).word == "suspected"


def test_whoever_remembers_positions_of_a_restored_log_begins_anew(database: Database) -> None:
    with database.connect(Purpose.LOCAL) as connection:
        before = LogReader(connection).head()
        Signing(connection).restored(START_MS)
        after = LogReader(connection).head()
    assert before.feed_epoch != after.feed_epoch
    assert (before.seq, before.chain, before.term) == (after.seq, after.chain, after.term)
