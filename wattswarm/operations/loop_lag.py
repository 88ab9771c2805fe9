"""How late the loop of this process is: what a blocking call would show in."""

from typing import Final

import attrs
import trio

LOOK_S: Final = 0.5


@attrs.define(eq=False)
class LoopLag:
    """The lag at the last look, while `watch` runs."""

    _lag_ms: float = attrs.field(default=0.0, init=False)

    def last_ms(self) -> float:
        """Return how late the loop last was, in ms."""
        return self._lag_ms

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            due = trio.current_time() + LOOK_S
            await trio.sleep_until(due)
            self._lag_ms = round((trio.current_time() - due) * 1_000, 1)
