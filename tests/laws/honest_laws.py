"""Laws 8 and 9: what honest nodes do with clocks apart, and with crashes around signing."""

import random
from collections.abc import Iterable, Iterator, Sequence

import attrs

from tests.laws.arrivals import Arrivals
from tests.laws.report import Law
from tests.laws.swarm import Judge, LockRefused, Node, SignLocks, Swarm, approving
from tests.laws.world import START_MS, Network, keys, local_network, shared_network, task
from wattswarm.kernel import decide, governance, payloads
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.duty import ExecutorOffer
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import Role
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Ballot, Payload, Status, Work
from wattswarm.kernel.payloads.statement import NodePenalized, StatementState
from wattswarm.kernel.rows import rows
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.task import derive

SKEW_MS = 2_000
PATIENCE_MS = 240_000
EPOCH_MS = 60_000

CONTINUOUS: dict[str, object] = {
    "mode": "continuous",
    "budget_mode": "epoch_renew",
    "expires_in_ms": EPOCH_MS,
}


@attrs.frozen(kw_only=True)
class Scenario:
    """An honest run: how many nodes and executors, and on which terms."""

    name: str
    nodes: int
    executors: int
    finalizers: int = 1
    threshold: int | None = None
    terms: dict[str, object] = attrs.field(factory=dict)
    failing: tuple[int, ...] = ()
    down: tuple[int, ...] = ()
    judge: Judge = approving
    epochs: int = 1
    heirs: tuple[int, ...] = ()
    """The finalizers after a handover in the first epoch, if there is one."""
    penalized: tuple[int, ...] = ()
    """Who is cut off while at work."""


def _dissenting(node: Node, candidate: EventId, executor: str) -> tuple[Status, int]:
    """Find everything bad on one node, and good on all others."""
    return (Status.FAILED, 0) if executor.startswith("executor-1-") else (Status.PASSED, 9_000)


def _strict_at_first(node: Node, candidate: EventId, executor: str) -> tuple[Status, int]:
    """Find the work of the first attempt bad."""
    is_first = node.state.candidates[candidate].attempt == 1
    return (Status.FAILED, 0) if is_first else (Status.PASSED, 8_000)


def _blind_at_first(node: Node, candidate: EventId, executor: str) -> tuple[Status, int]:
    """Find nothing out in the first attempt."""
    return (Status.INCONCLUSIVE, 0) if node.state.attempt == 1 else (Status.PASSED, 8_000)


SCENARIOS: Sequence[Scenario] = (
    Scenario(name="one node, one executor", nodes=1, executors=1),
    Scenario(
        name="one node, three executors",
        nodes=1,
        executors=3,
        terms={
            "independence": "executor",
            "max_proposers": 3,
            "max_verifiers": 3,
            "max_concurrency": {"propose": 3, "verify": 3},
        },
    ),
    Scenario(
        name="four nodes, commit and reveal",
        nodes=4,
        executors=1,
        finalizers=3,
        threshold=2,
        terms={"quorum_threshold": 2},
    ),
    Scenario(
        name="four nodes, plain votes, two proposers",
        nodes=4,
        executors=2,
        finalizers=4,
        terms={
            "quorum_threshold": 2,
            "commit_reveal": False,
            "max_proposers": 2,
            "max_concurrency": {"propose": 2, "verify": 3},
        },
    ),
    Scenario(
        name="an executor that fails",
        nodes=4,
        executors=1,
        finalizers=3,
        threshold=2,
        terms={"quorum_threshold": 2},
        failing=(1,),
    ),
    Scenario(
        name="a node that is down",
        nodes=5,
        executors=1,
        finalizers=5,
        terms={"quorum_threshold": 2},
        down=(2,),
    ),
    Scenario(
        name="the creator allocates",
        nodes=4,
        executors=1,
        finalizers=3,
        threshold=2,
        terms={"quorum_threshold": 2, "allocator": "creator"},
    ),
    Scenario(
        name="two epochs of one node",
        nodes=1,
        executors=1,
        terms=CONTINUOUS,
        epochs=2,
    ),
    Scenario(
        name="three epochs",
        nodes=4,
        executors=1,
        finalizers=3,
        threshold=2,
        terms={**CONTINUOUS, "quorum_threshold": 2},
        epochs=3,
    ),
    Scenario(
        name="finalizers that hand over between epochs",
        nodes=5,
        executors=1,
        finalizers=3,
        threshold=2,
        terms={**CONTINUOUS, "quorum_threshold": 2},
        epochs=2,
        heirs=(2, 3, 4),
    ),
    Scenario(
        name="a node that is penalized at work",
        nodes=5,
        executors=1,
        finalizers=3,
        threshold=2,
        terms={"quorum_threshold": 2},
        penalized=(4,),
    ),
    *(
        Scenario(
            name=name,
            nodes=4,
            executors=1,
            finalizers=3,
            threshold=2,
            terms={"quorum_threshold": 2},
            judge=judge,
        )
        for name, judge in (
            ("a verifier that dissents", _dissenting),
            ("work that is rejected at first", _strict_at_first),
            ("verifiers that find out nothing at first", _blind_at_first),
        )
    ),
)


