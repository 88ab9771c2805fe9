"""The tables of groups: those of a task (`kernel/rows/`), and those of governance.

A group is what is replaced as a whole: a task, or the governance chain. The SQL of `derived.sql`
    and `queries/tables.sql` has the same tables and columns, which a test compares.
"""

from collections.abc import Mapping
from typing import Final

import attrs
import cbor2

from wattswarm.kernel.group_digest import EMPTY, NO_GROUP, encoded, group_digest
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, TaskId
from wattswarm.kernel.rows import TABLES, Column, ColumnType, Row, Rows, TableShape

GOVERNANCE_SCOPE: Final = "global"
NO_ROWS: Final = digest(Context.DIGEST, EMPTY)
UNKNOWN_SCOPE: Final = ""
"""Of a task whose TASK_CREATED has not arrived."""

_BYTES, _UINT, _TEXT, _BOOL = ColumnType.BYTES, ColumnType.UINT, ColumnType.TEXT, ColumnType.BOOL


def _shape(*columns: Column, key: int) -> TableShape:
    return TableShape(columns, tuple(column.name for column in columns[:key]))


GOVERNANCE_TABLES: Final[Mapping[str, TableShape]] = {
    "governance_versions": _shape(
        Column("version_id", _BYTES),
        Column("prev", _BYTES, is_nullable=True),
        Column("version", _UINT),
        Column("effective_at", _UINT),
        Column("threshold", _UINT),
        Column("rules_version", _UINT),
        Column("proposers_open", _BOOL),
        Column("verifiers_open", _BOOL),
        Column("params", _BYTES),
        Column("is_head", _BOOL),
        key=1,
    ),
    "governance_members": _shape(
        Column("version_id", _BYTES),
        Column("node", _BYTES),
        Column("is_proposer", _BOOL),
        Column("is_verifier", _BOOL),
        Column("is_committer", _BOOL),
        Column("is_finalizer", _BOOL),
        key=2,
    ),
    "governance_policies": _shape(
        Column("version_id", _BYTES),
        Column("policy_id", _TEXT),
        Column("policy_version", _UINT),
        Column("policy_hash", _BYTES),
        key=4,
    ),
    "governance_admissions": _shape(
        Column("node", _BYTES), Column("author", _BYTES), Column("event_id", _BYTES), key=3
    ),
    "governance_equivocations": _shape(
        Column("prev", _BYTES), Column("node", _BYTES), Column("version_id", _BYTES), key=3
    ),
}
"""The tables that `Governance.rows` fills."""

ALL_TABLES: Final[Mapping[str, TableShape]] = {**TABLES, **GOVERNANCE_TABLES}

SQL_TYPES: Final[Mapping[ColumnType, str]] = {
    ColumnType.UINT: "int8",
    ColumnType.TEXT: "text",
    ColumnType.BYTES: "bytea",
    ColumnType.BOOL: "bool",
}


@attrs.frozen(kw_only=True)
class GroupRows:
    """All rows of a group. `digest` is None for a group that is in no digest of a scope.

    `tables` has a digest of the rows of each table, to tell which of them changed.
    """

    scope: str
    group_id: bytes
    digest: Digest | None
    rows: Rows
    tables: Mapping[str, Digest] = attrs.field(repr=False)


def task_group(task_id: TaskId, scope: str | None, rows: Rows) -> GroupRows:
    """Return the group of a task; `scope` is None while it is not known."""
    tables = encoded(rows)
    found = group_digest(rows, tables)
    return GroupRows(
        scope=UNKNOWN_SCOPE if scope is None else scope,
        group_id=task_id,
        digest=None if found == NO_GROUP else found,
        rows=rows,
        tables=_digests(tables),
    )


def governance_group(network_id: str, rows: Mapping[str, tuple[Row, ...]]) -> GroupRows:
    """Return the group of a network's governance."""
    covered = [[name, rows[name]] for name in sorted(rows)]
    return GroupRows(
        scope=GOVERNANCE_SCOPE,
        group_id=digest(Context.GOVERNANCE, network_id.encode()),
        digest=digest(Context.DIGEST, cbor2.dumps(covered, canonical=True)),
        rows=rows,
        tables=_digests(encoded(rows)),
    )


def _digests(tables: Mapping[str, bytes]) -> Mapping[str, Digest]:
    return {name: _digest_of(table) for name, table in tables.items()}


def _digest_of(table: bytes) -> Digest:
    return NO_ROWS if table == EMPTY else digest(Context.DIGEST, table)
