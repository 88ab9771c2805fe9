"""The digest of a task's rows: what nodes compare to see that they derived the same.

Events whose scope is not their task's have verdicts for display, but are in no digest and no count:
a node that does not subscribe to that scope does not have them.
"""

from collections.abc import Mapping
from typing import Final

import cbor2

from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.rows import TABLES, Rows, Standing

FOREIGN: Final = "wrong_scope"
NO_GROUP: Final = digest(Context.DIGEST)
"""Of a task that is in no digest."""

EMPTY: Final = cbor2.dumps(())
_CODE_COLUMN: Final = TABLES["verdicts"].columns.index("code")
_STANDING_COLUMN: Final = TABLES["tasks"].columns.index("standing")
_ALL: Final = cbor2.dumps((0,) * len(TABLES))[: 1 if len(TABLES) < 24 else 2]
"""The head of an array of all tables."""

_NAMED: Final = {name: cbor2.dumps((name, 0))[:-1] for name in sorted(TABLES)}
"""The beginning of each pair of a table's name and rows, in the order of the names."""


def encoded(group: Rows) -> Mapping[str, bytes]:
    """Return the rows of each table as canonical CBOR; without maps, any CBOR of them is that."""
    return {name: cbor2.dumps(made) if made else EMPTY for name, made in group.items()}


def group_digest(group: Rows, tables: Mapping[str, bytes] | None = None) -> Digest:
    """Return the digest of a task's rows, or `NO_GROUP` of one that is in no digest.

    It covers the tables in the order of their names, each with its rows in the order of their keys,
    as canonical CBOR. A task whose TASK_CREATED is missing is in none: nobody knows its scope.

    Args:
        tables: What `encoded` makes of the rows, where that is known.
    """
    if any(row[_STANDING_COLUMN] == Standing.MISSING.value for row in group["tasks"]):
        return NO_GROUP
    parts = {**(encoded(group) if tables is None else tables)}
    if any(row[_CODE_COLUMN] == FOREIGN for row in group["verdicts"]):
        verdicts = [row for row in group["verdicts"] if row[_CODE_COLUMN] != FOREIGN]
        parts["verdicts"] = cbor2.dumps(verdicts)
    assert parts.keys() == _NAMED.keys(), parts.keys()
    covered = [piece for name, head in _NAMED.items() for piece in (head, parts[name])]
    return digest(Context.DIGEST, b"".join((_ALL, *covered)))
