"""What a process offers to the actors that live in it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import count
from typing import Any, cast
from weakref import WeakSet

import attrs
import trio

from wattswarm.actors.runtime.actor import Actor, Logger
from wattswarm.actors.runtime.chaos_route import ChaosRoute
from wattswarm.actors.runtime.deadlines import Deadlines
from wattswarm.actors.runtime.errors import ActorError
from wattswarm.actors.runtime.exit import CrashReport, DeadLetter
from wattswarm.actors.runtime.faults import FaultPlane
from wattswarm.actors.runtime.pool import LocalPool
from wattswarm.actors.runtime.ref import Ref, Route
from wattswarm.actors.runtime.spec import OPERATOR, ChildSpec
from wattswarm.actors.runtime.system import TargetDown
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import World


def _unheard() -> None:
    """Nobody listens."""


@attrs.define(eq=False)
class Services:
    """One per process. Routes lead to every actor of the tree, wherever it lives."""

    world: World
    base_logger: Logger
    secrets: Mapping[str, bytes] = attrs.field(repr=False)
    on_crash: Callable[[CrashReport], None]
    on_dead_letter: Callable[[DeadLetter], None]
    publish_down: Callable[[TargetDown, str], None]
    """Tell the other processes, but for the one named, that an incarnation ended."""
    changed: Callable[[], None] = attrs.field(default=_unheard)
    """Hears of every change of an actor's state."""
    is_wire: bool = False
    chaos_enabled: bool = False
    faults: FaultPlane = attrs.field(factory=FaultPlane)
    deadlines: Deadlines = attrs.field(factory=Deadlines)
    routes: dict[str, Route] = attrs.field(factory=dict[str, Route])
    pools: dict[int, LocalPool] = attrs.field(factory=dict[int, LocalPool])
    """The inboxes that live here, by the block of numbers of their actor."""
    names: Mapping[int, str] = attrs.field(factory=dict[int, str])
    """Every actor of the tree by its number on links; 0 is whoever is no actor."""
    numbers: Mapping[str, int] = attrs.field(factory=dict[str, int])
    notices: dict[str, Callable[[TargetDown], None]] = attrs.field(
        factory=dict[str, Callable[[TargetDown], None]]
    )
    """How to reach the system lane of the actors that live here."""
    _monitors: dict[str, set[str]] = attrs.field(factory=lambda: defaultdict[str, set[str]](set))
    tree: TreeControl | None = None
    """The handle on the whole tree; in the root process, while it runs."""
    nursery: trio.Nursery | None = None
    """Where delayed messages wait; set while the tree runs."""
    _refs: dict[str, WeakSet[Ref[Any]]] = attrs.field(
        factory=lambda: defaultdict[str, "WeakSet[Ref[Any]]"](WeakSet)
    )
    _ids: Iterator[int] = attrs.field(factory=lambda: count(1))

    def name_of(self, number: int) -> str:
        """Return an actor's name by its number."""
        return self.names.get(number, OPERATOR)

    def number_of(self, name: str) -> int:
        """Return an actor's number; 0 for whoever is no actor."""
        return self.numbers.get(name, 0)

    def next_id(self) -> int:
        """Return a message id, rising."""
        return next(self._ids)

    def add_routes(self, child: ChildSpec, routes: Sequence[Route], all_of_it: Route) -> None:
        """Make an actor reachable, as a whole and by instance; addresses that exist are changed.

        What was sent to an instance that is no more goes to the actor as a whole.
        """
        gone = [name for name in self.routes if name.partition("/")[0] == child.id]
        fresh = dict(zip(child.ids(), routes, strict=True))
        for name in {*gone, *fresh, child.id}:
            route = fresh.get(name, all_of_it)
            if self.chaos_enabled:
                route = ChaosRoute(name, route, self.faults, self._start_soon)
            self.routes[name] = route
            for ref in self._refs.get(name, ()):
                ref.lead_to(route)

    def _start_soon(self, work: Callable[[], Awaitable[object]]) -> None:
        if self.nursery is not None:
            self.nursery.start_soon(_ignoring_errors, work)

    def logger(self, actor: str, incarnation: int) -> Logger:
        """Return a logger that names the actor in each of its lines."""
        return BoundLogger(self.base_logger, {"actor": actor, "incarnation": incarnation})

    def build(self, spec: ChildSpec) -> Actor[Any]:
        """Return a new object of the actor's class."""
        return load(spec.actor)(**{name: _frozen(value) for name, value in spec.args.items()})

    def ref_of(self, sender: str, name: str) -> Ref[Any]:
        """Return the address of any actor of the tree.

        Raises:
            LookupError: There is none of that name.
        """
        return self._ref(name, sender, may_ask=True)

    def ref_for(self, spec: ChildSpec, sender: str, name: str) -> Ref[Any]:
        """Return the address of an actor, if `spec` allows talking to it.

        Raises:
            LookupError: It does not.
        """
        actor = name.partition("/")[0]
        may_ask = actor in spec.asks or name in spec.asks
        if not (may_ask or actor in spec.talks_to or name in spec.talks_to):
            raise LookupError(f"{sender} does not list {name} under talks_to or asks")
        return self._ref(name, sender, may_ask=may_ask)

    def refs_for(self, spec: ChildSpec, sender: str, name: str) -> tuple[Ref[Any], ...]:
        """Return the addresses of all instances of an actor; raises as `ref_for`."""
        instances = [each for each in self.numbers if each.partition("/")[0] == name]
        return tuple(self.ref_for(spec, sender, each) for each in instances or (name,))

    def _ref(self, name: str, sender: str, *, may_ask: bool) -> Ref[Any]:
        ref: Ref[Any] = Ref(name, self.routes[name], sender, may_ask=may_ask)
        self._refs[name].add(ref)
        return ref

    def monitor(self, watcher: str, target: str) -> None:
        """Have `watcher` told about ends of `target`."""
        self._monitors[target].add(watcher)

    def on_down(self, notice: TargetDown, told_by: str = "") -> None:
        """An incarnation ended: tell the watchers here, and the processes that do not know it
        yet."""
        self.tell_watchers(notice)
        self.publish_down(notice, told_by)

    def tell_watchers(self, notice: TargetDown) -> None:
        """An incarnation ended somewhere: tell the watchers that live here."""
        for watched in (notice.actor, notice.actor.partition("/")[0]):
            for watcher in sorted(self._monitors.get(watched, ())):
                self.notices[watcher](notice)
            if watched == notice.actor.partition("/")[0]:
                return


@attrs.frozen
class BoundLogger:
    """A logger with fields of its own in each line."""

    _logger: Logger
    _fields: Mapping[str, object]

    def debug(self, event: str, **fields: Any) -> None:
        self._logger.debug(event, **self._fields, **fields)

    def info(self, event: str, **fields: Any) -> None:
        self._logger.info(event, **self._fields, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._logger.warning(event, **self._fields, **fields)

    def error(self, event: str, **fields: Any) -> None:
        self._logger.error(event, **self._fields, **fields)


async def _ignoring_errors(work: Callable[[], Awaitable[object]]) -> None:
    """Do something that nobody waits for: a late message for an actor that has gone is lost."""
    with suppress(ActorError):
        await work()


def _frozen(value: object) -> object:
    """Return an argument with tuples for lists: it is the same whether it came over a wire or
    not."""
    match value:
        case list() | tuple():
            return tuple(_frozen(item) for item in cast("Sequence[object]", value))
        case dict():
            items = cast("dict[str, object]", value).items()
            return {name: _frozen(item) for name, item in items}
        case _:
            return value


def load(path: str) -> Any:
    """Return what an import path `package.module:Name` names."""
    module, _, name = path.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found
