"""Histories: what honest, hostile and confused authors might put into the log about one task.

A history is a list of signed events. Most are plausible, so that much takes effect; the others name
things of the wrong kind or things that nobody has, bear dates before what they name or after the
end, come from the wrong author, scope, class or epoch, or hold fields that no kind has. Everything
is drawn from one generator of random numbers: a seed gives one history.
"""

import random
from collections.abc import Iterable, Sequence

import attrs

from tests.laws.author import Author
from tests.laws.governing import EVERY_ROLE, Governing
from tests.laws.sayings import say_something
from tests.laws.world import Network, keys, local_network, shared_network, task
from wattswarm.kernel.contract import read as read_contract
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import RULES_VERSION, Role, Version
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.records import Label
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.task import TaskMachine


@attrs.frozen(kw_only=True)
class History:
    """One network, one task in it, what was said about it, and the governance that comes late.

    `later` carries governance versions, `statements` what finalizers said of events and nodes;
    `version` is the one that the task names.
    """

    network: Network
    cast: Sequence[KeyPair]
    later: Sequence[Event]
    statements: Sequence[Event]
    task: Event
    events: Sequence[Event]
    version: Version

    @property
    def control(self) -> Sequence[Event]:
        """All that comes late of governance."""
        return [*self.later, *self.statements]


def history(rng: random.Random, size: int) -> History:
    """Draw a history of about `size` events."""
    cast = keys(rng.randint(3, 6), rng.randint(0, 3))
    network = _network(rng, cast)
    governing = Governing.drawn(rng, network, cast)
    version = _pin(rng, governing)
    created = _task(rng, network, version, cast)
    author = _author(rng, governing, version, created)
    for _ in range(size):
        say_something(author)
    events = [created, *(each.event for made in author.made.values() for each in made)]
    return History(
        network=network,
        cast=cast,
        later=governing.carriers,
        statements=governing.statements(events) if rng.random() < 0.5 else [],
        task=created,
        events=events,
        version=version,
    )


def _author(rng: random.Random, governing: Governing, version: Version, created: Event) -> Author:
    known = governing.network.governance()
    for event in governing.carriers:
        known.add(event)
    machine = TaskMachine(created.event_id, known)
    machine.add([created])
    return Author(
        rng=rng,
        network=governing.network,
        versions={each.id: each for each in governing.versions},
        here=Label(1, version.id),
        task=created,
        cast=governing.cast,
        contract=read_contract(created.payload["contract"]),
        liars=_liars(rng, governing.versions),
        machine=machine,
    )


def _liars(rng: random.Random, versions: Iterable[Version]) -> frozenset[NodeId]:
    """Draw finalizers who contradict themselves: as few as every version can bear."""
    versions = list(versions)
    nodes = sorted({node for version in versions for node in version.finalizers})
    liars: set[NodeId] = set()
    for node in rng.sample(nodes, rng.randint(0, len(nodes))):
        if all(len((liars | {node}) & each.finalizers) <= tolerated(each) for each in versions):
            liars.add(node)
    return frozenset(liars)


def tolerated(version: Version) -> int:
    """Return how many finalizers may contradict themselves without harm."""
    return max(0, 2 * version.threshold - len(version.finalizers) - 1)


def _network(rng: random.Random, cast: Sequence[KeyPair]) -> Network:
    if rng.random() < 0.1:
        return local_network(cast[0])
    finalizers = rng.randint(1, len(cast))
    members = {key.node_id: _roles(rng) for key in cast[1:-1]}
    for key in cast[:finalizers]:
        members[key.node_id] = members.get(key.node_id, frozenset()) | {Role.FINALIZER}
    open_roles = frozenset({Role.PROPOSER, Role.VERIFIER}) if rng.random() < 0.4 else frozenset()
    return shared_network(members, cast[0], open_roles=open_roles)


def _roles(rng: random.Random) -> frozenset[Role]:
    return EVERY_ROLE if rng.random() < 0.7 else frozenset(rng.sample(sorted(EVERY_ROLE), 2))


def _pin(rng: random.Random, governing: Governing) -> Version:
    known = [each for each in governing.versions if each.rules_version == RULES_VERSION]
    return rng.choice(known)


def _task(rng: random.Random, network: Network, version: Version, cast: Sequence[KeyPair]) -> Event:
    able = [key for key in cast if version.holds(key.node_id, Role.PROPOSER)]
    terms: dict[str, object] = {
        "quorum_threshold": 1,
        "independence": rng.choice(("none", "none", "none", "executor", "node")),
        "commit_reveal": rng.random() < 0.7,
        "allocator": "creator" if rng.random() < 0.15 else "open",
        "lease_ms": 20_000,
        "time_ms": 60_000,
        "max_verifiers": 9,
    }
    if rng.random() < 0.5:
        terms |= {"mode": "continuous", "budget_mode": "epoch_renew"}
    creator = rng.choice(able)
    for quorum in rng.sample((1, 2, 2, 3), 4):
        try:
            return task(network, creator, {**terms, "quorum_threshold": quorum}, pin=version)
        except AssertionError:
            continue
    return task(network, creator, {**terms, "independence": "none"}, pin=version)
