"""What no hostile author may bring about, and how it is found out.

An honest run comes first; attackers who have seen all of it add to it what they like, but for the
signatures of others. They are traitors among the members, as many finalizers as the network bears,
and outsiders whom open admission lets in.
"""

import random
from collections.abc import Iterable, Iterator, Sequence

import attrs

from tests.hostile.attacker import Attacker
from tests.hostile.attacks import attack
from tests.hostile.stage import EPOCH_MS, Stage, stage
from tests.laws.cost_law import SLACK, steps
from tests.laws.honest_laws import sealed_twice
from tests.laws.report import Law
from wattswarm.kernel import decide
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance, Word
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.limits import SKEW_TOLERANCE_MS
from wattswarm.kernel.lock import epoch_key
from wattswarm.kernel.records import Label
from wattswarm.kernel.rows import rows
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Ignored, explain

RUN_MS = 240_000
ROUND_MS = 500
SETTLING_MS = 10_000
ROUNDS = 12
ATTACKS = 120
ATTACKS_PER_ROUND = 12
FEW, MANY = 80, 400


@attrs.frozen
class Assault:
    """A stage, what honest nodes made of their task, and what was thrown at it after that."""

    stage: Stage
    before: TaskState
    hostile: Sequence[Event]
    after: TaskState
    governance: Governance

    @property
    def events(self) -> Iterable[Event]:
        """All that was said."""
        return (*self.stage.world.log, *self.hostile)


def assault(rng: random.Random, is_decided: Law) -> Assault:
    """Let honest nodes finish, attack, and deliver everything in any order."""
    made = stage(rng)
    is_decided.check(made.world.run(RUN_MS), "an honest run that did not end")
    made.world.settle()
    before = made.honest_state()
    hostile = attacked(made, rng, before, ATTACKS)
    everything = [*made.world.log, *hostile, *rng.sample(hostile, 10)]
    rng.shuffle(everything)
    arrivals = made.arrivals()
    while everything:
        arrivals.take([everything.pop() for _ in range(min(len(everything), rng.randint(1, 30)))])
    return Assault(made, before, hostile, arrivals.state, arrivals.governance)


def attacked(made: Stage, rng: random.Random, state: TaskState, count: int) -> list[Event]:
    """Return hostile events of people who know all that was said."""
    honest = [event for event in made.world.log if event.author in made.honest_nodes]
    attacker = Attacker(rng, made, state, honest, made.world.now_ms)
    attack(attacker, count)
    return attacker.made


# --- what must not come about ---------------------------------------------------------------------


def check_outcomes(law: Law, made: Assault, where: str) -> None:
    """No outcome that honest events decided changes."""
    for outcome in made.before.outcomes:
        found = made.after.outcome(outcome.label)
        is_same = found is not None and found.candidate == outcome.candidate
        law.check(is_same and found is not None and not found.is_disputed, where)


def check_quorums(law: Law, made: Assault, where: str) -> None:
    """Nothing is final, opened or commanded without a quorum of honest finalizers."""
    state, quorum = made.after, made.stage.quorum
    genuine = _signed_by(made.stage)
    for node, signature in _counted(state):
        is_own = node not in made.stage.honest_nodes or (node, signature) in genuine
        law.check(is_own, f"{where} forged")
    for outcome in state.outcomes:
        seals = (seal for seal in state.seals if seal.label == outcome.label)
        signers = {seal.signer for seal in seals if seal.candidate == outcome.candidate}
        law.check(_honest(made, signers) >= quorum, f"{where} final {outcome.label.epoch}")
    for label in state.openings:
        signers = {node for (of, pin, node) in state.endings if _opens(of, pin) == label}
        law.check(_honest(made, signers) >= quorum, f"{where} epoch {label.epoch}")
    for word in state.backers:
        law.check(not state.is_backed(word), f"{where} {word.word}")
    law.check(len(made.governance.rows()["governance_versions"]) == 1, f"{where} governance")
    for event in made.stage.world.log:
        law.check(made.governance.voids(event) is None, f"{where} statement")


def _signed_by(made: Stage) -> frozenset[tuple[NodeId, bytes]]:
    """Return what honest nodes signed inside of what they said."""
    said = (event for event in made.world.log if event.author in made.honest_nodes)
    return frozenset(
        (signer, signature) for event in said for signer, signature in event.payload.get("sigs", ())
    )


def _counted(state: TaskState) -> Iterator[tuple[NodeId, bytes]]:
    """Yield the signatures that count for something."""
    yield from ((seal.signer, signature) for seal, signature in state.seals.items())
    yield from ((node, signature) for (_, _, node), signature in state.endings.items())
    yield from ((node, signature) for (_, node), signature in state.backing.items())


def _opens(label: Label, next_pin: bytes) -> tuple[int, bytes]:
    return label.epoch + 1, next_pin


def _honest(made: Assault, signers: Iterable[NodeId]) -> int:
    return len(made.stage.honest_nodes.intersection(signers))


