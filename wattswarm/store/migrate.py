"""Brings a database to the schema of this version: numbered plain-SQL files, each once, under one
lock.

A migration is never edited after it was merged: its SHA-256 is recorded and compared. The derived
schema has no migrations: when its file changed it is made anew and filled again from the log.
"""

import hashlib
import re
from pathlib import Path
from typing import Final

import attrs

from wattswarm.store.connection import (
    SERVER_MAJOR_MIN,
    Connection,
    Database,
    Purpose,
    translated,
)
from wattswarm.store.errors import SchemaMismatch
from wattswarm.store.queries import FOLDER, load, script

MIGRATE: Final = load("migrate")
FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql\Z")


@attrs.frozen
class Migration:
    """One file of `sql/migrations/`."""

    version: int
    name: str
    sha256: str
    script: bytes = attrs.field(repr=False)


@attrs.frozen
class Migrated:
    """What `migrate` did: versions applied now, and whether the projections begin again."""

    applied: tuple[int, ...]
    is_derived_new: bool


def migrations(folder: Path = FOLDER / "migrations") -> tuple[Migration, ...]:
    """Return the migrations in order; they are numbered 1, 2, 3 … without gaps."""
    found = tuple(_read(path) for path in sorted(folder.glob("*.sql")))
    assert [item.version for item in found] == list(range(1, len(found) + 1)), found
    return found


def migrate(database: Database, *, wanted: tuple[Migration, ...] | None = None) -> Migrated:
    """Bring the database to the schema of this version; concurrent callers wait for each other.

    Everything happens in one transaction: a failure, or a crash, changes nothing.

    Raises:
        SchemaMismatch: The server is too old, the database is of a newer version, or a file was
            edited.
        StoreUnavailable: The server does not answer.
    """
    steps = migrations() if wanted is None else wanted
    with database.connect(Purpose.OWNER, name="wattswarm:migrate") as connection, translated():
        _check_server(connection)
        with connection.transaction():
            key = database.lock_key(connection.info.dbname, "migrate")
            connection.execute(MIGRATE["lock"], {"key": key})
            connection.execute(MIGRATE["create_schemas"])
            connection.execute(MIGRATE["create_record"])
            pending = steps[len(_check_applied(connection, steps)) :]
            for step in pending:
                connection.execute(step.script)
                connection.execute(MIGRATE["use_log_schema"])
                connection.execute(
                    MIGRATE["record"],
                    {"version": step.version, "name": step.name, "sha256": step.sha256},
                )
            connection.execute(script("roles"))
            is_derived_new = _renew_derived(connection)
    return Migrated(tuple(step.version for step in pending), is_derived_new)


def require_current(database: Database) -> None:
    """Return if the database has the schema of this version; for programs that must not change it.

    Raises:
        SchemaMismatch: It was never migrated, or is of another version.
    """
    steps = migrations()
    with database.connect(Purpose.READER, name="wattswarm:check") as connection, translated():
        count = len(_check_applied(connection, steps)) if has_log(connection) else 0
    if count < len(steps):
        raise SchemaMismatch(message=f"the database is at version {count}, not {len(steps)}")


def has_log(connection: Connection) -> bool:
    """Tell whether any version of this program has migrated the database."""
    row = connection.execute(MIGRATE["is_migrated"]).fetchone()
    return row is not None and bool(row[0])


def make_derived(connection: Connection) -> None:
    """Make the derived schema of the session (`wattswarm.derived_schema`) anew and empty."""
    connection.execute(MIGRATE["recreate_derived"])
    connection.execute(script("derived"))
    connection.execute(MIGRATE["set_derived_sha256"], {"sha256": derived_sha256()})
    connection.execute(MIGRATE["record_derived"])
    connection.execute(script("derived_roles"))


def derived_sha256() -> str:
    """Return the hash of the file that makes the derived schema."""
    return hashlib.sha256(script("derived")).hexdigest()


def _renew_derived(connection: Connection) -> bool:
    row = connection.execute(MIGRATE["derived_sha256"]).fetchone()
    if row is not None and row[0] == derived_sha256():
        return False
    make_derived(connection)
    return True


def _read(path: Path) -> Migration:
    match = FILE_NAME.match(path.name)
    assert match is not None, path
    content = path.read_bytes()
    return Migration(int(match[1]), match[2], hashlib.sha256(content).hexdigest(), content)


def _check_server(connection: Connection) -> None:
    major = connection.info.server_version // 10_000
    if major < SERVER_MAJOR_MIN:
        raise SchemaMismatch(
            message=f"PostgreSQL {major} is too old, {SERVER_MAJOR_MIN} is needed at least"
        )


def _check_applied(connection: Connection, steps: tuple[Migration, ...]) -> list[int]:
    applied = connection.execute(MIGRATE["applied"]).fetchall()
    known = {step.version: step for step in steps}
    for version, name, sha256 in applied:
        if version not in known:
            raise SchemaMismatch(
                message=f"the database has migration {version} ({name}): upgrade wattswarm"
            )
        if known[version].sha256 != sha256:
            raise SchemaMismatch(
                message=f"migration {version} ({name}) was changed after it had been applied"
            )
    return [version for version, _name, _sha256 in applied]
