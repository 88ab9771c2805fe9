"""Where every actor of a tree lives, and the number it has on links: the same in every process."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from wattswarm.actors.runtime.peer import Peer
from wattswarm.actors.runtime.remote_route import RemoteRoute
from wattswarm.actors.runtime.routes import PoolRoute
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.spec import OPERATOR, ROOT, ChildSpec, GroupSpec, TreeSpec

if TYPE_CHECKING:
    from wattswarm.actors.runtime.ref import Route

ACTORS_MAX = 0xFFFF
"""Numbers on a link have sixteen bits."""


def process_of(group: GroupSpec) -> str:
    """Return the name of the process that a group lives in."""
    return ROOT if group.placement == "root" else group.name


def number_actors(tree: TreeSpec, services: Services) -> None:
    """Give every actor and instance its number, from 1 in start order, and note its capacity."""
    names = [OPERATOR, *(name for _, child in tree.children() for name in child.ids())]
    assert len(names) <= ACTORS_MAX, "too many actors for one tree"
    services.names = tuple(names)
    services.numbers = {name: number for number, name in enumerate(names)}
    for _, child in tree.children():
        for name in child.ids():
            services.capacities[services.numbers[name]] = child.inbox.capacity


def add_remote_routes(
    tree: TreeSpec, own: str, services: Services, on_lost: Callable[[Peer, str], None]
) -> dict[str, Peer]:
    """Make every actor of other processes reachable; return those processes by name."""
    peers: dict[str, Peer] = {}
    if own != ROOT:
        peers[ROOT] = Peer(ROOT, services, on_lost)
    for group, child in tree.children():
        process = process_of(group)
        if process != own:
            peer = peers.setdefault(process, Peer(process, services, on_lost))
            _add_route(child, peer, services)
    return peers


def _add_route(child: ChildSpec, peer: Peer, services: Services) -> None:
    capacity = child.inbox.capacity
    routes: list[Route] = [
        RemoteRoute(name, services.number_of(name), capacity, peer) for name in child.ids()
    ]
    for name, route in zip(child.ids(), routes, strict=True):
        services.add_route(name, route)
    if len(routes) > 1:
        services.add_route(child.id, PoolRoute(routes, child.shard_by))


def has_traffic(tree: TreeSpec, one: str, other: str) -> bool:
    """Tell whether two processes need a link: some actor of one may talk to some actor of the
    other."""
    if ROOT in (one, other):
        return True
    home = {child.id: process_of(group) for group, child in tree.children()}
    for group, child in tree.children():
        reached = {home[name.partition("/")[0]] for name in (*child.talks_to, *child.asks)}
        pairs = {(process_of(group), process) for process in reached}
        if (one, other) in pairs or (other, one) in pairs:
            return True
    return False
