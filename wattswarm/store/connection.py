"""Sessions: where the database is, which schemas are ours, and what a session may do and how long.

One DSN suffices. Where it may create roles, a session steps down to the role of its purpose.
"""

import enum
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final, TypeAlias

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from wattswarm.kernel import canonical
from wattswarm.kernel.hashing import Context, digest
from wattswarm.store.errors import SchemaMismatch, ServerNotStarted, StoreFull, StoreUnavailable
from wattswarm.store.queries import load

Connection: TypeAlias = psycopg.Connection[TupleRow]

SESSION: Final = load("session")
SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,30}\Z")
DEFAULT_LOG_SCHEMA: Final = "public"
CONNECT_TIMEOUT_S: Final = 5
SERVER_MAJOR_MIN: Final = 15
LIVENESS: Final[Mapping[str, int]] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""So that a session with a server that has vanished ends within half a minute.

Time limits of statements are the server's; by itself a client waits for hours for one that is
gone. What the DSN says of these goes before.
"""


class Purpose(enum.StrEnum):
    """What a session is for; the value is the last part of its role's name."""

    OWNER = "owner"
    LOG = "log"
    PROJECTION = "projection"
    LOCAL = "local"
    READER = "reader"


TIME_LIMITS: Final[Mapping[Purpose, Mapping[str, str]]] = {
    Purpose.OWNER: {"statement_timeout": "0", "lock_timeout": "30s"},
    Purpose.LOG: {
        "statement_timeout": "30s",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "5s",
        "synchronous_commit": "on",
    },
    # Rows and cursor go in one transaction: a lost commit is done again from the log.
    Purpose.PROJECTION: {
        "statement_timeout": "30s",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "30s",
        "synchronous_commit": "off",
    },
    Purpose.LOCAL: {
        "statement_timeout": "5s",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "5s",
        "synchronous_commit": "on",
    },
    Purpose.READER: {
        "statement_timeout": "5s",
        "lock_timeout": "3s",
        "default_transaction_read_only": "on",
    },
}


PLANS: Final[Mapping[str, str]] = {"enable_seqscan": "off"}
"""What is asked often has an index, and the server plans it once, while tables may still be small.

A plan from then that reads whole tables would be kept until the server next counts their rows.
"""

UNAVAILABLE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # the server has become a standby
)


@attrs.frozen
class Database:
    """A PostgreSQL database and the schemas in it that are this node's.

    Without a schema the log is in `public` and the others are `derived` and `local`; with schema
    `ws1` they are `ws1`, `ws1_derived` and `ws1_local`, so that several nodes can share one
    database.
    """

    dsn: str = attrs.field(repr=False)
    schema: str = ""

    def __attrs_post_init__(self) -> None:
        if self.schema and not SCHEMA_NAME.match(self.schema):
            raise SchemaMismatch(
                message=f"{self.schema!r} is no schema name: use a-z, 0-9 and _, at most 31"
            )

    @property
    def log_schema(self) -> str:
        """The schema of the log."""
        return self.schema or DEFAULT_LOG_SCHEMA

    @property
    def derived_schema(self) -> str:
        """The schema of the projections."""
        return f"{self.schema}_derived" if self.schema else "derived"

    @property
    def shadow_schema(self) -> str:
        """The schema in which projections are rebuilt before they are swapped in."""
        return f"{self.derived_schema}_shadow"

    @property
    def local_schema(self) -> str:
        """The schema of this node's own facts."""
        return f"{self.schema}_local" if self.schema else "local"

    def role(self, purpose: Purpose) -> str:
        """Return the name of the role for a purpose."""
        return f"wattswarm_{self.log_schema}_{purpose.value}"

    def lock_key(self, database_name: str, what: str) -> int:
        """Return the key of the advisory lock `what` of these schemas in a database, as signed 64
        bits.
        """
        name = canonical.encode([database_name, self.log_schema, what])
        return int.from_bytes(digest(Context.DIGEST, name)[:8], "big", signed=True)

    def connect(
        self, purpose: Purpose, *, name: str = "", derived_schema: str | None = None
    ) -> Connection:
        """Return an autocommitting session, set up and stepped down for its purpose; the caller
        closes it.

        Args:
            name: Shown in `pg_stat_activity`; the purpose when empty.
            derived_schema: Where projections are looked for, when not in the live schema.

        Raises:
            StoreUnavailable: The server does not answer, or refuses us.
        """
        connection = self.connect_bare(name or f"wattswarm:{purpose.value}")
        try:
            with translated():
                self.configure(connection, purpose, derived_schema=derived_schema)
        except BaseException:
            connection.close()
            raise
        return connection

    def connect_bare(self, name: str) -> Connection:
        """Return an autocommitting session with the rights of the DSN and the server's own
        settings.

        Raises:
            ServerNotStarted: The DSN is none. StoreUnavailable: The server does not answer.
        """
        if not is_conninfo(self.dsn):
            raise ServerNotStarted(
                message="the database's connection string cannot be understood: see store.pg_url "
                "or WATTSWARM_PG_URL (postgresql://user:password@host:port/database)"
            )
        with translated():
            return psycopg.connect(
                _live(self.dsn),
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name=name,
            )

    def configure(
        self, connection: Connection, purpose: Purpose, *, derived_schema: str | None = None
    ) -> None:
        """Give a session the search path, limits, plans and role of a purpose."""
        derived = derived_schema or self.derived_schema
        settings = {
            "search_path": f"{self.log_schema}, {derived}, {self.local_schema}",
            "wattswarm.log_schema": self.log_schema,
            "wattswarm.derived_schema": derived,
            "wattswarm.local_schema": self.local_schema,
            **TIME_LIMITS[purpose],
            **PLANS,
        }
        connection.execute(
            SESSION["configure"],
            {
                "names": list(settings),
                "values": list(settings.values()),
                "role": self.role(purpose),
            },
        )

    def has_separate_roles(self) -> bool:
        """Tell whether sessions step down to roles of their own (`wattswarm doctor` shows it)."""
        with self.connect_bare("wattswarm:doctor") as connection, translated():
            row = connection.execute(
                SESSION["has_role"], {"role": self.role(Purpose.LOG)}
            ).fetchone()
        return row is not None and bool(row[0])


def is_conninfo(dsn: str) -> bool:
    """Tell whether a DSN can be read; what libpq says of one that cannot quotes the password."""
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        return False
    # One for each host; an empty one is the usual one.
    ports = str(parts.get("port") or "").split(",")
    return all(port == "" or (port.isascii() and port.isdigit()) for port in ports)


def _live(dsn: str) -> str:
    """Return a DSN with which a session notices that its server has vanished."""
    said = conninfo_to_dict(dsn)
    return make_conninfo(dsn, **{name: LIVENESS[name] for name in LIVENESS.keys() - said.keys()})


@contextmanager
def translated(*, is_commit: bool = False) -> Generator[None]:
    """Raise the store's errors for what can go wrong in operation; our own bugs pass as they are.

    Args:
        is_commit: Whether a commit may be under way in the block, so that a lost session leaves it
            unknown.
    """
    try:
        yield
    except psycopg.errors.ProgramLimitExceeded:
        raise
    except psycopg.errors.DiskFull as error:
        raise StoreFull(message=_sentence(error)) from error
    except UNAVAILABLE as error:
        raise StoreUnavailable(message=_sentence(error), is_commit_unknown=is_commit) from error


def _sentence(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
