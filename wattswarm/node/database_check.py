"""Whether the settings of the store can name a database: looked at before anything is started.

The configuration itself cannot tell, since it knows nothing of PostgreSQL.
"""

from collections.abc import Iterator

from wattswarm.config.errors import ConfigError, Problem
from wattswarm.config.settings import StoreSection
from wattswarm.store.connection import SCHEMA_NAME, is_conninfo

INVALID = "config_invalid"


def check_database(store: StoreSection) -> None:
    """Return if the settings name a database, whether it is there or not.

    Raises:
        ConfigError: They do not; no secret is told.
    """
    problems = list(_problems(store))
    if problems:
        raise ConfigError(code=INVALID, problems=problems)


def _problems(store: StoreSection) -> Iterator[Problem]:
    if store.pg_url and not is_conninfo(store.pg_url):
        yield Problem(
            code=INVALID,
            path="store.pg_url",
            message="it is no connection string of PostgreSQL",
            remedy="postgresql://user:password@host:port/database (or WATTSWARM_PG_URL); unset, "
            "the node brings its own database",
        )
    if store.pg_schema and not SCHEMA_NAME.match(store.pg_schema):
        yield Problem(
            code=INVALID,
            path="store.pg_schema",
            message=f"{store.pg_schema!r} is no name of a schema",
            remedy="use a-z, 0-9 and _, at most 31",
        )
