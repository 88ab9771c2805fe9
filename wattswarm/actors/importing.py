"""Events of an archive, let into a log that no node uses: what the verifier does, in one thread.

Blocks; for commands that run without a node. Each request is one transaction, so that whatever was
counted is in the log, and giving the same events again changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

from wattswarm.actors.foreign import genuine
from wattswarm.actors.governance_tail import GovernanceTail
from wattswarm.actors.messages import Ingested, Refusal
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.limits import SKEW_TOLERANCE_MS
from wattswarm.store.event_log import LogWriter
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import Entry, Outcome, Stored

GOVERNANCE_UPDATED: Final = "GOVERNANCE_UPDATED"
UNSTORABLE: Final = "unstorable"


@attrs.define
class Importer:
    """Checks events of others, and appends those that are authentic.

    Args:
        writer: Open, and nobody else's; it knows whose log this is.
        now_ms: Gives the time, in ms since the Unix epoch.
    """

    writer: LogWriter
    reader: LogReader
    tail: GovernanceTail
    now_ms: Callable[[], int]

    def take(self, wires: Sequence[bytes]) -> Ingested:
        """Have the authentic ones of a few events in the log; at most 512 events or 1 MiB.

        An event that others of the same request admit is taken after them.
        """
        waiting: list[tuple[int, Event]] = []
        refused: list[Refusal] = []
        for index, item in enumerate(genuine(wires, self.tail.network_id)):
            if isinstance(item, str):
                refused.append(Refusal(index, item))
            elif item.created_at > self.now_ms() + SKEW_TOLERANCE_MS:
                refused.append(Refusal(index, "from_the_future"))
            else:
                waiting.append((index, item))
        accepted = already = 0
        while admitted := self._take_admitted(waiting):
            outcomes = self._append(admitted.values())
            known = [each.positions[0].is_known for each in outcomes if isinstance(each, Stored)]
            accepted += known.count(False)
            already += known.count(True)
            refused += (
                Refusal(index, UNSTORABLE)
                for index, outcome in zip(admitted, outcomes, strict=True)
                if not isinstance(outcome, Stored)
            )
        refused += (Refusal(index, "not_admitted") for index, _ in waiting)
        return Ingested(accepted, already, 0, tuple(sorted(refused, key=lambda each: each.index)))

    def _take_admitted(self, waiting: list[tuple[int, Event]]) -> dict[int, Event]:
        """Take out the events whose authors are admitted by now."""
        self.tail.advance(self.reader)
        admitted = {index: event for index, event in waiting if self._admits(event)}
        waiting[:] = [each for each in waiting if each[0] not in admitted]
        return admitted

    def _admits(self, event: Event) -> bool:
        """Tell whether the log admits the author, or this is the event that a log begins with."""
        return self.tail.governance.admits(event.author) or _begins(event)

    def _append(self, events: Iterable[Event]) -> Sequence[Outcome]:
        received_at = self.now_ms()
        groups = [(Entry(event=event, received_at=received_at),) for event in events]
        return self.writer.append(groups).outcomes


def _begins(event: Event) -> bool:
    """Tell whether an event carries the genesis record of its network, and that its author."""
    if event.kind != GOVERNANCE_UPDATED:
        return False
    governance = Governance(event.network_id)
    governance.add(event)
    return governance.admits(event.author)
