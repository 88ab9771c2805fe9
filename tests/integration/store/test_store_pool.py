"""The reads of an async program: few sessions, replaced when the server ended them, none left
behind.
"""

import threading
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
import trio

from tests.support.postgres import Cluster
from wattswarm.store.connection import Connection, Database, Purpose, translated
from wattswarm.store.errors import StoreUnavailable
from wattswarm.store.pool import Reads


@pytest.fixture
def reads(database: Database) -> Iterator[Reads]:
    made = Reads(database, sessions_max=2)
    yield made
    made.close()


def ask(statement: str, connection: Connection) -> object:
    with translated():
        row = connection.execute(statement.encode()).fetchone()
    return row and row[0]


def sessions(database: Database) -> object:
    query = (
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and application_name = 'wattswarm:reader'"
    )
    with database.connect(Purpose.OWNER) as connection:
        return ask(query, connection)


async def test_a_read_returns_what_the_query_says(reads: Reads) -> None:
    assert await reads.run(partial(ask, "select 40 + 2")) == 42


async def test_many_reads_share_few_sessions(reads: Reads, database: Database) -> None:
    pids: set[object] = set()

    async def read() -> None:
        pids.add(await reads.run(partial(ask, "select pg_backend_pid() from pg_sleep(0.01)")))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(read)
    assert len(pids) == 2
    assert sessions(database) == 2


async def test_a_session_that_the_server_ended_is_replaced_unnoticed(
    reads: Reads, database: Database
) -> None:
    first = await reads.run(partial(ask, "select pg_backend_pid()"))
    with database.connect(Purpose.OWNER) as connection:
        connection.execute("select pg_terminate_backend(%s, 3000)", (first,))
    assert await reads.run(partial(ask, "select pg_backend_pid()")) != first


async def test_reads_go_on_after_the_server_was_away(reads: Reads, cluster: Cluster) -> None:
    await reads.run(partial(ask, "select 1"))
    await trio.to_thread.run_sync(cluster.server.stop)
    with pytest.raises(StoreUnavailable):
        await reads.run(partial(ask, "select 1"))
    await trio.to_thread.run_sync(cluster.server.start)
    assert await reads.run(partial(ask, "select 1")) == 1


async def test_a_read_that_fails_does_not_spoil_the_session(reads: Reads) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await reads.run(partial(ask, "select 1 / 0"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await reads.run(partial(ask, "begin; select 1 / 0"))
    assert await reads.run(partial(ask, "select 1")) == 1


async def test_nothing_is_read_after_the_end(reads: Reads, database: Database) -> None:
    await reads.run(partial(ask, "select 1"))
    reads.close()
    with pytest.raises(StoreUnavailable):
        await reads.run(partial(ask, "select 1"))
    with trio.fail_after(5):
        while sessions(database):
            await trio.lowlevel.checkpoint()


async def test_a_read_that_is_under_way_when_the_pool_closes_ends_its_session(
    reads: Reads, database: Database
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(connection: Connection) -> object:
        begun.set()
        may_end.wait(10)
        return ask("select 1", connection)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reads.run, slow)
        await trio.to_thread.run_sync(begun.wait, 10)
        reads.close()
        may_end.set()
    with trio.fail_after(5):
        while sessions(database):
            await trio.lowlevel.checkpoint()
