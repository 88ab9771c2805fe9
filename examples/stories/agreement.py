"""The end of each story: whoever holds the same events derives the same, to the last byte."""

from collections.abc import Iterable

from examples.stories.node import Node
from examples.stories.stage import SCOPE, Stage
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import Digest, short
from wattswarm.kernel.rows import rows
from wattswarm.kernel.scope_digest import scope_digest
from wattswarm.kernel.signature import KeyPair


def agree(stage: Stage) -> None:
    """Check that all derive the same, and with them two who hear everything now, in any order.

    Raises:
        NotSo: They do not.
    """
    stage.settle()
    first = next(iter(stage.nodes.values()))
    events = [*first.events.values()]
    late = (
        _newcomer(stage, "reader", events[::-1]),
        _newcomer(stage, "guest", stage.rng.sample(events, len(events))),
    )
    everybody = (*stage.nodes.values(), *late)
    is_one = len({digest_of(node) for node in everybody}) == 1
    is_governed_alike = all(node.governance.rows() == first.governance.rows() for node in everybody)
    stage.tale.hold(
        is_one and is_governed_alike,
        f"{len(stage.nodes)} nodes, one who reads the {len(events)} events backwards and one who "
        f"reads them shuffled derive the same digest, {short(digest_of(first))}.",
    )


def digest_of(node: Node) -> Digest:
    """Return the digest of all tasks that a node derived."""
    groups = {name: group_digest(rows(machine.state)) for name, machine in node.machines.items()}
    return scope_digest(SCOPE, sorted(groups.items()))


def _newcomer(stage: Stage, name: str, events: Iterable[Event]) -> Node:
    key = KeyPair.from_seed(name.encode().ljust(32, b"."))
    made = Node(name, key, Governance(stage.network_id), stage.bodies)
    made.hear(stage.genesis)
    for event in events:
        made.hear(event)
    return made
