"""Derivation: a set of events about one task becomes its state and a verdict for every event.

`TaskMachine` is a least fixpoint done incrementally. A new event is judged by the rule of its kind;
when it takes effect, what it provides wakes the events that waited for that, and only those. Events
may come in any order and batch, and again: the state is a function of their set, the same as from
scratch. Statements are given: when one changes that is about its events, a machine is made anew.
Each event is judged a bounded number of times plus once per name that it lists, so the
cost is linear.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import attrs

from wattswarm.kernel import (
    attempt,
    candidate,
    claim,
    control,
    creation,
    decision,
    epoch,
    evidence,
    feedback,
    finality,
    market,
    notice,
    payloads,
    result,
    reuse,
    vote,
)
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.ids import Digest, EventId, TaskId
from wattswarm.kernel.payloads import board
from wattswarm.kernel.payloads.task import TaskCreated
from wattswarm.kernel.records import Label
from wattswarm.kernel.rule import Entry, Hold, Rule, ignored, in_epoch, waits
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Ignored, Need, On
from wattswarm.kernel.version import Version

__all__ = ["RULES", "TaskMachine", "TaskState", "derive", "extend"]

FAMILIES: Final = (
    creation,
    claim,
    candidate,
    evidence,
    result,
    vote,
    decision,
    finality,
    attempt,
    epoch,
    control,
    market,
    feedback,
    reuse,
    notice,
)

RULES: Final[Mapping[str, Rule[Any]]] = {
    rule.kind: rule for family in FAMILIES for rule in family.RULES
}
"""Kind → rule: every event kind of a task that has a meaning."""


REACHING: Final = frozenset({On.LEASE, On.EXPIRY})
"""What ends, and may come to end later."""


class Foundation(Protocol):
    """What derivation asks of governance; `Governance` answers it."""

    @property
    def network_id(self) -> str:
        """The network that all events belong to."""
        ...

    def version(self, pin: Digest) -> Version | None:
        """Return the valid version with this id, if there is one yet."""
        ...

    def voids(self, event: Event, pin: Digest | None = None) -> str | None:
        """Return the code of why a statement leaves an event of a task without effect, or None."""
        ...


@attrs.frozen
class Known:
    """Governance as far as a state knows it: the versions of its pins."""

    network_id: str
    versions: Mapping[Digest, Version]

    def version(self, pin: Digest) -> Version | None:
        """Return the version of one of the state's own pins, and no other."""
        return self.versions.get(pin)

    def voids(self, event: Event, pin: Digest | None = None) -> str | None:
        """Return None: what is put out of effect is known of events that were there before."""
        return None


class TaskMachine:
    """Derives one task, event by event."""

    def __init__(self, task_id: TaskId, governance: Foundation) -> None:
        self._governance = governance
        self._state = TaskState(task_id, governance.network_id)
        self._is_shared = False
        self._waiting: dict[Need, list[Entry[Any]]] = {}
        self._late: dict[Need, list[tuple[int, EventId, Entry[Any]]]] = {}
        self._queue: deque[Entry[Any]] = deque()

    @classmethod
    def resume(cls, state: TaskState, governance: Foundation) -> "TaskMachine":
        """Return a machine that goes on from a state; neither disturbs the other."""
        machine = cls(state.task_id, governance)
        machine._state = state.copy()
        for entry, hold in state.pending.values():
            if hold.until is not None:
                machine._queue.append(entry.again())
        machine._drain()
        return machine

    @property
    def state(self) -> TaskState:
        """The state of the set of events that were added: a snapshot, to be read only."""
        self._is_shared = True
        return self._state

    def knows(self, event_id: EventId) -> bool:
        """Tell whether this event was added."""
        return event_id in self._state.effective or event_id in self._state.pending

    def add(self, events: Iterable[Event]) -> None:
        """Take genuine events of this task into account; those known already change nothing."""
        for event in events:
            assert event.group_task == self._state.task_id, "an event of another task"
            if self.knows(event.event_id):
                continue
            self._own()
            self._arrive(event)
            self._drain()

    def governance_changed(self, pins: Iterable[Digest]) -> bool:
        """Take in that these governance versions have become valid; tell whether any was needed."""
        needs = [need for pin in pins if (need := Need(On.VERSION, pin)) in self._waiting]
        for need in needs:
            self._own()
            self._wake(need)
        self._drain()
        return bool(needs)

    # --- within ---------------------------------------------------------------------------------

    def _own(self) -> None:
        """Make the state this machine's own to write: a copy, when somebody may hold it."""
        if self._is_shared:
            self._state = self._state.copy()
            self._is_shared = False

    def _arrive(self, event: Event) -> None:
        state = self._state
        state.latest[event.author] = max(event.created_at, state.latest.get(event.author, 0))
        entry = _entry(event)
        if event.event_id == state.task_id:
            self._learn_origin(entry)
        self._queue.append(entry)

    def _learn_origin(self, entry: Entry[Any]) -> None:
        """Write what TASK_CREATED says whatever its verdict: a void one has a pin as well."""
        state, event = self._state, entry.event
        state.scope, state.creator, state.created_at = event.scope, event.author, event.created_at
        if entry.flaw is None:
            created: TaskCreated = entry.payload
            state.contract, state.pin = created.contract, created.pin
            state.label = Label(1, created.pin)
        self._wake(Need(On.EVENT, state.task_id))

    def _drain(self) -> None:
        while self._queue:
            self._settle(self._queue.popleft())

    def _settle(self, entry: Entry[Any]) -> None:
        state, name = self._state, entry.event.event_id
        if state.pin is not None:
            entry.voided = self._governance.voids(entry.event, state.pin) or entry.voided
        hold = judge(entry, state)
        while hold is not None and hold.until is not None and self._learn(hold.until):
            hold = judge(entry, state)
        if hold is not None:
            state.pending[name] = (entry, hold)
            if hold.until is not None:
                self._remember(hold.until, hold.reach_ms, entry)
            if hold.provides is not None:
                self._wake(hold.provides)
            return
        assert entry.rule is not None, "only kinds with a rule take effect"
        state.pending.pop(name, None)
        state.effective[name] = entry.event.kind
        for provided in entry.rule.apply(entry, state):
            self._wake(provided)
        self._wake(Need(On.EVENT, name))

    def _learn(self, need: Need) -> bool:
        """Take in the governance version that is needed, if it is valid; tell whether it is."""
        if need.on is not On.VERSION:
            return False
        version = self._governance.version(Digest(need.name))
        if version is None:
            return False
        self._state.versions[version.id] = version
        for provided in control.learned(self._state, version):
            self._wake(provided)
        return True

    def _remember(self, until: Need, reach_ms: int, entry: Entry[Any]) -> None:
        if until.on in REACHING:
            late = self._late.setdefault(until, [])
            heapq.heappush(late, (reach_ms, entry.event.event_id, entry))
        else:
            self._waiting.setdefault(until, []).append(entry)

    def _wake(self, provided: Need) -> None:
        if provided.on not in REACHING:
            self._queue.extend(entry.again() for entry in self._waiting.pop(provided, ()))
            return
        late = self._late.get(provided, [])
        end = _end_of(provided, self._state)
        while late and late[0][0] <= end:
            self._queue.append(heapq.heappop(late)[2].again())


