"""PostgreSQL for tests: one cluster per test process, one database per test, made from a template.

The cluster runs without fsync, is started by the first test that needs it and ended with the
session. Use the fixture `database` (migrated, empty) or `bare_database` (nothing in it).
"""

import itertools
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from wattswarm.store.connection import Database
from wattswarm.store.embedded import EmbeddedPostgres, running
from wattswarm.store.migrate import migrate

TEMPLATE = "template_wattswarm"


@attrs.define
class Cluster:
    """A running server and the databases that tests made in it."""

    server: EmbeddedPostgres
    _numbers: "itertools.count[int]" = attrs.field(factory=itertools.count)

    def prepare(self) -> None:
        """Make the template that migrated databases are copied from."""
        self._run(f"create database {TEMPLATE}")
        migrate(Database(self.dsn(TEMPLATE)))

    @contextmanager
    def database(self, *, template: str = TEMPLATE) -> Generator[Database]:
        """Have a database of one's own inside the block."""
        name = f"test_{next(self._numbers)}"
        self._run(f"create database {name} template {template} strategy file_copy")
        try:
            yield Database(self.dsn(name))
        finally:
            self._run(f"drop database {name} with (force)")

    def dsn(self, name: str) -> str:
        """Return the connection string of one database."""
        return make_conninfo(self.server.dsn, dbname=name)

    def _run(self, command: str) -> None:
        with psycopg.connect(self.server.dsn, autocommit=True) as connection:
            connection.execute(command.encode())


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One server for all tests of this process."""
    with (
        tempfile.TemporaryDirectory(prefix="wattswarm-test-") as folder,
        running(Path(folder) / "state", fsync=False) as server,
    ):
        made = Cluster(server)
        made.prepare()
        yield made


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    """A migrated, empty database that no other test sees."""
    with cluster.database() as made:
        yield made


@pytest.fixture
def bare_database(cluster: Cluster) -> Iterator[Database]:
    """An empty database without our schemas."""
    with cluster.database(template="template1") as made:
        yield made
