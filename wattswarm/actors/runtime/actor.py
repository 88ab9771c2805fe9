"""What an actor is made of: the class to derive from, and the context that is all it may touch."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from random import Random
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import attrs

from wattswarm.actors.runtime.dials import Dials
from wattswarm.actors.runtime.faults import FaultPlane
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.rule import GENERIC_POINTS
from wattswarm.actors.runtime.system import TargetDown
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock

M = TypeVar("M")
T = TypeVar("T")


class Stop(Exception):
    """Raised by an actor: a normal end of this incarnation."""

    def __init__(self, reason: str = "done") -> None:
        super().__init__(reason)
        self.reason = reason


class Logger(Protocol):
    """Where log lines go; structlog's bound loggers are of this shape."""

    def debug(self, event: str, **fields: Any) -> Any: ...
    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...


class Actor(Generic[M]):
    """One concern, one inbox, one loop. An object of it lives for one incarnation.

    What it holds is a cache: after any error a new object is made and `recover` builds the state
    anew. A handler that raises ends the incarnation; `Refused` alone is an answer and `Stop` an
    orderly end.
    """

    points: ClassVar[tuple[str, ...]] = ()
    """Names of the fault points that it passes, for `ctx.point`."""
    never_passed: ClassVar[frozenset[str]] = frozenset()
    """Of the points that every actor passes, those that it does not: it gets no mail, say."""

    async def recover(self, ctx: "Context") -> None:
        """Build the state from what is durable. Mail is handled after it returns."""

    async def handle(self, msg: M, ctx: "Context") -> object:
        """Deal with one message; what it returns answers an ask."""
        raise NotImplementedError

    async def handle_batch(self, batch: Sequence[M], ctx: "Context") -> Sequence[object]:
        """Deal with several messages at once, when `batch` is above 1: answers[i] ↔ batch[i].

        An answer that is a `Refused` refuses that ask alone. After a crash each message of the
        batch
        comes again, alone, asks included: what is done here must bear repeating.
        """
        return [await self.handle(msg, ctx) for msg in batch]

    async def down(self, target: TargetDown, ctx: "Context") -> None:
        """Hear that an incarnation of a monitored actor ended."""

    async def run(self, ctx: "Context") -> None:
        """Do background work beside the handlers; an error in it is a crash, a return is not."""

    async def stopping(self, ctx: "Context") -> None:
        """Say goodbye. Best effort: a crash does not call it, so nothing may depend on it."""

    def snapshot(self) -> Mapping[str, object]:
        """Return the few values that an operator or a crash report wants to see."""
        return {}


@attrs.define(eq=False)
class Context:
    """Everything that one incarnation of an actor may touch."""

    me: Ref[Any]
    incarnation: int
    instances: int
    """How many of this actor there are, this one included."""
    dials: Dials
    clock: Clock
    log: Logger
    _refs: Callable[[str], Ref[Any]] = attrs.field(alias="refs")
    _all_refs: Callable[[str], tuple[Ref[Any], ...]] = attrs.field(alias="all_refs")
    _monitors: Callable[[Ref[Any]], None] = attrs.field(alias="monitors")
    _dice: Callable[[str], Random] = attrs.field(alias="dice")
    _secrets: Mapping[str, bytes] = attrs.field(alias="secrets", repr=False)
    _faults: FaultPlane = attrs.field(alias="faults")
    _tree: TreeControl | None = attrs.field(alias="tree")
    _held: ExitStack = attrs.field(alias="held", repr=False)
    _ready: Callable[[], None] = attrs.field(alias="ready")
    _waiting: Callable[[str | None], None] = attrs.field(alias="waiting")

    def ref(self, name: str) -> Ref[Any]:
        """Return the address of another actor.

        Raises:
            LookupError: The specification does not list it under `talks_to` or `asks`.
        """
        return self._refs(name)

    def refs(self, name: str) -> tuple[Ref[Any], ...]:
        """Return the addresses of all instances of another actor; raises as `ref`."""
        return self._all_refs(name)

    def hold(self, resource: AbstractContextManager[T]) -> T:
        """Enter a context that is left when this incarnation ends, by a crash as well.

        Only the death of the process leaves it to the operating system.
        """
        return self._held.enter_context(resource)

    @property
    def tree(self) -> TreeControl:
        """The tree that this actor is part of.

        Raises:
            LookupError: The specification does not say `controls_tree`, or this is no root process.
        """
        if self._tree is None:
            raise LookupError(f"{self.me.name} may not control the tree")
        return self._tree

    def monitor(self, ref: Ref[Any]) -> None:
        """Have `down` called when an incarnation of that actor ends, in this process or another."""
        self._monitors(ref)

    def rng(self, label: str) -> Random:
        """Return dice of this actor's own for `label`."""
        return self._dice(label)

    def secret(self, name: str) -> bytes:
        """Return key material that the specification lists under `secrets`.

        Raises:
            LookupError: It is not listed, or the tree was not given it.
        """
        return self._secrets[name]

    def ready(self) -> None:
        """Say that this incarnation is ready; said for it when `recover` returns."""
        self._ready()

    def waiting(self, what: str) -> None:
        """Say what this incarnation waits for: shown to operators; a start time-out begins anew.

        A dependency that is away is a state and not a crash: wait for it with back-off.
        """
        self._waiting(what)

    def waited(self) -> None:
        """Say that the wait is over."""
        self._waiting(None)

    async def point(self, name: str) -> None:
        """Pass a fault point; costs an attribute test while no fault is armed."""
        if self._faults.armed:
            await self._faults.pass_point(self.me.name, name)

    def point_sync(self, name: str) -> None:
        """Pass a fault point from plain code, in a thread too."""
        if self._faults.armed:
            self._faults.pass_point_sync(self.me.name, name)


def points_of(actor: type[Actor[Any]]) -> tuple[str, ...]:
    """Return the fault points of an actor: those it declares, and those that the runtime passes."""
    generic = (point for point in GENERIC_POINTS if point not in actor.never_passed)
    return (*actor.points, *generic)


def has_own_run(actor: Actor[Any]) -> bool:
    """Tell whether the class does background work."""
    for cls in type(actor).__mro__:
        if "run" in vars(cls):
            return cls is not Actor
    return False
