"""Where every actor of a tree lives, and the number it has on links: the same in every process.

Numbers do not change when instances come or go, so that what is under way while they do still
arrives: an actor's instances have a block of numbers of their own.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from wattswarm.actors.runtime.peer import Peer
from wattswarm.actors.runtime.remote_route import RemoteRoute
from wattswarm.actors.runtime.routes import PoolRoute
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.spec import INSTANCES_MAX, ROOT, ChildSpec, GroupSpec, TreeSpec

if TYPE_CHECKING:
    from wattswarm.actors.runtime.ref import Route

NUMBER_MAX: Final = 0xFFFF
"""Numbers on a link have sixteen bits."""


def process_of(group: GroupSpec) -> str:
    """Return the name of the process that a group lives in."""
    return ROOT if group.placement == "root" else group.name


@attrs.define(eq=False)
class Atlas:
    """The tree as one process knows it: it reaches every actor that lives elsewhere."""

    tree: TreeSpec
    own: str
    services: Services
    on_lost: Callable[[Peer, str], None]
    peers: dict[str, Peer] = attrs.field(factory=dict[str, Peer], init=False)

    def __attrs_post_init__(self) -> None:
        self._number()
        if self.own != ROOT:
            self._peer(ROOT)
        for group, child in self.tree.children():
            if process_of(group) != self.own:
                self._add_routes(child, self._peer(process_of(group)))

    def resize(self, actor: str, instances: int, args: Mapping[str, object]) -> ChildSpec:
        """Know an actor with other instances; returns its new specification.

        Its routes are changed if it lives elsewhere; if it lives here, its group does that.
        """
        group, child = self.find(actor)
        child = attrs.evolve(child, instances=instances, args=args)
        self.tree = self.tree.with_child(child)
        self._number()
        if process_of(group) != self.own:
            self._add_routes(child, self._peer(process_of(group)))
        return child

    def find(self, actor: str) -> tuple[GroupSpec, ChildSpec]:
        """Return an actor's group and specification; an instance's name will do.

        Raises:
            LookupError: There is none of that name.
        """
        for group, child in self.tree.children():
            if actor == child.id or actor in child.ids():
                return group, child
        raise LookupError(f"no actor is called {actor}")

    def has_traffic(self, one: str, other: str) -> bool:
        """Tell whether actors of two processes may talk to each other."""
        if ROOT in (one, other):
            return True
        home = {child.id: process_of(group) for group, child in self.tree.children()}
        pairs = {
            frozenset((process_of(group), home[name.partition("/")[0]]))
            for group, child in self.tree.children()
            for name in (*child.talks_to, *child.asks)
        }
        return frozenset((one, other)) in pairs

    def _number(self) -> None:
        names = {
            1 + at * INSTANCES_MAX + instance: name
            for at, (_, child) in enumerate(self.tree.children())
            for instance, name in enumerate(child.ids())
        }
        assert max(names, default=0) <= NUMBER_MAX, "too many actors for one tree"
        self.services.names = names
        self.services.numbers = {name: number for number, name in names.items()}

    def _peer(self, process: str) -> Peer:
        if process not in self.peers:
            self.peers[process] = Peer(process, self.services, self.on_lost)
        return self.peers[process]

    def _add_routes(self, child: ChildSpec, peer: Peer) -> None:
        capacity, numbers = child.inbox.capacity, self.services.numbers
        routes: list[Route] = [
            RemoteRoute(name, numbers[name], capacity, peer) for name in child.ids()
        ]
        self.services.add_routes(
            child, routes, routes[0] if len(routes) == 1 else PoolRoute(routes, child.shard_by)
        )
