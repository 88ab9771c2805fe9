"""Law 7: deriving n events of one task costs c·n, for hostile shapes too.

Cost is counted in instructions of the interpreter, which no busy machine disturbs. Each shape is
derived in two sizes, one event at a time in the worst order that we know; the larger may cost in
proportion, and a fraction more for heaps.
"""

import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType

import attrs

from tests.laws.arrivals import Arrivals
from tests.laws.report import Law
from tests.laws.world import START_MS, Network, keys, shared_network, task
from wattswarm.kernel import governance, payloads
from wattswarm.kernel.allocation import allocation
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.control import control_message
from wattswarm.kernel.duty import ExecutorOffer, due
from wattswarm.kernel.epoch import epoch_end_message
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import Role, Version
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import Ballot, ControlWord, Payload, Status, TaskResumed, Work
from wattswarm.kernel.payloads.feedback import FeedbackWord
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState
from wattswarm.kernel.records import Control, Label, Subject
from wattswarm.kernel.rows import rows
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.vote import bound_fields, commit_hash

SMALL, LARGE = 60, 300
SLACK = 1.35
"""How much more than in proportion the larger size may cost."""


@attrs.define
class Shape:
    """Events of one task, made to be dear."""

    network: Network
    task: Event
    keys: tuple[KeyPair, ...]
    pin: Digest
    epoch: int = 1
    at_ms: int = START_MS
    made: list[Event] = attrs.field(factory=list[Event])
    control: list[Event] = attrs.field(factory=list[Event])

    @property
    def network_id(self) -> str:
        """The network that it is in."""
        return self.network.network_id

    def arrivals(self) -> Arrivals:
        """Return a task that nothing has arrived about, but what governance says."""
        made = Arrivals(self.task.event_id, self.network.governance())
        made.take(self.control)
        return made

    @property
    def state(self) -> TaskState:
        """What all of it comes to."""
        arrivals = self.arrivals()
        arrivals.take([self.task, *self.made])
        return arrivals.state

    def say(
        self, payload: Payload, key: KeyPair | None = None, at_ms: int | None = None
    ) -> EventId:
        """Make one event; dated after all before, unless a date is given."""
        self.at_ms += 1
        draft = Draft(
            kind=payload.kind,
            scope=self.task.scope,
            lane_class=LaneClass.WORK,
            task_id=self.task.event_id,
            epoch=self.epoch,
            created_at=self.at_ms if at_ms is None else at_ms,
            payload=payloads.write(payload),
        )
        author = self.keys[0] if key is None else key
        event = draft.unsigned(self.network_id, author.node_id)
        self.made.append(event)
        return event.event_id

    def claim(
        self,
        role: Work,
        executor: str = "x",
        key: KeyPair | None = None,
        at_ms: int | None = None,
    ) -> EventId:
        """Claim a place."""
        payload = payloads.TaskClaimed(
            role=role,
            attempt=1,
            executor=executor,
            lease_until=(self.at_ms if at_ms is None else at_ms) + 10**7,
            pin=self.pin,
        )
        return self.say(payload, key, at_ms)

    def end(
        self,
        next_pin: Digest | None = None,
        signers: int = 2,
        key: KeyPair | None = None,
        at_ms: int | None = None,
    ) -> EventId:
        """Carry signatures that the epoch is over."""
        following = self.pin if next_pin is None else next_pin
        label = Label(self.epoch, self.pin)
        signed = epoch_end_message(self.network_id, self.task.event_id, label, following)
        sigs = sorted((each.node_id, each.sign(signed)) for each in self.keys[:signers])
        payload = payloads.EpochEnded(pin=self.pin, next_pin=following, reason="", sigs=tuple(sigs))
        return self.say(payload, key, at_ms)

    def seal(self, candidate: EventId, decision: EventId) -> EventId:
        """Carry signatures of finality."""
        label = Label(self.epoch, self.pin)
        signed = finality_message(self.network_id, self.task.event_id, label, candidate, decision)
        sigs = sorted((each.node_id, each.sign(signed)) for each in self.keys[:2])
        return self.say(
            payloads.DecisionFinalized(
                pin=self.pin, candidate=candidate, decision=decision, sigs=tuple(sigs)
            )
        )

    def enter(self, pin: Digest | None = None) -> None:
        """End the epoch, and speak of the next from now on."""
        self.end(pin)
        self.epoch, self.pin = self.epoch + 1, self.pin if pin is None else pin

    def govern(self, **changes: object) -> Version:
        """Have a successor of the genesis record."""
        version = governance.successor(self.network.genesis, **changes)
        sigs = {key.node_id: governance.sign(self.network_id, version, key) for key in self.keys}
        draft = governance.draft_update(version, sigs, START_MS)
        self.control.append(draft.unsigned(self.network_id, self.keys[0].node_id))
        return version

    def state_that(self, kind: str, target: bytes, serial: int, signers: int = 2) -> None:
        """Have finalizers say that an event is revoked, or all events of a node but a few."""
        keep = None if kind == EventRevoked.kind else frozenset({EventId(bytes(32))})
        said = Statement(
            kind=kind,
            target=target,
            serial=serial,
            state=StatementState.REVOKED,
            governance=self.network.genesis.id,
            reason="",
            keep=keep,
        )
        signed = statement_message(self.network_id, said)
        sigs = {key.node_id: key.sign(signed) for key in self.keys[:signers]}
        draft = governance.draft_statement(said, sigs, START_MS + len(self.control))
        self.control.append(draft.unsigned(self.network_id, self.keys[0].node_id))

    def candidate(self, claim: EventId, evidence: int = 0, at_ms: int | None = None) -> EventId:
        """Propose something."""
        refs = tuple(_ref(index) for index in range(evidence))
        payload = payloads.CandidateProposed(claim=claim, output=_ref(0), evidence=refs)
        return self.say(payload, at_ms=at_ms)

    def result(self, claim: EventId, candidate: EventId, key: KeyPair | None = None) -> EventId:
        """Pass a candidate."""
        payload = payloads.VerifierResultSubmitted(
            claim=claim,
            candidate=candidate,
            status=Status.PASSED,
            score_bp=1,
            reason_codes=(100,),
            provider="p",
            model="m",
        )
        return self.say(payload, key)


