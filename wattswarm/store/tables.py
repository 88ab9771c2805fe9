"""The tables of groups: of tasks (`kernel/rows/`), of the board (`kernel/board/`), of governance.

A group is what is replaced as a whole: a task, an event of the board, or the governance chain. The
SQL of `derived.sql` and `queries/tables.sql` has the same tables and columns, which a test
compares.
"""

from collections.abc import Mapping
from typing import Final

import attrs
import cbor2

from wattswarm.kernel import board
from wattswarm.kernel.group_digest import EMPTY, NO_GROUP, encoded, group_digest
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, EventId, TaskId
from wattswarm.kernel.rows import TABLES, ColumnType, Row, Rows, TableShape, shape

GOVERNANCE_SCOPE: Final = "global"
NO_ROWS: Final = digest(Context.DIGEST, EMPTY)
BOARD_MARK: Final = b"b"
GOVERNANCE_MARK: Final = b"g"
"""Before the names of groups that are no tasks: an event may name any 32 bytes as its task."""

UNKNOWN_SCOPE: Final = ""
"""Of a task whose TASK_CREATED has not arrived."""

GOVERNANCE_TABLES: Final[Mapping[str, TableShape]] = {
    "governance_versions": shape(
        "version_id bytes, prev bytes?, version uint, effective_at uint, threshold uint,"
        "rules_version uint, proposers_open bool, verifiers_open bool, params bytes, is_head bool",
        1,
    ),
    "governance_members": shape(
        "version_id bytes, node bytes, is_proposer bool, is_verifier bool, is_committer bool,"
        "is_finalizer bool",
        2,
    ),
    "governance_policies": shape(
        "version_id bytes, policy_id text, policy_version uint, policy_hash bytes", 4
    ),
    "governance_admissions": shape("node bytes, author bytes, event_id bytes", 3),
    "governance_equivocations": shape("prev bytes, node bytes, version_id bytes", 3),
    "governance_statements": shape(
        "content_id bytes, kind text, target bytes, serial uint, state text, governance bytes,"
        "reason text, begins_at uint?, ends_at uint?, is_cut bool, signers uint, is_quorate bool",
        1,
    ),
    "governance_kept": shape("content_id bytes, event_id bytes", 2),
    "governance_verdicts": shape(
        "event_id bytes, event_kind text, author bytes, created_at uint, verdict text, code text?,"
        "awaited text?, name bytes?",
        1,
    ),
}
"""The tables that `Governance.rows` fills."""

ALL_TABLES: Final[Mapping[str, TableShape]] = {
    **TABLES,
    **board.TABLES,
    **GOVERNANCE_TABLES,
}

SQL_TYPES: Final[Mapping[ColumnType, str]] = {
    ColumnType.UINT: "int8",
    ColumnType.INT: "int8",
    ColumnType.TEXT: "text",
    ColumnType.BYTES: "bytea",
    ColumnType.BOOL: "bool",
}


@attrs.frozen(kw_only=True)
class GroupRows:
    """All rows of a group. `digest` is None for a group that is in no digest of a scope.

    `owner` stands in the first column of all rows that are replaced with the group; `tables` has a
    digest of the rows of each table, to tell which of them changed.
    """

    scope: str
    group_id: bytes
    owner: bytes
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
        owner=task_id,
        digest=None if found == NO_GROUP else found,
        rows=rows,
        tables=_digests(tables),
    )


def board_group(event_id: EventId, scope: str, rows: Rows) -> GroupRows:
    """Return the group of an event of the board: it is in the digest of the scope it states."""
    return _group(scope, BOARD_MARK, event_id, rows)


def governance_group(network_id: str, rows: Mapping[str, tuple[Row, ...]]) -> GroupRows:
    """Return the group of a network's governance."""
    name = digest(Context.GOVERNANCE, network_id.encode())
    return _group(GOVERNANCE_SCOPE, GOVERNANCE_MARK, name, rows)


def _group(scope: str, mark: bytes, owner: bytes, rows: Rows) -> GroupRows:
    covered = [[name, rows[name]] for name in sorted(rows)]
    return GroupRows(
        scope=scope,
        group_id=mark + owner,
        owner=owner,
        digest=digest(Context.DIGEST, cbor2.dumps(covered, canonical=True)),
        rows=rows,
        tables=_digests(encoded(rows)),
    )


def _digests(tables: Mapping[str, bytes]) -> Mapping[str, Digest]:
    return {name: _digest_of(table) for name, table in tables.items()}


def _digest_of(table: bytes) -> Digest:
    return NO_ROWS if table == EMPTY else digest(Context.DIGEST, table)
