"""A server that somebody else runs: a plain role suffices, one that may create roles gets more."""

from collections.abc import Iterator
from contextlib import closing

import attrs
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.support.group_rows import task
from tests.support.log_events import events, singles
from tests.support.postgres import Cluster
from wattswarm.kernel.ids import Seq
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.event_log import LogWriter
from wattswarm.store.local import Settings
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_verify import verify_log
from wattswarm.store.migrate import migrate, require_current
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.store.projections import Projections
from wattswarm.store.shadow import Shadow

ROLES = {"plain": "login", "creating": "login createrole"}
REFUSALS = {True: psycopg.errors.InsufficientPrivilege, False: psycopg.errors.RestrictViolation}
SCHEMA = "apart"
"""Roles belong to the whole server: no other test may have made those of this schema."""

PURPOSES = ("log", "projection", "local", "reader")


@attrs.frozen
class Served:
    """A database whose DSN is that of an ordinary role."""

    database: Database
    has_roles: bool


@pytest.fixture(
    params=[(role, schema) for role in ROLES for schema in ("", SCHEMA)],
    ids=lambda param: "-".join(filter(None, param)),
)
def served(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Served]:
    role, schema = request.param
    with cluster.database(template="template1") as made:
        with psycopg.connect(made.dsn, autocommit=True) as owner:
            name = owner.info.dbname
            owner.execute(f"create role {name}_owner {ROLES[role]}".encode())
            owner.execute(f"alter database {name} owner to {name}_owner".encode())
        dsn = make_conninfo(made.dsn, user=f"{name}_owner")
        # Roles of the default schema are there already and belong to the owner of the template.
        yield Served(Database(dsn, schema), has_roles=role == "creating" and schema == SCHEMA)
        with psycopg.connect(made.dsn, autocommit=True) as owner:
            owner.execute(f"alter database {name} owner to current_user".encode())
            owner.execute(f"drop owned by {name}_owner cascade".encode())
            for purpose in PURPOSES:
                owner.execute(
                    f"do $$ begin drop owned by wattswarm_{SCHEMA}_{purpose} cascade;"
                    " exception when undefined_object then null; end $$".encode()
                )
                owner.execute(f"drop role if exists wattswarm_{SCHEMA}_{purpose}".encode())
            owner.execute(f"drop role {name}_owner".encode())


def test_an_ordinary_role_does_everything_that_a_node_needs(served: Served) -> None:
    migrate(served.database)
    assert served.database.has_separate_roles() == served.has_roles
    use(served.database)


def use(database: Database) -> None:
    """Append, be replaced, derive, rebuild, keep a setting, verify."""
    migrate(database)
    require_current(database)
    first, second = LogWriter(database), LogWriter(database)
    first.open()
    first.append(singles(events(70)))
    assert second.open().term == 2
    assert second.append(singles(events(140))).head.seq == 140
    first.close()
    second.close()
    live = Projections(database)
    live.advance("tasks", 0, expected=Seq(0), seq=Seq(1), groups=[task(1), task(2)])
    live.close()
    shadow = Shadow(database)
    rebuilt = shadow.create()
    rebuilt.advance("tasks", 0, expected=Seq(0), seq=Seq(1), groups=[task(1), task(2)])
    rebuilt.close()
    with database.connect(Purpose.READER) as connection:
        assert shadow.derived() == ProjectionReader(connection).derived()
    shadow.swap({("tasks", 0): Seq(1)})
    with database.connect(Purpose.LOCAL) as connection:
        Settings(connection).put("name", b"value")
        assert Settings(connection).get("name") == b"value"
    with database.connect(Purpose.READER) as connection:
        assert verify_log(connection).is_sound
        assert LogReader(connection).head().seq == 140
        assert len(ProjectionReader(connection).tasks(0, limit=9)) == 2


@pytest.mark.parametrize("table", ["sel_events", "lanes", "own_locks"])
def test_the_log_refuses_change_with_roles_and_without(served: Served, table: str) -> None:
    migrate(served.database)
    writer = LogWriter(served.database)
    writer.open()
    writer.append(singles(events(2)))
    writer.close()
    with (
        served.database.connect(Purpose.LOG) as connection,
        pytest.raises(REFUSALS[served.has_roles]),
    ):
        connection.execute(f"truncate {table} cascade".encode())


def test_a_session_notices_a_server_that_vanished_unless_the_dsn_says_otherwise(
    cluster: Cluster,
) -> None:
    with cluster.database(template="template1") as made:
        for dsn, idle in ((made.dsn, "10"), (make_conninfo(made.dsn, keepalives_idle=77), "77")):
            with closing(Database(dsn).connect_bare("test")) as connection:
                parameters = connection.info.get_parameters()
            assert parameters["keepalives_idle"] == idle
            assert parameters["tcp_user_timeout"] == "25000"
