"""What becomes of the messages that an incarnation had in hand when it ended.

A tell goes back to the head of the inbox until it has crashed its actor `POISON_AFTER` times,
then it becomes a dead letter. An ask that crashed its actor fails, and asking again is the
asker's choice. A batch that crashed comes again message by message, since any of them may be the
culprit.
"""

from typing import Final

import attrs

from wattswarm.actors.runtime.crash import dead_letter_of, kind_of, traceback_of
from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.errors import Down, Execution, RemoteFailure
from wattswarm.actors.runtime.exit import Exit, ExitKind
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.turns import Turns

POISON_AFTER: Final = 3
"""A message that has crashed its actor this often is put aside."""


@attrs.frozen(eq=False)
class Settlement:
    """The end of one incarnation, as its messages have it."""

    actor: str
    incarnation: int
    turns: Turns
    services: Services

    def settle(self, failure: Exception | None, why: Exit) -> None:
        """Decide about each message that was in hand, and put back what is to be handled again."""
        turns = self.turns
        is_crash = failure is not None and why.kind is ExitKind.CRASHED
        alone = turns.culprit if is_crash else None
        is_batch = is_crash and alone is None and turns.dials["batch"] > 1
        again: list[Envelope] = []
        for envelope in sorted(turns.in_hand, key=lambda one: one.id):
            envelope.running = None
            if failure is not None and envelope is alone:
                again += self._settle_culprit(envelope, failure)
            elif is_batch or envelope.reply is None:
                envelope.crashes += is_batch
                again.append(envelope)
            else:
                maybe = Execution.MAYBE_EXECUTED
                envelope.reply.fail(Down(actor=self.actor, execution=maybe, reason=why.reason))
        turns.inbox.put_back([*again, *turns.waiting()])

    def _settle_culprit(self, envelope: Envelope, failure: Exception) -> list[Envelope]:
        """Return the message that crashed its actor if it is to be tried again."""
        envelope.crashes += 1
        if envelope.reply is not None:
            envelope.reply.fail(self._boxed(failure))
            return []
        if envelope.crashes < POISON_AFTER:
            return [envelope]
        self.turns.counters.dead_letters += 1
        now_ms = self.services.world.clock.wall_ms()
        self.services.on_dead_letter(dead_letter_of(self.actor, envelope, failure, now_ms))
        return []

    def _boxed(self, failure: Exception) -> RemoteFailure:
        return RemoteFailure(
            actor=self.actor,
            incarnation=self.incarnation,
            kind=kind_of(failure),
            message=str(failure),
            traceback=traceback_of(failure),
        )
