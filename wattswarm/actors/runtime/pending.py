"""An ask whose answer has not come yet."""

from typing import TYPE_CHECKING

import trio

from wattswarm.actors.runtime.deadlines import Deadlines
from wattswarm.actors.runtime.errors import ActorError, Execution, TooSlow
from wattswarm.actors.runtime.message import copy_answer, decode_answer

if TYPE_CHECKING:
    from wattswarm.actors.runtime.envelope import Envelope


class Pending:
    """Settled exactly once: by an answer, a failure, its deadline or its asker's cancellation."""

    __slots__ = (
        "_deadline_s",
        "_error",
        "_is_wire",
        "_request",
        "_task",
        "_value",
        "actor",
        "envelope",
        "is_settled",
    )

    def __init__(
        self, actor: str, deadline_s: float, *, request: type, is_wire: bool = False
    ) -> None:
        self.actor = actor
        self.envelope: Envelope | None = None
        self.is_settled = False
        self._deadline_s = deadline_s
        self._request = request
        self._is_wire = is_wire
        self._value: object = None
        self._error: ActorError | None = None
        self._task: trio.lowlevel.Task | None = None

    def answer(self, value: object) -> bool:
        """Give the asker its answer; tell whether it was still waiting."""
        if self.is_settled:
            return False
        if self._is_wire:
            value = copy_answer(value, self._request)
        self._value = value
        self._settle()
        return True

    def answer_bytes(self, body: bytes) -> None:
        """Give the asker an answer that came by a link.

        Raises:
            BadWire: It is not what such a request is answered with.
        """
        self._value = decode_answer(body, self._request)
        self._settle()

    def fail(self, error: ActorError) -> bool:
        """Make the ask raise; tell whether it was still waiting."""
        if self.is_settled:
            return False
        self._error = error
        self._settle()
        return True

    def expire(self) -> None:
        """The deadline has passed: the work is cancelled, the asker told."""
        if not self.is_settled:
            self._error = self.too_slow(Execution.MAYBE_EXECUTED)
            self._settle()
            self._abandon()

    def too_slow(self, execution: Execution) -> TooSlow:
        """Return the error of a deadline that has passed."""
        return TooSlow(actor=self.actor, deadline_s=self._deadline_s, execution=execution)

    async def wait(self, deadlines: Deadlines, deadline: float) -> object:
        """Return the answer.

        Raises:
            Refused, Down, RemoteFailure: What the other side said. TooSlow: Nothing, in time.
        """
        if not self.is_settled:
            tick = deadlines.add(self, deadline)
            self._task = trio.lowlevel.current_task()
            try:
                await trio.lowlevel.wait_task_rescheduled(self._on_cancel)
            finally:
                deadlines.remove(self, tick)
        if self._error is not None:
            raise self._error
        return self._value

    def _settle(self) -> None:
        self.is_settled = True
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    def _on_cancel(self, _: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        self._task = None
        self.is_settled = True
        self._abandon()
        return trio.lowlevel.Abort.SUCCEEDED

    def _abandon(self) -> None:
        if self.envelope is not None:
            self.envelope.cancel()
