"""Has pieces of work done, as many at a time as there are places, and what comes of them appended.

What waits for a place is looked at again when one is free; what came to nothing, after a while.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

import attrs
import trio

from wattswarm.actors.dispatch.agenda import Agenda
from wattswarm.actors.dispatch.clients import Clients, Executor
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.failing import Conclusion, NoRoom, WorkFailed, nothing
from wattswarm.actors.dispatch.isolation import Isolation
from wattswarm.actors.dispatch.queue import ANY, PlaceQueue
from wattswarm.actors.dispatch.signer import NotYet, Signer
from wattswarm.actors.dispatch.work import Workshop
from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.runtime.boundary import Crash
from wattswarm.executors.errors import Failure
from wattswarm.kernel import decide
from wattswarm.kernel.duty import Check, Confirm, Duty, Execute, Roster, Verify
from wattswarm.kernel.duty.looks import RENEW_FRACTION
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, TaskId, short
from wattswarm.kernel.limits import REASON_BYTES_MAX
from wattswarm.store.errors import StoreError

Work: TypeAlias = Execute | Verify | Confirm | Check
"""Duties that take an executor or a body, and so some time."""

EXPECTED: Final = (WorkFailed, NoRoom, StoreError)
"""What work may end with that is no bug: the last is for the supervisor, the store being away."""

PAUSE_MS: Final = 1_000
"""Between two tries of a duty that came to nothing."""

NO_ROOM_PAUSE_MS: Final = 30_000
"""Work whose results cannot be stored is not begun for so long: it would be paid for again."""


@attrs.define(kw_only=True)
class Crew:
    """Takes work in hand.

    Args:
        nursery: Where the work lives.
        woken: Called when a place has become free, or a task is to be looked at.
    """

    ctx: Context
    nursery: trio.Nursery
    agenda: Agenda
    isolation: Isolation
    clients: Clients
    workshop: Workshop
    signer: Signer
    woken: Callable[[], None]
    working: int = attrs.field(init=False, default=0)
    _places: PlaceQueue = attrs.field(init=False, factory=PlaceQueue)
    _no_room_until_ms: int = attrs.field(init=False, default=0)

    def admitted(self) -> Iterator[TaskId]:
        """Yield the tasks for which a place has become free."""
        return self._places.admit(self._free)

    def begin(self, docket: Docket, duties: Iterable[Duty]) -> None:
        """Take in hand what takes time, unless it is, or has to wait for something."""
        for duty in () if docket.is_spoilt else duties:
            if isinstance(duty, Work) and not docket.is_doing(duty.key):
                self._begin(docket, duty)

    # --- places ---------------------------------------------------------------------------------

    def _free(self, name: str) -> int:
        if name == ANY:
            return self.ctx.dials["concurrency"] - self.working
        executor = self.clients.get(name)
        return 1 if executor is None else executor.free

    def _begin(self, docket: Docket, duty: Work) -> None:
        now_ms = self.ctx.clock.wall_ms()
        if (until_ms := self._pause_end_ms(docket, duty)) > now_ms:
            self.agenda.advance(docket.task_id, until_ms)
            return
        executor = self._executor(duty)
        if executor is None and isinstance(duty, Execute | Verify):
            return
        if self._has_to_wait(docket.task_id, executor):
            return
        docket.begin(duty.key, _claim(duty))
        self._keep_alive(docket, duty)
        self.working += 1
        if executor is not None:
            executor.begin()
        self.nursery.start_soon(self._carry_out, docket, duty, executor)

    def _pause_end_ms(self, docket: Docket, duty: Work) -> int:
        """Return until when a piece of work has to wait."""
        paused_ms = docket.pause_end_ms(duty.key)
        is_stored = isinstance(duty, Execute | Verify)
        return max(paused_ms, self._no_room_until_ms) if is_stored else paused_ms

    def _executor(self, duty: Work) -> Executor | None:
        match duty:
            case Execute(executor=name) | Verify(executor=name):
                return self.clients.get(name)
            case Confirm() | Check():
                return None

    def _has_to_wait(self, task_id: TaskId, executor: Executor | None) -> bool:
        """Tell whether there is no place; the task stands in the queue for one then."""
        if self.working >= self.ctx.dials["concurrency"]:
            self._places.wait(task_id)
            return True
        if executor is not None and not executor.free:
            self._places.wait(task_id, executor.settings.name)
            return True
        return False

    def _keep_alive(self, docket: Docket, duty: Work) -> None:
        """Have the task looked at when the lease is to be renewed: now there is work in hand."""
        if (claim := _claim(duty)) is not None:
            renewal_ms = docket.state.terms.lease_ms // RENEW_FRACTION
            self.agenda.advance(docket.task_id, docket.state.leases[claim].end - renewal_ms)

    # --- working --------------------------------------------------------------------------------

    async def _carry_out(self, docket: Docket, duty: Work, executor: Executor | None) -> None:
        """Do a piece of work, append what comes of it, and go on with what that makes due."""
        following: Roster | None = None
        try:
            following = await self._work(docket, duty, executor)
        finally:
            docket.end(duty.key, _claim(duty))
            self.working -= 1
            if executor is not None:
                executor.end()
            if following is None and not docket.is_spoilt:
                self.agenda.mark(docket.task_id)
            self.woken()
        if following is not None:
            self.begin(docket, following.duties)

    async def _work(self, docket: Docket, duty: Work, executor: Executor | None) -> Roster | None:
        """Return what is outstanding afterwards; None: that is to be asked."""
        try:
            conclude = await self._conclusion(docket, duty, executor)
        except NoRoom as error:
            self.ctx.log.error("nothing can be stored", duty=duty.key[0], reason=str(error))
            self._no_room_until_ms = self.ctx.clock.wall_ms() + NO_ROOM_PAUSE_MS
            return None
        async with docket.turn:
            outcome = await self._appended(docket, duty, conclude)
        if isinstance(outcome, Roster):
            return outcome
        docket.pause(duty.key, outcome.at_ms)
        return None

    async def _conclusion(
        self, docket: Docket, duty: Work, executor: Executor | None
    ) -> Conclusion | Crash:
        try:
            return await self.isolation.attempt_async(
                docket.task_id, lambda: self._done(docket, duty, executor), expected=EXPECTED
            )
        except WorkFailed as error:
            await self.ctx.point("report.before")
            reason = error.failure.message
            self.ctx.log.info("work failed", task=short(docket.task_id), reason=reason)
            return _report(duty, error.failure)

    async def _appended(
        self, docket: Docket, duty: Work, conclude: Conclusion | Crash
    ) -> Roster | NotYet:
        """Append what a piece of work comes to; the task's turn is held."""
        now_ms = self.ctx.clock.wall_ms()
        if isinstance(conclude, Crash):
            return self.signer.again(docket, now_ms)
        answer = self.signer.rules.conclusion(docket, conclude, now_ms)
        if isinstance(answer, Crash):
            return self.signer.again(docket, now_ms)
        if isinstance(answer, Rejection) or not answer:
            reason = answer.message if isinstance(answer, Rejection) else "nothing to say yet"
            self.ctx.log.debug("work came to nothing", duty=duty.key[0], reason=reason)
            return NotYet(now_ms + PAUSE_MS)
        return await self.signer.carry(docket, answer, self.ctx)

    async def _done(self, docket: Docket, duty: Work, executor: Executor | None) -> Conclusion:
        match duty:
            case Execute() if executor is not None:
                return await self.workshop.execute(docket, duty, executor, self.ctx)
            case Verify() if executor is not None:
                return await self.workshop.verify(docket, duty, executor, self.ctx)
            case Confirm():
                return await self.workshop.confirm(docket, duty)
            case Check():
                passed = await self.workshop.check(docket, duty)
                if passed is not None:
                    docket.checked[duty.candidate] = passed
                return nothing
            case _:
                return nothing


def _claim(duty: Work) -> EventId | None:
    return None if isinstance(duty, Check) else duty.claim


def _report(duty: Work, failure: Failure) -> Conclusion:
    """Return what makes the one error of a claim out of a failure."""
    claim = _claim(duty)
    if claim is None:
        return nothing
    message = failure.message.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
    return lambda state, now_ms: decide.report_error(
        state, claim, failure.reason.value, failure.reason_codes, message, now_ms
    )
