"""Honest nodes that carry out their duty rosters on an in-memory network with a virtual clock.

Each node has its own log, its own clock offset and its own sign-locks; messages take time. No node
is told anything but events: what they do follows from `duty.due` and `decide` alone.
"""

import heapq
import random
from collections.abc import Callable, Iterable, Sequence

import attrs

from tests.laws.arrivals import Arrivals
from tests.laws.world import START_MS, Network
from wattswarm.kernel import decide, duty
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.duty import Duty, ExecutorOffer
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.lock import Lock, Signing
from wattswarm.kernel.payloads import Status
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState

STEP_MS = 50


class LockRefused(Exception):
    """A node was about to sign something else for a key that it signed before."""


@attrs.define
class SignLocks:
    """What the log writer keeps: one value per key, for ever."""

    held: dict[tuple[str, bytes], bytes] = attrs.field(factory=dict)

    def take(self, locks: Iterable[Lock]) -> None:
        """Take all of these, or raise and take none."""
        wanted = list(locks)
        for lock in wanted:
            if self.held.get((lock.kind, lock.key), lock.value) != lock.value:
                raise LockRefused(lock.kind)
        for lock in wanted:
            self.held[lock.kind, lock.key] = lock.value


@attrs.define
class Body:
    """A body in the network's artifact store; everybody can fetch it."""

    ref: ArtifactRef
    content: bytes


def body(content: bytes) -> Body:
    """Return a body with the reference that names it."""
    ref = ArtifactRef(
        digest=artifact_digest(content), size_bytes=len(content), mime="application/json"
    )
    return Body(ref, content)


Judge = Callable[["Node", EventId, str], tuple[Status, int]]
"""What a node's executor finds about a candidate: the status, and the score in basis points."""


def approving(node: "Node", candidate: EventId, executor: str) -> tuple[Status, int]:
    """Find every candidate good."""
    return Status.PASSED, 9_000


@attrs.define
class Node:
    """One honest node: its key, its executors, its clock, its log and its locks."""

    key: KeyPair
    executors: tuple[ExecutorOffer, ...]
    arrivals: Arrivals
    offset_ms: int = 0
    work_ms: int = 300
    judge: Judge = approving
    locks: SignLocks = attrs.field(factory=SignLocks)
    in_hand: dict[tuple[object, ...], int] = attrs.field(factory=dict)
    claims_in_hand: dict[tuple[object, ...], EventId] = attrs.field(factory=dict)
    checked: dict[EventId, bool] = attrs.field(factory=dict)
    failing: set[str] = attrs.field(factory=set)
    is_down: bool = False
    is_awake: bool = True
    wake_at_ms: int | None = None

    def is_due(self, now_ms: int) -> bool:
        """Tell whether it looks at the task: for news, at the date it noted, or after work."""
        dates = [*self.in_hand.values()]
        if self.wake_at_ms is not None:
            dates.append(self.wake_at_ms)
        return self.is_awake or any(now_ms >= at_ms for at_ms in dates)

    def hear(self, event: Event) -> None:
        """Take an event into the log; it is news."""
        self.arrivals.take([event])
        self.is_awake = True

    def crash(self) -> None:
        """Lose everything but the log, the locks and the bodies."""
        self.is_awake = True
        self.in_hand.clear()
        self.claims_in_hand.clear()
        self.checked.clear()

    @property
    def name(self) -> NodeId:
        """The node's id."""
        return self.key.node_id

    @property
    def state(self) -> TaskState:
        """The task as this node's log has it."""
        return self.arrivals.state

    def has_outcomes(self, epochs: int) -> bool:
        """Tell whether as many epochs are final, as this node has it."""
        return len({outcome.label.epoch for outcome in self.state.outcomes}) >= epochs