def _end_of(need: Need, state: TaskState) -> int:
    """Return when the lease or the epoch ends that is waited for to end later."""
    if need.on is On.LEASE:
        return state.leases[EventId(need.name)].end
    return state.expires_at(need.epoch)


def derive(task_id: TaskId, events: Iterable[Event], governance: Foundation) -> TaskState:
    """Return the state of a task from all genuine events that name it, in any order."""
    machine = TaskMachine(task_id, governance)
    machine.add(events)
    return machine.state


def extend(
    state: TaskState, events: Iterable[Event], governance: Foundation | None = None
) -> TaskState:
    """Return the state of the same set of events and these; `state` stays as it is.

    Without `governance`, no other versions than those of the state's pins are known.
    """
    known = Known(state.network_id, state.versions)
    machine = TaskMachine.resume(state, known if governance is None else governance)
    machine.add(events)
    return machine.state


# --- judging --------------------------------------------------------------------------------------


def judge(entry: Entry[Any], state: TaskState) -> Hold | None:
    """Return why an event has no effect, or None: what holds for all kinds, then its own rule."""
    event = entry.event
    if event.event_id == state.task_id:
        return _judge_creation(entry, state)
    task = Need(On.EVENT, state.task_id)
    if state.scope is None:
        return waits(task)
    if event.scope != state.scope:
        return ignored("wrong_scope")
    if entry.flaw is not None:
        return entry.flaw
    rule = entry.rule
    assert rule is not None, "a kind without a rule is a flaw"
    if entry.voided is not None and rule.voidable:
        return ignored(entry.voided)
    if not rule.in_task:
        return waits(task) if state.pin is None else rule.judge(entry, state)
    if not state.is_effective:
        return waits(task)
    return _judge_setting(entry, state) or rule.judge(entry, state)


def _judge_creation(entry: Entry[Any], state: TaskState) -> Hold | None:
    if entry.flaw is not None:
        return entry.flaw
    if entry.voided is not None:
        return ignored(entry.voided)
    assert entry.rule is not None
    assert state.pin is not None
    if state.pin not in state.versions:
        return waits(Need(On.VERSION, state.pin))
    return entry.rule.judge(entry, state)


def _judge_setting(entry: Entry[Any], state: TaskState) -> Hold | None:
    event = entry.event
    hold = in_epoch(event, state)
    if hold is not None:
        return hold
    if event.created_at > state.expires_at(event.epoch):
        later = None if event.epoch == 1 else Need(On.EXPIRY, b"", event.epoch)
        return Hold(Ignored("after_expiry"), later, event.created_at)
    if event.created_at <= state.created_at:
        return ignored("date_order", state.task_id)
    return None


def _entry(event: Event) -> Entry[Any]:
    """Return the event with its rule and payload, and with what is wrong with it by itself."""
    rule = RULES.get(event.kind)
    if rule is None:
        code = "board_in_task" if event.kind in board.KINDS else "unknown_kind"
        return Entry(event, None, None, ignored(code))
    if event.lane_class is not LaneClass.WORK:
        return Entry(event, rule, None, ignored("wrong_class"))
    if event.kind == TaskCreated.kind and event.task_id is not None:
        return Entry(event, rule, None, ignored("task_in_task"))
    try:
        return Entry(event, rule, payloads.read(event.kind, event.payload))
    except Malformed as error:
        return Entry(event, rule, None, ignored(error.code))
