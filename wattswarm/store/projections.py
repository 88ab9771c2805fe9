"""Writes projections: the rows of groups and the cursor that says up to where, in one transaction.

Groups are replaced whole, as far as they changed: a table of a group whose rows are as they were is
    left alone. The cursor is compared before it is moved, so that of two builders of one shard, or
    of a builder and a rebuild, only one goes on.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.ids import Digest, Seq
from wattswarm.kernel.rows import Row
from wattswarm.store.connection import Connection, Database, Purpose, translated
from wattswarm.store.errors import PositionConflict
from wattswarm.store.queries import load
from wattswarm.store.tables import ALL_TABLES, SQL_TYPES, GroupRows

PROJECTIONS: Final = load("projections")
TABLE_QUERIES: Final = load("tables")
GROUPS_KNOWN_MAX: Final = 8_192
"""About 10 MiB: the groups that are being worked on, so that only what changed in them is written.
"""


@attrs.frozen
class Quarantined:
    """A group whose derivation failed: its rows stay as they were, the rest goes on."""

    group_id: bytes
    seq: Seq
    error: str


@attrs.define
class Projections:
    """Writes one set of projections; owned by one thread.

    Args:
        database: Migrated. derived_schema: The set to write, when it is not the live one.
    """

    database: Database
    derived_schema: str | None = None
    _connection: Connection | None = attrs.field(default=None, init=False)
    _known: OrderedDict[bytes, Mapping[str, Digest]] = attrs.field(
        factory=OrderedDict[bytes, Mapping[str, Digest]], init=False
    )

    def close(self) -> None:
        """End the session; the next call begins a new one."""
        self._known.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def forget(self, group_id: bytes) -> None:
        """Have all tables of a group written the next time, whether they seem to change or not."""
        self._known.pop(group_id, None)

    def cursor(self, name: str, shard: int) -> Seq:
        """Return up to which position a shard has been derived; 0 for one that has not begun.

        Raises:
            StoreUnavailable: The server does not answer; the next call tries again.
        """
        with translated():
            row = (
                self._session()
                .execute(PROJECTIONS["cursor"], {"name": name, "shard": shard})
                .fetchone()
            )
        return Seq(0 if row is None else row[0])

    def share(self, name: str, shards: int) -> None:
        """Have the cursors of so many shards, and no others.

        When there were others, for other shards, the new ones begin where the last of those was:
        what lies behind has been derived for all tasks.

        Raises:
            StoreUnavailable: The server does not answer; the next call tries again.
        """
        with translated():
            self._session().execute(PROJECTIONS["share"], {"name": name, "shards": shards})

    def advance(
        self,
        name: str,
        shard: int,
        *,
        expected: Seq,
        seq: Seq,
        groups: Sequence[GroupRows] = (),
        quarantined: Sequence[Quarantined] = (),
    ) -> None:
        """Have the rows of all groups, and the cursor at `seq`; or neither.

        Args:
            expected: Where the cursor is. groups: Each once, with all of its rows.

        Raises:
            PositionConflict: The cursor is elsewhere; nothing was written. Read it and go on from
                there.
            StoreUnavailable, StoreFull: Nothing was written, or all of it: the cursor tells.
        """
        connection = self._session()
        try:
            with translated(), connection.transaction():
                self._move(connection, name, shard, expected, seq)
                known = self._replace(connection, groups)
                _mark(connection, groups, quarantined)
        except BaseException:
            self.close()
            raise
        self._remember(known)

    def _session(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._known.clear()
            self._connection = self.database.connect(
                Purpose.PROJECTION, derived_schema=self.derived_schema
            )
        return self._connection

    def _move(self, connection: Connection, name: str, shard: int, expected: Seq, seq: Seq) -> None:
        place = {"name": name, "shard": shard, "expected": expected, "seq": seq}
        if expected == 0:
            connection.execute(PROJECTIONS["begin_cursor"], place)
        if connection.execute(PROJECTIONS["move_cursor"], place).rowcount != 1:
            row = connection.execute(PROJECTIONS["cursor"], place).fetchone()
            actual = None if row is None else row[0]
            raise PositionConflict(name=name, shard=shard, expected=expected, actual=actual)

    def _replace(
        self, connection: Connection, groups: Sequence[GroupRows]
    ) -> Mapping[bytes, Mapping[str, Digest]]:
        """Write the tables of groups that changed; return what each group's tables are now."""
        if not groups:
            return {}
        now = {group.group_id: group.tables for group in groups}
        changed: dict[str, list[GroupRows]] = {}
        for group in groups:
            before = self._known.get(group.group_id, {})
            for table, table_digest in now[group.group_id].items():
                if before.get(table) != table_digest:
                    changed.setdefault(table, []).append(group)
        with connection.pipeline():
            _write_groups(connection, groups)
            for table, owners in changed.items():
                ids = [group.owner for group in owners]
                connection.execute(TABLE_QUERIES[f"delete_{table}"], {"ids": ids})
        for table, owners in changed.items():
            _copy(connection, table, [row for group in owners for row in group.rows[table]])
        return now

    def _remember(self, known: Mapping[bytes, Mapping[str, Digest]]) -> None:
        for group_id, tables in known.items():
            self._known[group_id] = tables
            self._known.move_to_end(group_id)
        while len(self._known) > GROUPS_KNOWN_MAX:
            self._known.popitem(last=False)


def _copy(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    pending = list(rows)
    if not pending:
        return
    types = [SQL_TYPES[column.type] for column in ALL_TABLES[table].of]
    with connection.cursor() as cursor, cursor.copy(TABLE_QUERIES[f"copy_{table}"]) as copy:
        copy.set_types(types)
        for row in pending:
            copy.write_row(row)


def _write_groups(connection: Connection, groups: Sequence[GroupRows]) -> None:
    ids = [group.group_id for group in groups]
    connection.execute(
        PROJECTIONS["write_groups"],
        {
            "ids": ids,
            "scopes": [group.scope for group in groups],
            "digests": [group.digest for group in groups],
        },
    )


def _mark(
    connection: Connection, groups: Sequence[GroupRows], quarantined: Sequence[Quarantined]
) -> None:
    if groups:
        ids = [group.group_id for group in groups]
        connection.execute(PROJECTIONS["release"], {"ids": ids})
    if quarantined:
        connection.execute(
            PROJECTIONS["quarantine"],
            {
                "ids": [item.group_id for item in quarantined],
                "seqs": [item.seq for item in quarantined],
                "errors": [item.error for item in quarantined],
            },
        )