def _ref(index: int) -> ArtifactRef:
    return ArtifactRef(digest=f"blake3:{index:064x}", size_bytes=1, mime="text/plain")


def _shape(**terms: object) -> Shape:
    cast = keys(3, 7)
    members = {key.node_id: frozenset(Role) for key in cast}
    network = shared_network(members, cast[0])
    fixed: dict[str, object] = {
        "independence": "none",
        "quorum_threshold": 1,
        "lease_ms": 10_000,
        "time_ms": 10**7,
        "expires_in_ms": 10**9,
        "max_verifiers": 900,
    }
    created = task(network, cast[0], {**fixed, **terms})
    return Shape(network, created, cast, network.genesis.id)


# --- shapes ---------------------------------------------------------------------------------------


def _renewals(n: int) -> Shape:
    """A chain of renewals, which arrives from its end."""
    shape = _shape()
    claim = previous = shape.claim(Work.PROPOSE)
    for _ in range(n):
        shape.at_ms += 9_000
        payload = payloads.TaskClaimRenewed(
            claim=claim, previous=previous, lease_until=shape.at_ms + 10_000
        )
        previous = shape.say(payload)
    shape.made.reverse()
    return shape


def _late_work(n: int) -> Shape:
    """Work that is too late for its lease, and renewals that bring it back one by one."""
    shape = _shape()
    claim = previous = shape.claim(Work.PROPOSE)
    late = shape.at_ms
    for index in range(n):
        shape.candidate(claim, at_ms=late + 9_000 * index)
    for _ in range(n):
        shape.at_ms += 9_000
        payload = payloads.TaskClaimRenewed(
            claim=claim, previous=previous, lease_until=shape.at_ms + 10_000
        )
        previous = shape.say(payload)
    return shape


def _one_name(n: int) -> Shape:
    """Everybody waits for one claim, which comes last."""
    shape = _shape()
    claim = shape.claim(Work.PROPOSE)
    first = shape.made.pop()
    for _ in range(n):
        shape.candidate(claim)
    shape.made.append(first)
    return shape


def _chains(n: int) -> Shape:
    """Long chains of dependence whose first link is missing for good."""
    shape = _shape()
    claim = previous = EventId(bytes(32))
    for _ in range(n):
        payload = payloads.TaskClaimRenewed(
            claim=claim, previous=previous, lease_until=shape.at_ms + 10_000
        )
        claim = previous = shape.say(payload)
    return shape


