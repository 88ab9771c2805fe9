"""Credit accounting of one channel between two processes: pure, and the socket is never the queue.

The receiver grants a window; each message takes one credit; credits come back as messages find a
place in the inbox, half a window at a time, so that a grant frame is paid for by many messages.
"""

import attrs

WINDOW_MAX = 256
"""Messages that may be under way on one channel."""


def window_of(capacity: int) -> int:
    """Return the window for an inbox of that capacity; both sides compute it from the
    specification."""
    return min(capacity, WINDOW_MAX)


@attrs.define
class SendCredit:
    """The sender's side."""

    window: int
    left: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.left = self.window

    def take(self) -> bool:
        """Use one credit; False if there is none."""
        if self.left <= 0:
            return False
        self.left -= 1
        return True

    def grant(self, count: int) -> None:
        """Get credits back; a receiver that grants more than it was owed is not believed."""
        self.left = min(self.left + count, self.window)

    def renew(self) -> None:
        """Begin with a full window: the link is new, and what was under way is gone."""
        self.left = self.window


@attrs.define
class ReceiveCredit:
    """The receiver's side."""

    window: int
    used: int = 0
    """Messages that came."""
    owed: int = 0
    """Messages that have found a place and whose credit has not been given back."""

    def come(self) -> bool:
        """Count a message; False if the sender had no credit for it."""
        self.used += 1
        return self.used <= self.window

    def settle(self) -> int:
        """Count a message that found its place; return how many credits to give back now."""
        self.owed += 1
        if self.owed * 2 < self.window:
            return 0
        granted, self.owed = self.owed, 0
        self.used -= granted
        return granted
