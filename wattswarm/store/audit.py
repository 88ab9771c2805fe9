"""What the database itself says about a node: for fault campaigns.

A trigger notes for each insert into the log the session that did it and the term that was in force.
What it says does not depend on what any writer believes of itself.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.store.connection import Connection, translated
from wattswarm.store.queries import load

AUDIT: Final = load("audit")
SESSION_PREFIX: Final = "wattswarm:log:"
"""A writer's session is named by this and its term."""


@attrs.frozen(kw_only=True)
class Write:
    """One insert of the log: by which session, under which term, which positions."""

    session: str
    writer_term: int
    first_seq: int
    last_seq: int
    events: int

    @property
    def is_by_holder(self) -> bool:
        """Whether the session was that of the writer whose term was in force."""
        return self.session == f"{SESSION_PREFIX}{self.writer_term}"


@attrs.frozen
class Audit:
    """Looks at a node whose tables have no prefix, through a session with the owner's rights."""

    connection: Connection

    def begin(self) -> None:
        """Have every insert from now on noted."""
        with translated():
            for name in ("begin_schema", "begin_table", "begin_function", "begin_trigger"):
                self.connection.execute(AUDIT[name])

    def writes(self) -> tuple[Write, ...]:
        """Return all noted inserts, in the order of the log."""
        with translated():
            rows = self.connection.execute(AUDIT["writes"]).fetchall()
        return tuple(
            Write(session=session, writer_term=term, first_seq=first, last_seq=last, events=events)
            for session, term, first, last, events in rows
        )

    def writer_backends(self) -> tuple[int, ...]:
        """Return the pids of the server's processes that serve writers of the log."""
        with translated():
            rows = self.connection.execute(AUDIT["log_backends"], ()).fetchall()
        return tuple(pid for (pid,) in rows)

    def answers(self) -> Mapping[bytes, int]:
        """Return when each answer of an executor was stored, in µs, by execution id."""
        with translated():
            return dict(self.connection.execute(AUDIT["answers"]).fetchall())
