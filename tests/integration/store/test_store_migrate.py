"""Migrations: each once, never edited, all or nothing; and what the schema itself refuses."""

import hashlib
import threading

import attrs
import psycopg
import pytest

from wattswarm.store.connection import Database, Purpose
from wattswarm.store.errors import SchemaMismatch
from wattswarm.store.migrate import Migration, migrate, migrations, require_current

FOREVER = (
    "update sel_head set last_seq = last_seq - 1",
    "update sel_head set writer_term = writer_term - 1",
    "delete from sel_head",
    "truncate sel_head",
    "truncate sel_events cascade",
    "truncate lanes cascade",
    "truncate own_locks",
    "update lanes set class = 'work'",
    "delete from lanes",
    "set session_replication_role = replica; delete from lanes",
)


def step(version: int, script: bytes) -> Migration:
    return Migration(version, "more", hashlib.sha256(script).hexdigest(), script)


def test_a_second_run_changes_nothing(bare_database: Database) -> None:
    first = migrate(bare_database)
    assert first.applied == tuple(item.version for item in migrations())
    assert first.is_derived_new
    second = migrate(bare_database)
    assert second.applied == ()
    assert not second.is_derived_new
    require_current(bare_database)


def test_a_database_that_was_never_migrated_is_said_to_be_so(bare_database: Database) -> None:
    with pytest.raises(SchemaMismatch, match="version 0"):
        require_current(bare_database)


def test_concurrent_runs_wait_for_each_other(bare_database: Database) -> None:
    done: list[tuple[int, ...]] = []
    runs = [
        threading.Thread(target=lambda: done.append(migrate(bare_database).applied))
        for _ in range(3)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(done, key=len) == [(), (), tuple(item.version for item in migrations())]


def test_a_migration_that_was_edited_after_it_had_run_is_refused(database: Database) -> None:
    first, *rest = migrations()
    edited = (attrs.evolve(first, sha256="0" * 64), *rest)
    with pytest.raises(SchemaMismatch, match="changed after"):
        migrate(database, wanted=edited)


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    wanted = (*migrations(), step(len(migrations()) + 1, b"select 1"))
    migrate(database, wanted=wanted)
    with pytest.raises(SchemaMismatch, match="upgrade"):
        migrate(database)


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    broken = step(len(migrations()) + 1, b"create table half (n int); select 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database, wanted=(*migrations(), broken))
    with database.connect(Purpose.READER) as connection:
        assert connection.execute("select to_regclass('half')").fetchone() == (None,)
    require_current(database)


def test_nodes_with_schemas_of_their_own_share_a_database(bare_database: Database) -> None:
    one, two = (attrs.evolve(bare_database, schema=name) for name in ("ws1", "ws2"))
    for database in (one, two):
        assert migrate(database).applied
    with one.connect(Purpose.OWNER) as connection:
        connection.execute("insert into lanes values (1, 'global', 'work')")
    with two.connect(Purpose.READER) as connection:
        assert connection.execute("select count(*) from lanes").fetchone() == (0,)


@pytest.mark.parametrize("name", ["Upper", "a-b", "x" * 32, 'x"; drop schema public; --', "1a"])
def test_a_schema_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(SchemaMismatch):
        Database("", name)


@pytest.mark.parametrize("statement", FOREVER)
def test_not_even_the_owner_changes_what_the_log_holds(database: Database, statement: str) -> None:
    with database.connect(Purpose.OWNER) as connection:
        connection.execute("insert into lanes values (1, 'global', 'work')")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("purpose", "statement"),
    [
        (Purpose.LOG, "delete from lanes"),
        (Purpose.LOG, "update sel_events set seq = 1"),
        (Purpose.LOG, "insert into settings values ('a', '')"),
        (Purpose.PROJECTION, "insert into lanes values (1, 'global', 'work')"),
        (Purpose.PROJECTION, "update sel_head set last_seq = 1"),
        (Purpose.LOCAL, "insert into cursors values ('a', 0, 0)"),
        (Purpose.LOCAL, "update sel_head set last_seq = 1"),
        (Purpose.LOG, "delete from own_signing"),
        (Purpose.PROJECTION, "update own_signing set word = 'free'"),
    ],
)
def test_a_session_can_do_no_more_than_its_purpose_needs(
    database: Database, purpose: Purpose, statement: str
) -> None:
    assert database.has_separate_roles()
    with (
        database.connect(purpose) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_a_reader_cannot_write(database: Database) -> None:
    with (
        database.connect(Purpose.READER) as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("insert into settings values ('a', '')")
