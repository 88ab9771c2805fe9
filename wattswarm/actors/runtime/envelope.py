"""A message on its way, with what the runtime must know about it."""

from math import inf
from typing import Protocol

import attrs
import trio

from wattswarm.actors.runtime.errors import ActorError


class Reply(Protocol):
    """Where the answer of an ask goes. Whatever comes after the first answer is late: counted,
    dropped."""

    def answer(self, value: object) -> bool:
        """Give the asker its answer; tell whether it was still waiting."""
        ...

    def fail(self, error: ActorError) -> bool:
        """Make the ask raise `error`; tell whether it was still waiting."""
        ...


@attrs.define(eq=False)
class Envelope:
    """One message. `put_s` is on the world's monotonic clock, `deadline` on trio's."""

    message: object
    sender: str
    id: int
    put_s: float
    reply: Reply | None = None
    deadline: float = inf
    crashes: int = 0
    """How often it was in hand when its actor crashed."""
    is_cancelled: bool = False
    running: trio.CancelScope | None = None
    """The scope of the handler that has it in hand."""

    def cancel(self) -> None:
        """Make it not run, or end the handler that has it in hand."""
        self.is_cancelled = True
        if self.running is not None:
            self.running.cancel()
