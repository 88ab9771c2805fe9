"""A second set of projections beside the live one: rebuilt from the log, compared, swapped in.

Reads go on from the live set until the swap, and from the new one after it; no reader sees half. A
builder that was at work on the old set finds its cursor where the rebuild left it, and goes on from
there.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.kernel.ids import Seq
from wattswarm.store.connection import Connection, Database, Purpose, translated
from wattswarm.store.migrate import make_derived
from wattswarm.store.projection_reader import Derived, ProjectionReader
from wattswarm.store.projections import PROJECTIONS, Projections
from wattswarm.store.queries import load

SHADOW: Final = load("shadow")


@attrs.frozen
class Shadow:
    """The shadow set of a database; there is one at most, so rebuilds do not run side by side."""

    database: Database

    def create(self) -> Projections:
        """Return the writer of a new, empty set; what an earlier rebuild left is dropped."""
        schema = self.database.shadow_schema
        with (
            self.database.connect(Purpose.OWNER, derived_schema=schema) as connection,
            translated(),
            connection.transaction(),
        ):
            make_derived(connection)
        return Projections(self.database, schema)

    def derived(self) -> Derived:
        """Return how far the rebuild is, and its digests."""
        with self.connect() as connection:
            return ProjectionReader(connection).derived()

    def connect(self) -> Connection:
        """Return a reader's session that finds the rebuilt tables; the caller closes it."""
        return self.database.connect(Purpose.READER, derived_schema=self.database.shadow_schema)

    def swap(self, cursors: Mapping[tuple[str, int], Seq]) -> None:
        """Put the shadow set in the place of the live one, which is dropped.

        Args:
            cursors: Where each shard of the live builders goes on: the position of the rebuild.
        """
        schema = self.database.shadow_schema
        with (
            self.database.connect(Purpose.OWNER, derived_schema=schema) as connection,
            translated(),
        ):
            connection.execute(SHADOW["name_schemas"], self._names())
            with connection.transaction():
                for (name, shard), seq in cursors.items():
                    place = {"name": name, "shard": shard, "seq": seq}
                    connection.execute(PROJECTIONS["put_cursor"], place)
                connection.execute(SHADOW["swap"])

    def discard(self) -> None:
        """Drop the shadow set, if there is one."""
        with self.database.connect(Purpose.OWNER) as connection, translated():
            connection.execute(SHADOW["name_schemas"], self._names())
            connection.execute(SHADOW["drop_shadow"])

    def _names(self) -> Mapping[str, str]:
        return {"live": self.database.derived_schema, "shadow": self.database.shadow_schema}
