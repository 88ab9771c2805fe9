"""A stage: nodes that are told nothing but events, mail that takes its time, and a virtual clock.

Mail goes from each author to everybody, each piece with a delay of its own, so that it arrives in
any order, and now and then twice. Time jumps from one thing that happens to the next. Everything
that is drawn comes from one generator: a seed gives one run.
"""

import heapq
import json
import random
from collections.abc import Callable, Collection, Mapping, Sequence

import attrs

from examples.stories.node import Bodies, Cast, Node
from examples.stories.tale import NotSo, Tale
from wattswarm.kernel import decide, governance, payloads
from wattswarm.kernel.decide import Amendment, Motion
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import Admission, Governance, Role, Version
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads import Payload
from wattswarm.kernel.records import Outcome
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.views import state_word

START_MS = 1_700_000_000_000
DELAY_MS = (5, 400)
PAUSE_MS = (10, 120)
TWICE = 0.2
OFFSET_MS = 800
SCOPE = "global"

EVERY_ROLE = frozenset(Role)
WORKING = frozenset({Role.PROPOSER, Role.VERIFIER})
JUDGING = EVERY_ROLE - {Role.PROPOSER}


@attrs.define(eq=False)
class Stage:
    """The nodes of one network, the mail between them, and the time."""

    tale: Tale
    rng: random.Random
    network_id: str
    genesis: Event
    nodes: Cast
    bodies: Bodies
    now_ms: int = START_MS
    mail: list[tuple[int, int, str, Event]] = attrs.field(factory=list[tuple[int, int, str, Event]])
    wakes: dict[str, int] = attrs.field(factory=dict[str, int])
    sent: int = 0

    @classmethod
    def found(
        cls,
        tale: Tale,
        rng: random.Random,
        roles: Mapping[str, Collection[Role]],
        *,
        hostile: Collection[str] = (),
    ) -> "Stage":
        """Return a network of these members, the first of them its founder, who has every role."""
        keys = {name: KeyPair.from_seed(name.encode().ljust(32, b".")) for name in roles}
        founder = next(iter(keys.values()))
        members = {keys[name].node_id: frozenset(held) for name, held in roles.items()}
        record = governance.genesis(founder.node_id, admission=Admission.OPEN, members=members)
        network_id = governance.network_id_of(record)
        genesis = governance.draft_update(record, {}, START_MS - 1).sign(network_id, founder)
        bodies: Bodies = {}
        nodes = {
            name: Node(
                name,
                key,
                Governance(network_id),
                bodies,
                offset_ms=rng.randint(-OFFSET_MS, OFFSET_MS),
                is_honest=name not in hostile,
            )
            for name, key in keys.items()
        }
        for node in nodes.values():
            node.hear(genesis)
        return cls(tale, rng, network_id, genesis, nodes, bodies)

    # --- asking -------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def everywhere(self, asked: Callable[[Node], object]) -> bool:
        """Tell whether something holds for every node."""
        return all(asked(node) for node in self.nodes.values())

    def outcome(self, node: Node, task_id: TaskId, epoch: int = 1) -> Outcome | None:
        """Return what an epoch is final with, as a node has it."""
        found = node.state(task_id).outcomes if task_id in node.machines else ()
        return next((each for each in found if each.label.epoch == epoch), None)

    def winner(self, node: Node, task_id: TaskId, epoch: int = 1) -> EventId | None:
        """Return the candidate that an epoch is final with, as a node has it."""
        outcome = self.outcome(node, task_id, epoch)
        return None if outcome is None else outcome.candidate

    def clock(self, node: Node) -> int:
        """Return the time by a node's own clock, in ms."""
        return self.now_ms + node.offset_ms

    def word(self, node: Node, task_id: TaskId) -> str:
        """Return the word for the state of a task, as a node has it."""
        return state_word(node.state(task_id), self.now_ms)

    def answer(self, node: Node, task_id: TaskId) -> int | None:
        """Return the number that a task is final with in its first epoch, as a node has it."""
        winner = self.winner(node, task_id)
        if winner is None:
            return None
        body = self.bodies[node.state(task_id).candidates[winner].output.digest]
        return int(json.loads(body)["answer"])

    # --- saying -------------------------------------------------------------------------------

    def create(self, author: Node, numbers: Sequence[int], **terms: object) -> TaskId:
        """Have a node create a task: to add numbers up."""
        document = {
            "name": "add these up",
            "task_type": "add",
            "inputs": {"numbers": [*numbers]},
            "quorum_threshold": 2,
            **terms,
        }
        made = decide.create_task(
            document,
            governance=author.governance,
            network_id=self.network_id,
            key_node=author.id,
            now_ms=self.clock(author),
        )
        if isinstance(made, Rejection):
            raise NotSo(f"{author.name} creates a task: {made}")
        return self.publish(author, made)

    def command(self, author: Node, answer: Sequence[Signing] | Rejection) -> None:
        """Have a node sign what it decided; it must not have been refused."""
        if isinstance(answer, Rejection):
            raise NotSo(f"{author.name} is not refused: {answer.code}, {answer.message}")
        for signing in answer:
            held = author.take(signing)
            if held is not None:
                raise NotSo(f"{author.name} signs only one {held}")
            self.publish(author, signing.draft)

    def date(self, author: Node, task_id: TaskId) -> int:
        """Return a date later than all that a node knows about a task."""
        return max(self.now_ms, *author.state(task_id).latest.values()) + 1

    def utter(
        self,
        author: Node,
        task_id: TaskId,
        payload: Payload,
        at_ms: int | None = None,
        *,
        epoch: int = 1,
    ) -> EventId:
        """Have a node sign what it likes, under any date; by default a plausible one."""
        draft = Draft(
            kind=payload.kind,
            scope=SCOPE,
            lane_class=LaneClass.WORK,
            task_id=task_id,
            epoch=epoch,
            created_at=self.date(author, task_id) if at_ms is None else at_ms,
            payload=payloads.write(payload),
        )
        return self.publish(author, draft)

    def amend(self, amendment: Amendment) -> Version:
        """Have the finalizers sign a new governance version: one drafts it, the others join."""
        drafter, *others = self._finalizers()
        motion = decide.amend(drafter.governance, drafter.key, amendment, self.clock(drafter))
        version = self._second(drafter, motion)
        for node in others:
            if node.governance.version(version.id) is None:
                name, now_ms = version.id, self.clock(node)
                self._second(node, decide.co_sign(node.governance, node.key, name, now_ms))
        return version

    def _finalizers(self) -> Sequence[Node]:
        """Return the finalizers of the newest version, in the order of their turns to draft."""
        head = next(iter(self.nodes.values())).governance.head()
        assert head is not None, "a network begins with its genesis record"
        by_id = {node.id: node for node in self.nodes.values()}
        return [by_id[name] for name in drafters(head.id, head.finalizers)]

    def _second(self, node: Node, motion: Motion | Rejection) -> Version:
        if isinstance(motion, Rejection):
            raise NotSo(f"{node.name} is not refused: {motion.code}, {motion.message}")
        self.command(node, motion.signings)
        self.settle()
        return motion.version

    def publish(self, author: Node, draft: Draft) -> EventId:
        """Sign a draft, and send it to everybody."""
        event = draft.sign(self.network_id, author.key)
        self._hear(author, event)
        for name in self.nodes:
            for _ in range(1 + (self.rng.random() < TWICE)):
                self.sent += 1
                at_ms = self.now_ms + self.rng.randint(*DELAY_MS)
                heapq.heappush(self.mail, (at_ms, self.sent, name, event))
        return event.event_id

    def _hear(self, node: Node, event: Event) -> None:
        if node.hear(event):
            self._wake(node)

    def _wake(self, node: Node) -> None:
        """Have a node look at its duties shortly."""
        at_ms = self.now_ms + self.rng.randint(*PAUSE_MS)
        self.wakes[node.name] = min(at_ms, self.wakes.get(node.name, at_ms))

    # --- going on -----------------------------------------------------------------------------

    def run(self, until: Callable[[], bool], what: str, *, for_s: int = 600) -> None:
        """Let the honest nodes do their duties until something has happened, and all heard of it.

        Raises:
            NotSo: The time was up before.
        """
        end_ms = self.now_ms + 1_000 * for_s
        while not until():
            if self.now_ms >= end_ms:
                raise NotSo(f"within {for_s} s, {what}")
            self._step(end_ms)
        self.settle()

    def run_until_final(self, task_id: TaskId, epoch: int = 1) -> None:
        """Let the honest nodes do their duties until everybody sees an epoch final.

        Raises:
            NotSo: They do not.
        """
        self.run(
            lambda: all(self.outcome(node, task_id, epoch) for node in self.nodes.values()),
            f"epoch {epoch} becomes final for everybody",
        )

    def rest(self, for_s: int) -> None:
        """Let the honest nodes do their duties for a while."""
        end_ms = self.now_ms + 1_000 * for_s
        while self.now_ms < end_ms:
            self._step(end_ms)

    def _step(self, end_ms: int) -> None:
        for node in self.nodes.values():
            if node.is_honest and self.wakes.get(node.name, end_ms) <= self.now_ms:
                self._act(node)
        dates = [self.wakes[name] for name in self.wakes if self.nodes[name].is_honest]
        dates += [at_ms for at_ms, *_ in self.mail[:1]]
        self.now_ms = min([end_ms, *(max(at_ms, self.now_ms + 1) for at_ms in dates)])
        self._deliver(self.now_ms)

    def _act(self, node: Node) -> None:
        """Have a node carry out duties until one changes what it knows; then it looks again."""
        now_ms = self.clock(node)
        found, wake_at_ms = node.duties(now_ms)
        self.wakes.pop(node.name)
        if wake_at_ms is not None:
            self.wakes[node.name] = wake_at_ms - node.offset_ms
        for state, each in found:
            known = len(node.checked)
            signings = node.carry_out(state, each, now_ms)
            if not isinstance(signings, Rejection):
                self.command(node, signings)
                if signings or len(node.checked) > known:
                    self._wake(node)
                    return

    def settle(self) -> None:
        """Deliver all mail, without anybody doing anything about it."""
        self._deliver(max((at_ms for at_ms, *_ in self.mail), default=self.now_ms))

    def _deliver(self, until_ms: int) -> None:
        while self.mail and self.mail[0][0] <= until_ms:
            at_ms, _, name, event = heapq.heappop(self.mail)
            self.now_ms = max(self.now_ms, at_ms)
            self._hear(self.nodes[name], event)
