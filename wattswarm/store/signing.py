"""Whether this node may sign: one row of its own facts, which the log's writer goes by.

An authentic event of our own key that the log does not hold was signed by a clone of this node, or
by this node before its log was restored from a backup. From then on nothing is signed until the
operator says which. After a restore the sign-locks of the time between are lost: `restored_at_ms`
stands for them.
"""

from typing import Final, Literal, TypeAlias

import attrs

from wattswarm.kernel.ids import EventId
from wattswarm.store.connection import Connection, translated
from wattswarm.store.queries import load

SIGNING: Final = load("signing")

Word: TypeAlias = Literal["free", "suspected", "cloned"]


@attrs.frozen(kw_only=True)
class Standing:
    """How this node stands with its own signature; dates in ms since the Unix epoch.

    Attributes:
        word: `suspected`: an event of our key came from elsewhere; `cloned`: an operator said so.
        event_id: The first such event.
        restored_at_ms: Nothing is signed for what was opened by then.
    """

    word: Word = "free"
    since_ms: int | None = None
    event_id: EventId | None = None
    restored_at_ms: int | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether nothing at all is signed."""
        return self.word != "free"

    def forgets(self, opened_at: int | None) -> bool:
        """Tell whether locks may be lost on what was opened then; None: there never are any."""
        if opened_at is None or self.restored_at_ms is None:
            return False
        return opened_at <= self.restored_at_ms

    def explains(self, created_at: int) -> bool:
        """Tell whether an event of ours that comes back is one that a restore has lost."""
        return self.restored_at_ms is not None and created_at <= self.restored_at_ms


FREE: Final = Standing()


def suspected(before: Standing, event_id: EventId, at_ms: int) -> Standing:
    """Return how the node stands when an event of its key came from elsewhere."""
    if before.is_stopped:
        return before
    return attrs.evolve(before, word="suspected", event_id=event_id, since_ms=at_ms)


@attrs.frozen
class Signing:
    """Reads and writes the row; each call is on the disk when it returns."""

    connection: Connection

    def standing(self) -> Standing:
        """Return how this node stands."""
        with translated():
            row = self.connection.execute(SIGNING["word"], binary=True).fetchone()
        assert row is not None, "the migration makes the row"
        word, since_ms, event_id, restored_at_ms = row
        return Standing(
            word=word, since_ms=since_ms, event_id=event_id, restored_at_ms=restored_at_ms
        )

    def suspect(self, event_id: EventId, at_ms: int) -> None:
        """Have signing stopped over an event that came from elsewhere."""
        with translated():
            values = {"event_id": event_id, "at_ms": at_ms}
            self.connection.execute(SIGNING["suspect"], values)

    def restored(self, at_ms: int) -> Standing:
        """Have signing free again, but for what was opened by now or by anything in the log."""
        with translated():
            self.connection.execute(SIGNING["restored"], {"at_ms": at_ms})
        return self.standing()

    def cloned(self, at_ms: int) -> Standing:
        """Have signing stopped, because somebody else signs with this key."""
        with translated():
            self.connection.execute(SIGNING["cloned"], {"at_ms": at_ms})
        return self.standing()
