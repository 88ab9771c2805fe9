"""What was announced to the API, and who waits for more.

An announcement is a hint. Whoever waits for one looks again by itself after a while, so that one
that was lost costs time and nothing else.
"""

from typing import Final

import attrs
import trio

from wattswarm.actors.messages import HeadMoved, TasksChanged

LOOK_S: Final = 1.0
"""Longest wait of whoever follows the log before it looks by itself."""


@attrs.define(eq=False)
class Announcements:
    """The last announcements; `is_stopping` ends whoever follows."""

    head_seq: int = 0
    is_stopping: bool = False
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)

    def take(self, news: HeadMoved | TasksChanged) -> None:
        """Wake whoever waits."""
        self.head_seq = max(self.head_seq, news.seq)
        self._wake()

    def stop(self) -> None:
        """Let whoever follows come to an end."""
        self.is_stopping = True
        self._wake()

    async def wait(self, wait_s: float = LOOK_S) -> None:
        """Return after the next announcement, or after a while without one."""
        changed = self._changed
        if self.is_stopping:
            return
        with trio.move_on_after(wait_s):
            await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
