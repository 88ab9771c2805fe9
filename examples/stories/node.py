"""A node: a key, a set of events, a clock that is a little off, and what follows from these.

An honest node acts by its duty roster alone. Work takes it no time: it adds numbers up.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs

from wattswarm.kernel import decide, duty
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.duty import Duty, ExecutorOffer
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.governance import KINDS, Changes, Governance
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import Digest, EventId, NodeId, TaskId
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads import Status
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import TaskMachine, derive

WORKER = ExecutorOffer(name="worker", provider="the stage", model="arithmetic")
FULL_SCORE_BP = 10_000


@attrs.frozen
class Answer:
    """What a proposer answers; `reuse_of` names the decision that it repeats."""

    content: bytes
    reuse_of: EventId | None = None


Bodies = dict[str, bytes]
"""The network's artifact store: everybody can fetch everything."""


def keep(content: bytes, bodies: Bodies) -> ArtifactRef:
    """Put a body into the store, and return the reference that names it."""
    digest = artifact_digest(content)
    bodies[digest] = content
    return ArtifactRef(digest=digest, size_bytes=len(content), mime="application/json")


def sum_of(state: TaskState) -> bytes:
    """Return the right answer to a task: all numbers of its inputs, added up."""
    inputs = json.loads(state.terms.inputs or "{}")
    return json.dumps({"answer": sum(inputs["numbers"])}).encode()


def add_up(node: "Node", state: TaskState, now_ms: int) -> Answer:
    """Answer a task by doing it."""
    return Answer(sum_of(state))


@attrs.define(eq=False)
class Node:
    """One identity. What it knows is `events`; everything else is derived from them."""

    name: str
    key: KeyPair
    governance: Governance
    bodies: Bodies
    offset_ms: int = 0
    is_honest: bool = True
    answer: "Callable[[Node, TaskState, int], Answer]" = add_up
    events: dict[EventId, Event] = attrs.field(factory=dict[EventId, Event])
    machines: dict[TaskId, TaskMachine] = attrs.field(factory=dict[TaskId, TaskMachine])
    locks: dict[tuple[str, bytes], bytes] = attrs.field(factory=dict[tuple[str, bytes], bytes])
    checked: dict[EventId, bool] = attrs.field(factory=dict[EventId, bool])

    @property
    def id(self) -> NodeId:
        """The node's public key."""
        return self.key.node_id

    def state(self, task_id: TaskId) -> TaskState:
        """Return a task as this node derives it."""
        return self.machines[task_id].state

    # --- hearing ------------------------------------------------------------------------------

    def hear(self, event: Event) -> bool:
        """Take an authentic event into the set; tell whether it was new."""
        is_authentic = event.is_genuine() and self.governance.admits(event.author)
        if event.event_id in self.events or not (is_authentic or event.kind in KINDS):
            return False
        self.events[event.event_id] = event
        if event.kind in KINDS:
            self._learn(self.governance.add(event))
        elif event.group_task is not None:
            self._machine(event.group_task).add([event])
        return True

    def _machine(self, task_id: TaskId) -> TaskMachine:
        if task_id not in self.machines:
            self.machines[task_id] = TaskMachine(task_id, self.governance)
        return self.machines[task_id]

    def _learn(self, changes: Changes) -> None:
        """Take in what governance says now: versions wake what waited, statements undo."""
        for task_id, machine in self.machines.items():
            machine.governance_changed(changes.versions)
            if changes.events or changes.nodes:
                self.machines[task_id] = TaskMachine(task_id, self.governance)
                self.machines[task_id].add(self._events_of(task_id))

    def _events_of(self, task_id: TaskId) -> Iterator[Event]:
        return (event for event in self.events.values() if event.group_task == task_id)

    def without(self, task_id: TaskId, left_out: Sequence[EventId]) -> TaskState:
        """Return the task as it would be without these events."""
        kept = [each for each in self._events_of(task_id) if each.event_id not in left_out]
        return derive(task_id, kept, self.governance)

    # --- acting -------------------------------------------------------------------------------

    def duties(self, now_ms: int) -> tuple[Sequence[tuple[TaskState, Duty]], int | None]:
        """Return what the node should do by its own clock, and when to ask again at the latest."""
        found: list[tuple[TaskState, Duty]] = []
        wakes: list[int] = []
        for machine in self.machines.values():
            state = machine.state
            roster = duty.due(
                state,
                self.key,
                [WORKER],
                now_ms,
                checked=self.checked,
                governance=self.governance,
            )
            found += [(state, each) for each in roster.duties]
            wakes += [] if roster.wake_at_ms is None else [roster.wake_at_ms]
        return found, min(wakes, default=None)

    def carry_out(self, state: TaskState, each: Duty, now_ms: int) -> Sequence[Signing] | Rejection:
        """Return the events that a duty ends with."""
        match each:
            case duty.Execute():
                answer = self.answer(self, state, now_ms)
                output = keep(answer.content, self.bodies)
                return decide.propose(
                    state, each.claim, output, [output], None, now_ms, reuse_of=answer.reuse_of
                )
            case duty.Verify():
                return self._verify(state, each, now_ms)
            case duty.Confirm():
                proofs = self._proofs(each.candidate, each.digests)
                return decide.confirm(state, each.claim, each.candidate, proofs, now_ms)
            case duty.Check():
                self.checked[each.candidate] = self._is_right(state, each.candidate)
                return ()
            case _:
                return each.signings

    def _verify(
        self, state: TaskState, each: duty.Verify, now_ms: int
    ) -> Sequence[Signing] | Rejection:
        is_right = self._is_right(state, each.candidate)
        return decide.submit_result(
            state,
            each.claim,
            each.candidate,
            Status.PASSED if is_right else Status.FAILED,
            FULL_SCORE_BP if is_right else 0,
            [ReasonCode.SCHEMA_OK if is_right else ReasonCode.SCHEMA_INVALID],
            WORKER.provider,
            WORKER.model,
            self._proofs(each.candidate, each.digests),
            now_ms,
        )

    def _is_right(self, state: TaskState, candidate: EventId) -> bool:
        """Tell whether a candidate's body is what comes out when the task is done again."""
        return self.bodies.get(state.candidates[candidate].output.digest) == sum_of(state)

    def _proofs(self, candidate: EventId, digests: Sequence[str]) -> list[tuple[str, Digest]]:
        return [
            (digest, possession_proof(self.id, candidate, [self.bodies[digest]]))
            for digest in digests
        ]

    def take(self, signing: Signing) -> str | None:
        """Take the locks of what is about to be signed; return the kind of one that is held."""
        for lock in signing.locks:
            if self.locks.setdefault((lock.kind, lock.key), lock.value) != lock.value:
                return lock.kind
        return None


Cast = Mapping[str, Node]