def _listed_commits(n: int) -> Shape:
    """Reveals that each list thirty commits, before those are there."""
    shape = _shape(commit_reveal=True)
    proposal = shape.claim(Work.PROPOSE)
    verifying = shape.claim(Work.VERIFY)
    candidate = shape.candidate(proposal)
    result = shape.result(verifying, candidate)
    salt = bytes(32)
    subject = Subject(
        Label(1, shape.pin),
        1,
        candidate,
    )
    bound = bound_fields(
        shape.network_id, shape.task.event_id, subject, NodeId(shape.keys[0].node_id), result
    )
    hash_ = commit_hash(bound, Ballot.APPROVE, salt)
    commits = [shape.say(payloads.VoteCommit(result=result, commit_hash=hash_)) for _ in range(n)]
    base, sealed = shape.made[: -len(commits)], shape.made[-len(commits) :]
    shape.made = []
    for index in range(n):
        seen = tuple(commits[(index + k) % n] for k in range(30))
        payload = payloads.VoteReveal(
            commit=commits[index], vote=Ballot.APPROVE, salt=salt, seen=seen
        )
        shape.say(payload)
    shape.made = [*base, *sealed[:1], *shape.made, *sealed[1:]]
    return shape


def _long_lists(n: int) -> Shape:
    """Decisions that name everything, before any of it is there."""
    shape = _shape(commit_reveal=False)
    proposal = shape.claim(Work.PROPOSE)
    verifying = shape.claim(Work.VERIFY)
    candidate = shape.candidate(proposal)
    result = shape.result(verifying, candidate)
    ground = [*shape.made]
    shape.made = []
    vote = payloads.PlainVote(result=result, vote=Ballot.APPROVE)
    votes = [shape.say(vote) for _ in range(n)]
    cast = [*shape.made]
    shape.made = []
    names = tuple(votes[:40])
    for _ in range(n):
        payload = payloads.DecisionCommitted(candidate=candidate, reveals=names, confirmations=())
        shape.say(payload)
    shape.made = [*ground, *shape.made, *reversed(cast)]
    return shape


def _carriers(n: int) -> Shape:
    """Carriers of signatures that are not valid, under the names of finalizers."""
    shape = _shape()
    sigs = tuple(sorted((key.node_id, bytes(64)) for key in shape.keys))
    for index in range(n):
        payload = payloads.DecisionFinalized(
            pin=shape.pin,
            candidate=EventId(index.to_bytes(32, "big")),
            decision=EventId(bytes(32)),
            sigs=sigs,
        )
        shape.say(payload)
    return shape


