"""Commands to a worker that have not been answered yet."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.control import Answer, Call, Command
from wattswarm.actors.runtime.errors import Down, Execution, OutOfRange

CALL_S: Final = 3.0
"""An answer is waited for this long, if nothing else is said."""


@attrs.define(eq=False)
class _Waiting:
    answered: trio.Event = attrs.field(factory=trio.Event)
    answer: Answer | None = None


@attrs.define(eq=False)
class Calls:
    """The commands under way to one group, over all its incarnations."""

    group: str
    _numbers: Iterator[int] = attrs.field(factory=count, init=False)
    _waiting: dict[int, _Waiting] = attrs.field(factory=dict[int, _Waiting], init=False)

    async def call(
        self, command: Command, say: Callable[[object], None], patience_s: float = CALL_S
    ) -> object:
        """Send a command and return its answer.

        Raises:
            OutOfRange: The worker says that it cannot be done. Down: It ended, or did not answer.
        """
        number = next(self._numbers)
        waiting = self._waiting[number] = _Waiting()
        say(Call(number, command))
        with trio.move_on_after(patience_s):
            await waiting.answered.wait()
        self._waiting.pop(number, None)
        match waiting.answer:
            case Answer(_, value, None):
                return value
            case Answer(_, _, str(problem)):
                raise OutOfRange(dial=type(command).__name__, reason=problem)
            case _:
                raise self.away()

    def on_answer(self, answer: Answer) -> None:
        """Take an answer; one that nobody waits for any more is dropped."""
        waiting = self._waiting.pop(answer.number, None)
        if waiting is not None:
            waiting.answer = answer
            waiting.answered.set()

    def fail_all(self) -> None:
        """The worker has ended: nothing will be answered."""
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.answered.set()

    def away(self) -> Down:
        """Return the error of a worker that does not answer."""
        maybe = Execution.MAYBE_EXECUTED
        return Down(actor=self.group, execution=maybe, reason="its worker does not answer")
