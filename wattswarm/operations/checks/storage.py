"""Whether the database, the log in it and the disk below are well."""

import shutil
from collections.abc import Sequence
from typing import Final

import trio

from wattswarm.config.state_dir import StateDir
from wattswarm.operations.checks.well import ok
from wattswarm.operations.health import Health
from wattswarm.operations.node import server_version
from wattswarm.store.connection import SERVER_MAJOR_MIN, Connection, Database
from wattswarm.store.log_reader import LogReader
from wattswarm.store.migrate import migrations, require_current
from wattswarm.store.pool import Reads
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.node import Finding, Level

MIB: Final = 1_048_576
BEHIND_MAX: Final = 10_000
"""Events that the projections may be behind before this is worth a word."""


async def check_database(
    reads: Reads, database: Database, *, is_external: bool
) -> Sequence[Finding]:
    """Return how the server is, and whether the parts of the node have roles of their own."""
    version = await reads.run(server_version)
    await reads.run(lambda _: require_current(database))
    has_roles = await reads.run(lambda _: database.has_separate_roles())
    kind = "external" if is_external else "embedded"
    message = (
        f"PostgreSQL {version} ({kind}) answers; schema version {len(migrations())}, "
        f"at least PostgreSQL {SERVER_MAJOR_MIN} is needed"
    )
    return (ok("database", message), _roles(has_roles))


async def check_log(reads: Reads, health: Health) -> Sequence[Finding]:
    """Return whether the log takes events, and whether the projections hold what is in it."""
    head, projected, quarantined = await reads.run(_positions)
    findings = [_behind(head, projected)]
    if health.is_read_only:
        findings.append(_read_only())
    if quarantined:
        findings.append(_quarantined(quarantined))
    return findings


def _positions(connection: Connection) -> tuple[int, int, int]:
    derived = ProjectionReader(connection).derived()
    return LogReader(connection).head().seq, derived.seq, len(derived.quarantined)


async def check_disk(state_dir: StateDir, *, least_mib: int) -> Sequence[Finding]:
    """Return whether there is room on the disk of the node's directory."""
    path = state_dir.path
    usage = await trio.to_thread.run_sync(shutil.disk_usage, path)
    free_mib = usage.free // MIB
    message = f"{free_mib} MiB are free below {path}"
    if free_mib >= 4 * least_mib:
        return (ok("disk", message),)
    level: Level = "warning" if free_mib >= least_mib else "error"
    remedy = f"make room: below {least_mib} MiB the node takes no more events"
    return (Finding(area="disk", level=level, message=message, remedy=remedy),)


def _roles(has_roles: bool) -> Finding:
    if has_roles:
        return ok("database", "each part of the node has a role of its own")
    return Finding(
        area="database",
        level="warning",
        message="all parts of the node share one role; triggers alone keep the log append-only",
        remedy="let the role of store.pg_url create roles (alter role … createrole); start again",
    )


def _behind(head: int, projected: int) -> Finding:
    message = f"the log has {head} events, the projections hold {projected} of them"
    if head - projected <= BEHIND_MAX:
        return ok("log", message)
    remedy = "wait; if it does not shrink, see `wattswarm actors top` for projection_builder"
    return Finding(area="log", level="warning", message=message, remedy=remedy)


def _read_only() -> Finding:
    return Finding(
        area="log",
        level="error",
        message="the log is read-only: its disk is full",
        remedy="make room on the disk of the database; the node goes on by itself",
    )


def _quarantined(count: int) -> Finding:
    return Finding(
        area="log",
        level="error",
        message=f"{count} tasks cannot be derived, by a bug of this program",
        remedy="report what the node's log says of it; after an upgrade, `wattswarm log replay`",
    )
