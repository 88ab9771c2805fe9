"""One task that this node may have something to do for, as far as it is in memory.

A cache: the events are in the log, and a docket that was dropped is read again.
"""

from collections import Counter
from collections.abc import Iterable

import attrs
import trio

from wattswarm.kernel.duty import Key
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import Digest, EventId, TaskId
from wattswarm.kernel.payloads import CandidateProposed
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import TaskMachine


@attrs.define
class Docket:
    """A task's derivation, and what is being done for it.

    Attributes:
        turn: Held from looking at the state until what was decided on it is in the log.
        is_spoilt: Whether a bug struck while something was made of it: the state cannot be relied
            on, and is to be derived anew before it is looked at again.
        claims: Claims whose work is in progress, with how many pieces of it.
        checked: Candidates whose bodies are here and were checked: whether the output passed.
        answers: What executors answered and is stored, by execution id; and what they were told.
        earlier: Claims that were there when the docket was read: somebody may have been asked to
            work under them.
    """

    task_id: TaskId
    _machine: TaskMachine
    turn: trio.Lock = attrs.field(factory=trio.Lock)
    is_spoilt: bool = False
    claims: Counter[EventId] = attrs.field(factory=Counter[EventId])
    checked: dict[EventId, bool] = attrs.field(factory=dict[EventId, bool])
    answers: dict[bytes, bytes] = attrs.field(factory=dict[bytes, bytes])
    earlier: frozenset[EventId] = frozenset()
    _doing: set[Key] = attrs.field(factory=set[Key])
    _pauses: dict[Key, int] = attrs.field(factory=dict[Key, int])

    @classmethod
    def open(cls, task_id: TaskId, governance: Governance, events: Iterable[Event]) -> "Docket":
        """Return the docket of a task with these events."""
        docket = cls(task_id, TaskMachine(task_id, governance))
        docket.learn(events)
        docket.earlier = frozenset(docket.state.claims)
        return docket

    @property
    def state(self) -> TaskState:
        """The task as derived from what was learned so far."""
        return self._machine.state

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being done for the task, so that the docket may be dropped."""
        return not self._doing and not self.turn.locked()

    def restore(self, twin: "Docket") -> None:
        """Have the state of another docket of the task, and go on with what is in hand."""
        self._machine = twin._machine
        self.earlier |= twin.earlier
        self.is_spoilt = False

    def learn(self, events: Iterable[Event]) -> None:
        """Take events in; those that are known change nothing."""
        self._machine.add(events)

    def knows(self, event_id: EventId) -> bool:
        """Tell whether an event is part of the state: it was appended from here, perhaps."""
        return self._machine.knows(event_id)

    def vouch(self, own: Iterable[Event]) -> None:
        """Note that what this node proposed itself was checked before, and its bodies are here."""
        for event in own:
            if event.kind == CandidateProposed.kind:
                self.checked[event.event_id] = True

    def is_doing(self, key: Key) -> bool:
        """Tell whether a duty is being carried out now."""
        return key in self._doing

    def begin(self, key: Key, claim: EventId | None) -> None:
        """Take a duty in hand; the claim that it is done under, if there is one, is kept alive."""
        self._doing.add(key)
        if claim is not None:
            self.claims[claim] += 1

    def end(self, key: Key, claim: EventId | None) -> None:
        """Put a duty down."""
        self._doing.discard(key)
        if claim is not None:
            self.claims[claim] -= 1
            self.claims += Counter()  # drops what has come down to nothing

    def pause(self, key: Key, until_ms: int) -> None:
        """Leave a duty alone until a date: it came to nothing just now."""
        self._pauses[key] = until_ms

    def pause_end_ms(self, key: Key) -> int:
        """Return until when a duty is left alone; 0 when it is not."""
        return self._pauses.get(key, 0)

    def governance_changed(self, pins: Iterable[Digest]) -> None:
        """Take into account that these governance versions have become valid."""
        self._machine.governance_changed(pins)