@attrs.define
class Swarm:
    """The nodes of one network at work on one task, until it is final or the time is up.

    `news` is what else is said, and when: governance, and what is none of the nodes' own doing.
    """

    network: Network
    task: Event
    nodes: list[Node]
    rng: random.Random
    latency_ms: tuple[int, int] = (5, 80)
    now_ms: int = START_MS
    bodies: dict[str, Body] = attrs.field(factory=dict)
    on_the_way: list[tuple[int, int, int, Event]] = attrs.field(factory=list)
    sent: int = 0
    log: list[Event] = attrs.field(factory=list)
    crash_chance: float = 0.0
    news: list[tuple[int, Event]] = attrs.field(factory=list[tuple[int, Event]])

    def settle(self) -> None:
        """Deliver everything that is on the way, to those who were down as well."""
        while self.on_the_way:
            _, _, index, event = heapq.heappop(self.on_the_way)
            self.nodes[index].hear(event)

    def run(self, for_ms: int, epochs: int = 1) -> bool:
        """Carry out duties until every node sees as many epochs final; false when time is up."""
        if self.task not in self.log:
            self._publish(self.task, None)
        end_ms = self.now_ms + for_ms
        while self.now_ms < end_ms:
            self._tell_news()
            self._deliver()
            for node in self.nodes:
                if not node.is_down and node.is_due(self.now_ms + node.offset_ms):
                    self._act(node)
            if all(node.is_down or node.has_outcomes(epochs) for node in self.nodes):
                return True
            self.now_ms += STEP_MS
        return False

    def order(self, node: Node, answer: Sequence[Signing] | Rejection) -> None:
        """Have a node append what its operator ordered."""
        self._append(node, answer)

    def _tell_news(self) -> None:
        is_due = [event for at_ms, event in self.news if at_ms <= self.now_ms]
        self.news = [(at_ms, event) for at_ms, event in self.news if at_ms > self.now_ms]
        for event in is_due:
            self._publish(event, None)

    def _deliver(self) -> None:
        while self.on_the_way and self.on_the_way[0][0] <= self.now_ms:
            _, _, index, event = heapq.heappop(self.on_the_way)
            self.nodes[index].hear(event)

    def _publish(self, event: Event, author: Node | None) -> None:
        self.log.append(event)
        for index, node in enumerate(self.nodes):
            delay = 0 if node is author else self.rng.randint(*self.latency_ms)
            self.sent += 1
            heapq.heappush(self.on_the_way, (self.now_ms + delay, self.sent, index, event))
        if author is not None:
            author.hear(event)

    def _append(self, node: Node, answer: Sequence[Signing] | Rejection) -> None:
        if isinstance(answer, Rejection):
            return
        if self.rng.random() < self.crash_chance:
            node.crash()
            return
        node.locks.take(lock for signing in answer for lock in signing.locks)
        for signing in answer:
            self._publish(signing.draft.sign(self.network.network_id, node.key), node)
        if self.rng.random() < self.crash_chance:
            node.crash()

    def _act(self, node: Node) -> None:
        now_ms = self.now_ms + node.offset_ms
        node.is_awake = False
        self._finish(node, now_ms)
        roster = duty.due(
            node.state,
            node.key,
            node.executors,
            now_ms,
            in_hand=frozenset(node.claims_in_hand.values()),
            checked=node.checked,
            governance=node.arrivals.governance,
        )
        node.wake_at_ms = roster.wake_at_ms
        for each in roster.duties:
            if not self._begin(node, each, now_ms):
                node.is_awake = True
                # A duty changes the state that the next ones were drafted for.
                return

    def _begin(self, node: Node, each: Duty, now_ms: int) -> bool:
        """Begin a duty; false when it has changed the state."""
        match each:
            case duty.Execute() | duty.Verify():
                if each.key not in node.in_hand:
                    node.in_hand[each.key] = now_ms + node.work_ms
                    node.claims_in_hand[each.key] = each.claim
                return True
            case duty.Confirm():
                proofs = self._proofs(node, each.candidate, each.digests)
                if not proofs:
                    return True
                self._append(
                    node, decide.confirm(node.state, each.claim, each.candidate, proofs, now_ms)
                )
            case duty.Check():
                node.checked[each.candidate] = self._has_bodies(node, each.candidate)
            case _:
                self._append(node, each.signings)
        return False

    def _finish(self, node: Node, now_ms: int) -> None:
        """End the work whose time has come, and append what it brought."""
        roster = duty.due(node.state, node.key, node.executors, now_ms)
        for each in roster.duties:
            if node.in_hand.get(each.key, now_ms + 1) > now_ms:
                continue
            del node.in_hand[each.key], node.claims_in_hand[each.key]
            match each:
                case duty.Execute():
                    self._complete(node, self._proposed(node, each, now_ms), now_ms)
                case duty.Verify():
                    self._complete(node, self._verified(node, each, now_ms), now_ms)
                case _:
                    raise AssertionError(each)
            return

    def _complete(self, node: Node, answer: Sequence[Signing] | Rejection, now_ms: int) -> None:
        if not isinstance(answer, Rejection):
            answer = duty.carry(
                node.state, tuple(answer), node.key, node.executors, now_ms, checked=node.checked
            ).signings
        self._append(node, answer)

    def _proposed(
        self, node: Node, each: duty.Execute, now_ms: int
    ) -> Sequence[Signing] | Rejection:
        if each.executor in node.failing:
            return decide.report_error(
                node.state, each.claim, "unavailable", (303,), "it did not answer", now_ms
            )
        output = body(f"output of {each.execution_id}".encode())
        evidence = body(f"evidence of {each.execution_id}".encode())
        self.bodies[output.ref.digest] = output
        self.bodies[evidence.ref.digest] = evidence
        return decide.propose(
            node.state, each.claim, output.ref, [evidence.ref], "a summary", now_ms
        )

    def _verified(
        self, node: Node, each: duty.Verify, now_ms: int
    ) -> Sequence[Signing] | Rejection:
        if each.executor in node.failing:
            return decide.report_error(
                node.state, each.claim, "unavailable", (303,), "it did not answer", now_ms
            )
        status, score_bp = node.judge(node, each.candidate, each.executor)
        node.checked[each.candidate] = self._has_bodies(node, each.candidate)
        if not node.checked[each.candidate]:
            status, score_bp = Status.INCONCLUSIVE, 0
        return decide.submit_result(
            node.state,
            each.claim,
            each.candidate,
            status,
            score_bp,
            (100,) if status is Status.PASSED else (101,) if status is Status.FAILED else (200,),
            "a provider",
            "a model",
            self._proofs(node, each.candidate, each.digests),
            now_ms,
        )

    def _proofs(
        self, node: Node, candidate: EventId, digests: Iterable[str]
    ) -> list[tuple[str, bytes]]:
        return [
            (digest, possession_proof(node.name, candidate, [self.bodies[digest].content]))
            for digest in digests
            if digest in self.bodies
        ]

    def _has_bodies(self, node: Node, candidate: EventId) -> bool:
        """Tell whether the output and the evidence of a candidate can be fetched."""
        named = node.state.candidates[candidate]
        return {named.output.digest, *named.digests} <= self.bodies.keys()