def swarm(scenario: Scenario, rng: random.Random, skew_ms: int) -> Swarm:
    """Return the nodes of a scenario at the start of their task."""
    cast = keys(scenario.nodes, rng.randint(0, 255))
    network = _network(scenario, cast)
    created = task(network, cast[0], scenario.terms)
    nodes = [
        Node(
            key,
            tuple(
                ExecutorOffer(name=f"executor-{index}-{number}")
                for number in range(scenario.executors)
            ),
            Arrivals(created.event_id, network.governance()),
            offset_ms=rng.randint(-skew_ms, skew_ms),
            work_ms=rng.randint(100, 900),
            judge=scenario.judge,
            is_down=index in scenario.down,
            failing={f"executor-{index}-0"} if index in scenario.failing else set(),
        )
        for index, key in enumerate(cast)
    ]
    return Swarm(network, created, nodes, rng, news=[*_news(scenario, network, cast, rng)])


def _news(
    scenario: Scenario, network: Network, cast: Sequence[KeyPair], rng: random.Random
) -> Iterator[tuple[int, Event]]:
    """Yield what the finalizers of the genesis record say beside the task, and when."""
    signers = cast[: scenario.finalizers]
    if scenario.heirs:
        yield START_MS + rng.randint(0, EPOCH_MS // 2), _handover(scenario, network, signers, cast)
    for index in scenario.penalized:
        yield START_MS + rng.randint(0, 5_000), _penalty(network, signers, cast[index])


def _handover(
    scenario: Scenario, network: Network, signers: Sequence[KeyPair], cast: Sequence[KeyPair]
) -> Event:
    heirs = [cast[index].node_id for index in scenario.heirs]
    members = {
        node: frozenset(Role) if node in heirs else roles - {Role.FINALIZER}
        for node, roles in network.genesis.members.items()
    }
    version = governance.successor(
        network.genesis, members=members, effective_at=START_MS + EPOCH_MS // 2
    )
    sigs = {key.node_id: governance.sign(network.network_id, version, key) for key in signers}
    return governance.draft_update(version, sigs, START_MS).sign(network.network_id, signers[0])


def _penalty(network: Network, signers: Sequence[KeyPair], target: KeyPair) -> Event:
    said = Statement(
        kind=NodePenalized.kind,
        target=target.node_id,
        serial=1,
        state=StatementState.REVOKED,
        governance=network.genesis.id,
        reason="",
        keep=frozenset(),
    )
    signed = statement_message(network.network_id, said)
    sigs = {key.node_id: key.sign(signed) for key in signers}
    return governance.draft_statement(said, sigs, START_MS).sign(network.network_id, signers[0])


def _network(scenario: Scenario, cast: Sequence[KeyPair]) -> Network:
    if scenario.nodes == 1:
        return local_network(cast[0])
    members = {
        key.node_id: frozenset({Role.PROPOSER, Role.VERIFIER, Role.COMMITTER})
        | (frozenset({Role.FINALIZER}) if index < scenario.finalizers else frozenset())
        for index, key in enumerate(cast)
    }
    return shared_network(members, cast[0], threshold=scenario.threshold)


def check_skew(law: Law, rng: random.Random, rounds: int) -> None:
    """Law 8: every honest run reaches finality and one digest with clocks up to 2 s off."""
    for index in range(rounds):
        scenario = SCENARIOS[index % len(SCENARIOS)]
        world = swarm(scenario, rng, SKEW_MS)
        is_final = world.run(PATIENCE_MS * scenario.epochs, scenario.epochs)
        law.check(is_final, f"{scenario.name}: not final")
        world.settle()
        found = {group_digest(rows(node.state)) for node in world.nodes}
        law.check(len(found) == 1, f"{scenario.name}: {len(found)} digests")
        one_error_each = [error.claim for error in world.nodes[0].state.errors.values()]
        law.check(len(one_error_each) == len(set(one_error_each)), f"{scenario.name}: errors")
        law.check(not sealed_twice(world.log), f"{scenario.name}: two seals")


# --- crashes ------------------------------------------------------------------------------------


def check_crashes(law: Law, rng: random.Random, rounds: int) -> None:
    """Law 9: killed at any step of signing, or restored, no node signs finality for two.

    Its log writer takes the locks and appends in one transaction. A crash before it loses both, one
    after it loses only the node's knowledge that it happened.
    """
    contest = _contest()
    for index in range(rounds):
        published = _signing_with_crashes(contest, rng)
        law.check(len(published) <= 1, f"round {index}: {len(published)} candidates signed")
    for index in range(rounds // 20 + 1):
        scenario = SCENARIOS[2 + index % (len(SCENARIOS) - 2)]
        world = swarm(scenario, rng, SKEW_MS)
        world.crash_chance = 0.05
        is_final = world.run(PATIENCE_MS * scenario.epochs, scenario.epochs)
        law.check(is_final, f"{scenario.name} with crashes: not final")
        law.check(not sealed_twice(world.log), f"{scenario.name} with crashes: two seals")


def sealed_twice(log: Iterable[Event]) -> bool:
    """Tell whether anybody signed two candidates, or two ends, of one epoch under one pin."""
    signed: dict[tuple[str, int, bytes, bytes], set[bytes]] = {}
    for event in log:
        what = {"DECISION_FINALIZED": "candidate", "EPOCH_ENDED": "next_pin"}.get(event.kind)
        if what is not None:
            for signer, _ in event.payload["sigs"]:
                key = event.kind, event.epoch, event.payload["pin"], signer
                signed.setdefault(key, set()).add(event.payload[what])
    return any(len(named) > 1 for named in signed.values())


@attrs.frozen
class Contest:
    """A task with two candidates, each of them decided for by another committer."""

    network: Network
    finalizer: KeyPair
    task: Event
    ground: tuple[Event, ...]
    decisions: tuple[Event, ...]


def _contest() -> Contest:
    cast = keys(3, 9)
    network = shared_network({key.node_id: frozenset(Role) for key in cast}, cast[0])
    terms = {"independence": "none", "quorum_threshold": 1, "commit_reveal": False}
    created = task(network, cast[0], terms)
    said: list[Event] = []

    def say(key: KeyPair, payload: Payload) -> EventId:
        draft = Draft(
            kind=payload.kind,
            scope=created.scope,
            lane_class=LaneClass.WORK,
            task_id=created.event_id,
            epoch=1,
            created_at=START_MS + 1 + len(said),
            payload=payloads.write(payload),
        )
        said.append(draft.sign(network.network_id, key))
        return said[-1].event_id

    ref = ArtifactRef(digest=f"blake3:{'0' * 64}", size_bytes=1, mime="text/plain")
    for key in cast[:2]:
        places = [
            say(
                key,
                payloads.TaskClaimed(
                    role=role,
                    attempt=1,
                    executor="x",
                    lease_until=START_MS + 20_000,
                    pin=network.genesis.id,
                ),
            )
            for role in (Work.PROPOSE, Work.VERIFY)
        ]
        candidate = say(key, payloads.CandidateProposed(claim=places[0], output=ref, evidence=()))
        result = say(
            key,
            payloads.VerifierResultSubmitted(
                claim=places[1],
                candidate=candidate,
                status=Status.PASSED,
                score_bp=1,
                reason_codes=(100,),
                provider="p",
                model="m",
            ),
        )
        vote = say(key, payloads.PlainVote(result=result, vote=Ballot.APPROVE))
        say(
            key,
            payloads.DecisionCommitted(candidate=candidate, reveals=(vote,), confirmations=()),
        )
    decisions = tuple(event for event in said if event.kind == "DECISION_COMMITTED")
    ground = (created, *(event for event in said if event not in decisions))
    return Contest(network, cast[2], created, ground, decisions)


def _signing_with_crashes(contest: Contest, rng: random.Random) -> set[bytes]:
    """Let a finalizer see now this decision and now that, and die around its transactions."""
    locks = SignLocks()
    in_log: list[Event] = []
    published: set[bytes] = set()
    restored_at: int | None = None
    backup: tuple[SignLocks, list[Event]] | None = None
    for _ in range(6):
        if rng.random() < 0.3:
            backup = (SignLocks(dict(locks.held)), [*in_log])
        if backup is not None and rng.random() < 0.2:
            # The operator puts a backup back and says so: what it forgot may have been signed.
            locks, in_log = SignLocks(dict(backup[0].held)), [*backup[1]]
            restored_at = START_MS + 60_000
        seen = in_log if rng.random() < 0.5 else []  # a projection may lag behind its own log
        given = rng.sample(contest.decisions, rng.randint(1, 2))
        state = derive(
            contest.task.event_id, [*contest.ground, *given, *seen], contest.network.governance()
        )
        for decision in given:
            answer = decide.finality(
                state,
                contest.finalizer,
                decision.event_id,
                START_MS + 100_000,
                has_bodies=True,
                has_passed=True,
                restored_at_ms=restored_at,
            )
            if isinstance(answer, Rejection) or rng.random() < 0.3:
                continue  # refused, or killed before the transaction
            try:
                locks.take(lock for signing in answer for lock in signing.locks)
            except LockRefused:
                continue
            events = [
                signing.draft.sign(contest.network.network_id, contest.finalizer)
                for signing in answer
            ]
            in_log += events  # killed after it: the event leaves the node all the same
            published |= {event.payload["candidate"] for event in events}
    return published
