"""An honest run with traitors in its network: as many finalizers as the others can bear."""

import random
from collections.abc import Mapping

import attrs

from tests.laws.arrivals import Arrivals
from tests.laws.swarm import Node, Swarm
from tests.laws.world import Network, keys, shared_network, task
from wattswarm.kernel.duty import ExecutorOffer
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance, Role, default_threshold
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState

EPOCH_MS = 60_000
LEASE_MS = 5_000
SKEW_MS = 2_000
OUTSIDERS = 3

TRAITORS_ROLES = frozenset({Role.VERIFIER, Role.COMMITTER, Role.FINALIZER})
ROOM: Mapping[str, object] = {
    "max_verifiers": 500,
    "max_concurrency": {"propose": 1, "verify": 500},
    "cost_units": 1_000_000,
    "max_steps": 10_000,
}


@attrs.frozen
class Stage:
    """One network, its honest nodes at work on a task, and those who mean no good."""

    network: Network
    honest: tuple[KeyPair, ...]
    traitors: tuple[KeyPair, ...]
    outsiders: tuple[KeyPair, ...]
    task: Event
    world: Swarm

    @property
    def quorum(self) -> int:
        """How many honest finalizers at least are behind what a quorum signed."""
        return self.network.genesis.threshold - len(self.traitors)

    @property
    def is_continuous(self) -> bool:
        """Whether the task has several epochs."""
        contract = self.task.payload["contract"]
        return isinstance(contract, Mapping) and contract["mode"] == "continuous"

    @property
    def honest_nodes(self) -> frozenset[NodeId]:
        """The honest nodes."""
        return frozenset(key.node_id for key in self.honest)

    @property
    def traitor_nodes(self) -> frozenset[NodeId]:
        """The hostile members."""
        return frozenset(key.node_id for key in self.traitors)

    def governance(self) -> Governance:
        """Return governance that knows the genesis record."""
        return self.network.governance()

    def arrivals(self) -> Arrivals:
        """Return a task that nothing has arrived about."""
        return Arrivals(self.task.event_id, self.governance())

    def honest_state(self) -> TaskState:
        """Return what the honest nodes have said comes to."""
        made = self.arrivals()
        made.take(event for event in self.world.log if event.author in self.honest_nodes)
        return made.state


def tolerated(finalizers: int) -> int:
    """Return how many finalizers may be hostile: the others are a quorum, and decide alone."""
    threshold = default_threshold(finalizers)
    return min(2 * threshold - finalizers - 1, finalizers - threshold)


def stage(rng: random.Random, *, has_room: bool = False) -> Stage:
    """Draw a network of four to seven members, of whom some are hostile, and a task in it.

    With `has_room`, hostile members propose nothing, and the task has places and units for all they
    may claim to verify: who may take the few places of a task can keep others from it.
    """
    size = rng.randint(4, 7)
    members = keys(size, rng.randint(0, 255))
    outsiders = tuple(KeyPair.from_seed(rng.randbytes(32)) for _ in range(OUTSIDERS))
    ranked = rng.sample(members, size)
    count = tolerated(size)
    honest, traitors = tuple(ranked[count:]), tuple(ranked[:count])
    is_open = rng.random() < 0.5 and not has_room
    network = shared_network(
        {
            **{key.node_id: frozenset(Role) for key in honest},
            **{key.node_id: TRAITORS_ROLES if has_room else frozenset(Role) for key in traitors},
        },
        honest[-1],
        open_roles=frozenset({Role.PROPOSER}) if is_open else frozenset(),
    )
    created = task(network, honest[-1], {**_terms(rng), **(ROOM if has_room else {})})
    world = Swarm(network, created, [_node(rng, each, created, network) for each in honest], rng)
    return Stage(network, honest, traitors, outsiders, created, world)


def _terms(rng: random.Random) -> dict[str, object]:
    terms: dict[str, object] = {
        "quorum_threshold": 2,
        "lease_ms": LEASE_MS,
        "time_ms": 30_000,
        "commit_reveal": rng.random() < 0.7,
    }
    if rng.random() < 0.5:
        terms |= {"mode": "continuous", "budget_mode": "epoch_renew", "expires_in_ms": EPOCH_MS}
    return terms


def _node(rng: random.Random, key: KeyPair, created: Event, network: Network) -> Node:
    offer = ExecutorOffer(name=f"executor-{key.node_id.hex()[:6]}")
    arrivals = Arrivals(created.event_id, network.governance())
    offset_ms, work_ms = rng.randint(-SKEW_MS, SKEW_MS), rng.randint(100, 900)
    return Node(key, (offer,), arrivals, offset_ms=offset_ms, work_ms=work_ms)