def _words(n: int) -> Shape:
    """Copies of a control word that lacks a signature, and as many words of the creator's."""
    shape = _shape()
    said = Control(ControlWord.RESUMED, 1, "")
    signed = control_message(shape.network_id, shape.task.event_id, said)
    sigs = sorted((key.node_id, key.sign(signed)) for key in shape.keys)
    for number in range(n // 2):
        shape.say(TaskResumed(control_no=1, reason="", sigs=(sigs[0],)), shape.keys[-1])
        shape.say(TaskResumed(control_no=number, reason="", sigs=None))
    shape.say(TaskResumed(control_no=1, reason="", sigs=tuple(sigs)), shape.keys[-1])
    return shape


def _crowd(n: int) -> Shape:
    """Claims under as many executor names, and a candidate under each."""
    shape = _shape()
    for index in range(n // 2):
        claim = shape.claim(Work.PROPOSE, f"e{index}")
        shape.candidate(claim, evidence=1)
        shape.claim(Work.VERIFY, f"v{index}")
    return shape


CONTINUOUS: Mapping[str, object] = {"mode": "continuous", "budget_mode": "epoch_renew"}


def _late_epoch(n: int) -> Shape:
    """Claims that are too late for their epoch, and carriers that lengthen it for one by one."""
    shape = _shape(**CONTINUOUS)
    shape.enter()
    over_ms = shape.at_ms + 10**9
    for index in range(n):
        shape.claim(Work.PROPOSE, f"e{index}", at_ms=over_ms + 10 * index + 5)
    shape.epoch = 1
    for index in range(n):
        key = shape.keys[index % 2]
        shape.end(key=key, at_ms=shape.made[0].created_at + 10 * (index + 2))
    return shape


def _rival_ends(n: int) -> Shape:
    """Ends of an epoch that too few signed: each with another pin to follow, and copies."""
    shape = _shape(**CONTINUOUS)
    for index in range(n):
        shape.end(Digest(index.to_bytes(32, "big")), signers=1)
        shape.end(signers=1, key=shape.keys[index % 3])
    return shape


def _many_epochs(n: int) -> Shape:
    """A chain of epochs with work in each, which arrives from its end."""
    shape = _shape(**CONTINUOUS)
    for _ in range(n // 5):
        shape.claim(Work.VERIFY)
        claim = shape.claim(Work.PROPOSE)
        shape.candidate(claim)
        shape.enter()
    shape.made.reverse()
    return shape


def _final_epochs(n: int) -> Shape:
    """A chain of epochs, each final with an answer that was found bad."""
    shape = _shape(**CONTINUOUS, commit_reveal=False)
    for _ in range(n // 8):
        candidate = shape.candidate(shape.claim(Work.PROPOSE))
        result = shape.result(shape.claim(Work.VERIFY), candidate)
        vote = shape.say(payloads.PlainVote(result=result, vote=Ballot.APPROVE))
        decision = shape.say(
            payloads.DecisionCommitted(candidate=candidate, reveals=(vote,), confirmations=())
        )
        shape.seal(candidate, decision)
        shape.say(
            payloads.TaskFeedbackReported(candidate=candidate, outcome=FeedbackWord.BAD, reason="")
        )
        shape.enter()
    return shape


def _heirs(n: int) -> Shape:
    """Control words signed by finalizers of a later pin, before an epoch is open under it."""
    shape = _shape(**CONTINUOUS)
    heirs = keys(2, 8)
    version = shape.govern(members={key.node_id: frozenset(Role) for key in heirs}, threshold=2)
    for number in range(n):
        said = Control(ControlWord.RESUMED, number // 2, "")
        signed = control_message(shape.network_id, shape.task.event_id, said)
        sig = heirs[number % 2].node_id, heirs[number % 2].sign(signed)
        payload = TaskResumed(control_no=said.control_no, reason="", sigs=(sig,))
        shape.say(payload, shape.keys[-1])
    shape.enter(version.id)
    return shape


def _penalized(n: int) -> Shape:
    """Work of one who is cut off, and of one of whom much is revoked; statements of too few."""
    shape = _shape()
    shape.state_that(NodePenalized.kind, shape.keys[1].node_id, 1)
    for index in range(n):
        shape.claim(Work.PROPOSE, f"e{index}", shape.keys[1])
        claim = shape.claim(Work.PROPOSE, f"e{index}", shape.keys[2])
        shape.candidate(claim)
        shape.state_that(EventRevoked.kind, claim, 1)
        shape.state_that(NodePenalized.kind, shape.keys[2].node_id, index, signers=1)
    return shape


SHAPES: Mapping[str, Callable[[int], Shape]] = {
    "renewals from the end": _renewals,
    "late work": _late_work,
    "one name": _one_name,
    "broken chains": _chains,
    "listed commits": _listed_commits,
    "long lists": _long_lists,
    "carriers": _carriers,
    "words": _words,
    "crowd": _crowd,
    "late epoch": _late_epoch,
    "rival ends": _rival_ends,
    "many epochs": _many_epochs,
    "final epochs": _final_epochs,
    "heirs": _heirs,
    "penalized": _penalized,
}


# --- counting -------------------------------------------------------------------------------------


def steps(action: Callable[[], object]) -> int:
    """Return how many instructions of the interpreter an action takes."""
    count = 0

    def note(frame: FrameType, what: str, _arg: object) -> Callable[..., object]:
        nonlocal count
        if what == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif what == "opcode":
            count += 1
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def _single_arrivals(shape: Shape, events: Iterable[Event]) -> Callable[[], object]:
    def run() -> None:
        arrivals = shape.arrivals()
        for event in (shape.task, *events):
            arrivals.machine.add([event])

    return run


def _views(shape: Shape) -> Iterator[tuple[str, Callable[[], object]]]:
    state = shape.state
    yield "rows", lambda: group_digest(rows(state.copy()))
    yield "places", lambda: allocation(state, START_MS + 1_000)
    offers = (ExecutorOffer(name="x"), ExecutorOffer(name="y"))
    yield "roster", lambda: due(state, shape.keys[1], offers, shape.at_ms + 1)


def check_cost(law: Law, rng: random.Random) -> None:
    """Derive each shape in both sizes, in its own order and in a random one."""
    for name, make in SHAPES.items():
        small, large = make(SMALL), make(LARGE)
        orders = {"as made": (small.made, large.made)}
        orders["shuffled"] = (
            rng.sample(small.made, len(small.made)),
            rng.sample(large.made, len(large.made)),
        )
        for order, (few, many) in orders.items():
            ratio = len(many) / len(few)
            spent = steps(_single_arrivals(large, many)) / steps(_single_arrivals(small, few))
            law.check(spent <= ratio * SLACK, f"{name}, {order}: {spent:.1f} for {ratio:.1f}")
        views = zip(_views(small), _views(large), strict=True)
        for (view, few_steps), (_, many_steps) in views:
            ratio = len(large.made) / len(small.made)
            spent = steps(many_steps) / steps(few_steps)
            law.check(spent <= ratio * SLACK, f"{name}, {view}: {spent:.1f} for {ratio:.1f}")
