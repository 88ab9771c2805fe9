"""Signs events and puts them into the log: all of a batch, or none."""

from collections.abc import Sequence
from typing import Final

import attrs

from wattswarm.actors.appending import append
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.rules import Rules
from wattswarm.actors.messages import Append, AppendRefused
from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.runtime.boundary import Crash
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.duty import Roster, Signed
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import short
from wattswarm.kernel.lock import opened_at

APPEND_S: Final = 30.0
LOCK_HELD_PAUSE_MS: Final = 60_000


@attrs.frozen
class NotYet:
    """The task is to be looked at again from a date on; what is outstanding cannot be told."""

    at_ms: int


@attrs.frozen(kw_only=True)
class Signer:
    """Appends what this node says about tasks; whoever asks holds the docket's turn."""

    network_id: str
    rules: Rules

    async def carry(self, docket: Docket, signings: Signings, ctx: Context) -> Roster | NotYet:
        """Append events with all that follows from them, and return what is outstanding then.

        Where more is to be signed, or what is outstanding has to be asked anew, the task is on the
        agenda.
        """
        course = self.rules.course(docket, signings, ctx.clock.wall_ms())
        if isinstance(course, Crash):
            return self.again(docket)
        if (refused := await self.append(docket, course.signings, ctx)) is not None:
            return refused
        dockets = self.rules.dockets
        if docket.is_spoilt:
            return self.again(docket)
        dockets.isolation.quarantine.dismiss(docket.task_id)
        dockets.agenda.schedule(docket.task_id, course.roster and course.roster.wake_at_ms)
        if course.roster is None or _has_signed(course.roster):
            dockets.agenda.mark(docket.task_id)
        return course.roster or Roster()

    async def append(self, docket: Docket, signings: Signings, ctx: Context) -> NotYet | None:
        """Append events as they are, or tell when to try again; None: they are in the log."""
        dockets = self.rules.dockets
        await ctx.point("sign.before")
        events = dockets.attempt(docket, lambda: self._signed(signings))
        if isinstance(events, Crash):
            return self.again(docket)
        await ctx.point("append.before")
        answer = await append(ctx, _request(events, signings), deadline_s=APPEND_S)
        await ctx.point("append.after")
        if isinstance(answer, AppendRefused):
            ctx.log.warning("not appended", task=short(docket.task_id), reason=answer.message)
            pause_ms = answer.retry_after_ms or LOCK_HELD_PAUSE_MS
            return self.again(docket, ctx.clock.wall_ms() + pause_ms)
        dockets.wrote(docket, events, answer)
        return None

    def _signed(self, signings: Signings) -> Sequence[Event]:
        return [each.draft.sign(self.network_id, self.rules.key) for each in signings]

    def again(self, docket: Docket, at_ms: int = 0) -> NotYet:
        """Have a task looked at again: on a date, and not while it is set aside."""
        dockets, task_id = self.rules.dockets, docket.task_id
        date_ms = max(at_ms, dockets.isolation.quarantine.until_ms(task_id))
        dockets.agenda.advance(task_id, date_ms)
        return NotYet(date_ms)


def _has_signed(roster: Roster) -> bool:
    """Tell whether there are events to sign that do not belong into the batch, as a renewal."""
    return any(isinstance(duty, Signed) for duty in roster.duties)


def _request(events: Sequence[Event], signings: Signings) -> Append:
    locks = tuple(lock for signing in signings for lock in signing.locks)
    return Append(
        events=tuple(event.to_wire() for event in events),
        locks=locks,
        is_own=True,
        opened_at=opened_at(signings),
    )
