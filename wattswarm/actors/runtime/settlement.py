"""What becomes of the messages that an incarnation had in hand when it ended.

A tell goes back to the head of the inbox until it has crashed its actor `POISON_AFTER` times,
then it becomes a dead letter. An ask that crashed its actor fails, and asking again is the
asker's choice. A batch that crashed comes again message by message, since any of them may be the
culprit.
"""

from typing import TYPE_CHECKING, Final

from wattswarm.actors.runtime.crash import dead_letter_of, kind_of, traceback_of
from wattswarm.actors.runtime.envelope import Envelope
from wattswarm.actors.runtime.errors import Down, Execution, RemoteFailure
from wattswarm.actors.runtime.exit import Exit, ExitKind

if TYPE_CHECKING:
    from wattswarm.actors.runtime.cell import Cell
    from wattswarm.actors.runtime.turns import Turns

POISON_AFTER: Final = 3
"""A message that has crashed its actor this often is put aside."""


def settle(cell: "Cell", turns: "Turns", failure: Exception | None, why: Exit) -> None:
    """Decide about each message that was in hand, and put back what is to be handled again."""
    is_crash = failure is not None and why.kind is ExitKind.CRASHED
    alone = turns.culprit if is_crash else None
    is_batch = is_crash and alone is None and cell.dials["batch"] > 1
    again: list[Envelope] = []
    for envelope in sorted(turns.in_hand, key=lambda one: one.id):
        envelope.running = None
        if failure is not None and envelope is alone:
            again += _settle_culprit(cell, envelope, failure)
        elif is_batch or envelope.reply is None:
            envelope.crashes += is_batch
            again.append(envelope)
        else:
            maybe = Execution.MAYBE_EXECUTED
            envelope.reply.fail(Down(actor=cell.id, execution=maybe, reason=why.reason))
    cell.inbox.put_back([*again, *turns.waiting()])


def _settle_culprit(cell: "Cell", envelope: Envelope, failure: Exception) -> list[Envelope]:
    """Return the message that crashed its actor if it is to be tried again."""
    envelope.crashes += 1
    if envelope.reply is not None:
        envelope.reply.fail(_boxed(cell, failure))
        return []
    if envelope.crashes < POISON_AFTER:
        return [envelope]
    cell.counters.dead_letters += 1
    now_ms = cell.services.world.clock.wall_ms()
    cell.services.on_dead_letter(dead_letter_of(cell.id, envelope, failure, now_ms))
    return []


def _boxed(cell: "Cell", failure: Exception) -> RemoteFailure:
    return RemoteFailure(
        actor=cell.id,
        incarnation=cell.incarnation,
        kind=kind_of(failure),
        message=str(failure),
        traceback=traceback_of(failure),
    )