def check_verdicts(law: Law, made: Assault, where: str) -> None:
    """Every event is effective, or has a verdict with a public code and a sentence."""
    state = made.after
    for event in made.events:
        name = event.event_id
        standing = made.governance.standing(name)
        if standing is not None:
            is_public = standing.word is not Word.IGNORED or standing.code in CODES
            law.check(is_public, f"{where} {standing.code}")
            continue
        verdict = state.verdict(name)
        is_judged = name in state.effective or verdict is not None
        law.check(is_judged, f"{where} {event.kind} without a verdict")
        if isinstance(verdict, Ignored):
            law.check(verdict.code in CODES, f"{where} {verdict.code}")
        if verdict is not None:
            law.check(bool(explain(verdict, event)), f"{where} {event.kind} without a sentence")


def check_effects(law: Law, made: Assault, where: str) -> None:
    """All that honest nodes said keeps its effect, and all that counted counts."""
    for name in made.before.effective:
        law.check(name in made.after.effective, f"{where} {name.hex()[:8]}")
    for name in made.before.counted:
        law.check(name in made.after.counted, f"{where} count {name.hex()[:8]}")
    for subject, count in made.before.tally.items():
        law.check(made.after.tally.get(subject, 0) >= count, f"{where} tally")


# --- getting further ------------------------------------------------------------------------------


def check_progress(law: Law, rng: random.Random, where: str) -> None:
    """Honest nodes that are attacked while at work go on to finality."""
    made = stage(rng, has_room=True)
    world = made.world
    is_over = world.run(rng.randint(200, 1_500))
    for _ in range(ROUNDS):
        state = world.nodes[0].state
        for event in () if is_over else attacked(made, rng, state, ATTACKS_PER_ROUND):
            world.news.append((_taken_at(event, world.now_ms), event))
        is_over = is_over or world.run(ROUND_MS)
    law.check(is_over or world.run(RUN_MS), f"{where}: not final")
    if made.is_continuous:
        _pass_epoch(made, rng, 1)
        law.check(world.run(RUN_MS, 2), f"{where}: no second epoch")
        _pass_epoch(made, rng, 2)
        law.check(world.nodes[0].state.here.epoch > 2, f"{where}: no third epoch")


def _pass_epoch(made: Stage, rng: random.Random, epoch: int) -> None:
    """Let an epoch pass under attack; where it is a traitor's turn to end it, order that."""
    world = made.world
    for _ in range(ROUNDS):
        for event in attacked(made, rng, world.nodes[0].state, ATTACKS_PER_ROUND):
            world.news.append((_taken_at(event, world.now_ms), event))
        world.run(EPOCH_MS // ROUNDS, epoch + 1)
    world.run(SETTLING_MS, epoch + 1)
    for node in world.nodes:
        if node.state.here.epoch == epoch and _in_turn(node.state) in made.traitor_nodes:
            now_ms, known = world.now_ms + node.offset_ms, node.arrivals.governance
            answer = decide.end_epoch(node.state, node.key, known, now_ms, is_ordered=True)
            world.order(node, answer)
            world.run(ROUND_MS, epoch + 1)


def _in_turn(state: TaskState) -> NodeId:
    """Return who is to end the epoch."""
    return drafters(epoch_key(state.task_id, *state.here), state.governing.finalizers)[0]


def _taken_at(event: Event, now_ms: int) -> int:
    """Return when an event gets into a log: one that is dated ahead is parked until then."""
    return max(now_ms, event.created_at - SKEW_TOLERANCE_MS)


# --- agreeing -------------------------------------------------------------------------------------


def check_agreement(law: Law, rng: random.Random, where: str) -> None:
    """Honest nodes that are attacked while at work agree, and sign nothing twice."""
    made = stage(rng)
    world = made.world
    world.run(rng.randint(200, 1_500))
    for _ in range(2 * ROUNDS):
        state = world.nodes[0].state
        for event in attacked(made, rng, state, ATTACKS_PER_ROUND):
            world.news.append((_taken_at(event, world.now_ms), event))
        world.run(ROUND_MS, epochs=2)
    world.settle()
    digests = {group_digest(rows(node.state)) for node in world.nodes}
    law.check(len(digests) == 1, f"{where}: {len(digests)} digests")
    own = [event for event in world.log if event.author in made.honest_nodes]
    law.check(not sealed_twice(own), f"{where}: two seals")
    state = world.nodes[0].state
    for outcome in state.outcomes:
        seals = [seal for seal in state.seals if seal.candidate == outcome.candidate]
        signers = made.honest_nodes.intersection(seal.signer for seal in seals)
        law.check(len(signers) >= made.quorum, f"{where}: final without honest finalizers")


# --- cost -----------------------------------------------------------------------------------------


def check_cost(law: Law, rng: random.Random, where: str) -> None:
    """Deriving what attackers add costs in proportion to how much that is."""
    made = stage(rng)
    made.world.run(RUN_MS)
    made.world.settle()
    hostile = attacked(made, rng, made.honest_state(), MANY)
    few, many = _cost(made, hostile[:FEW]), _cost(made, hostile)
    ratio = MANY / FEW
    law.check(many <= few * ratio * SLACK, f"{where}: {many / few:.1f} for {ratio:.1f}")


def _cost(made: Stage, hostile: Sequence[Event]) -> int:
    arrivals = made.arrivals()
    arrivals.take(made.world.log)

    def one_by_one() -> None:
        for event in hostile:
            arrivals.take([event])

    return steps(one_by_one)
