"""A running tree, as the root process holds it."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import trio

from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.cell import Cell
from wattswarm.actors.runtime.dials import check_dial, dial_specs
from wattswarm.actors.runtime.errors import RestartLimit
from wattswarm.actors.runtime.exit import CrashReport, DeadLetter, Exit, ExitKind
from wattswarm.actors.runtime.group import LocalGroup
from wattswarm.actors.runtime.message import decode
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.silent import SilentLogger
from wattswarm.actors.runtime.spec import AutoShutdown, ChildSpec, Strategy, TreeSpec
from wattswarm.actors.runtime.spec_check import problems_of
from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.actors.runtime.supervision import Supervision
from wattswarm.actors.runtime.supervisor import Child, Supervisor
from wattswarm.actors.runtime.view import TreeView
from wattswarm.actors.runtime.watch import Watch
from wattswarm.actors.runtime.world import World, real_world

KILL_S: Final = 5.0
"""What has been killed is waited for this long."""
OPERATOR: Final = "operator"
"""Sender of messages that come from outside the tree."""


@attrs.define(eq=False)
class Tree:
    """The handle on a running tree. Actors are named by id; an instance as `id/0`."""

    spec: TreeSpec
    services: Services = attrs.field(repr=False)
    _groups: dict[str, LocalGroup]
    _supervisor: Supervisor
    _ready: trio.Event = attrs.field(factory=trio.Event, init=False)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    _exit: Exit | None = attrs.field(default=None, init=False)

    def ref(self, name: str) -> Ref[Any]:
        """Return the address of an actor.

        Raises:
            LookupError: There is none of that name.
        """
        return self.services.ref_of(OPERATOR, name)

    async def wait_ready(self) -> None:
        """Return when every actor that is not optional has become ready.

        Raises:
            RestartLimit: The tree gave up before that.
        """
        async with trio.open_nursery() as nursery:
            for event in (self._ready, self._ended):
                nursery.start_soon(_wait_then_cancel, event, nursery.cancel_scope)
        self.check()

    async def wait_ended(self) -> None:
        """Return when the tree has ended by itself: significant children are done.

        Raises:
            RestartLimit: It gave up.
        """
        await self._ended.wait()
        self.check()

    def check(self) -> None:
        """Do nothing while the tree is well.

        Raises:
            RestartLimit: It has given up.
        """
        if self._exit is not None and self._exit.kind is ExitKind.GAVE_UP:
            raise RestartLimit(causes=self._exit.causes)

    async def stats(self) -> list[ActorStats]:
        """Return one reading for every actor and instance, in start order."""
        return [one for group in self._groups.values() for one in await group.stats()]

    def describe(self) -> TreeView:
        """Return the tree with pids, states and incarnations."""
        groups = tuple(group.view() for group in self._groups.values())
        degraded = tuple(
            actor.id for group in groups for actor in group.actors if actor.state == "degraded"
        )
        state = "ready" if self._ready.is_set() else "starting"
        return TreeView(
            pid=self.services.world.pid,
            state="degraded" if degraded and state == "ready" else state,
            degraded=degraded,
            armed=(),
            groups=groups,
        )

    async def tune(self, actor: str, dial: str, value: int) -> int:
        """Turn a dial of an actor, all of its instances, and return the version that was asked for.

        It is in effect when `stats` shows that version as effective: between two messages.

        Raises:
            OutOfRange: The dial does not go there; nothing was changed.
        """
        group, child = self._find(actor)
        check_dial(dial_specs(child), dial, value)
        return max([await group.tune(name, dial, value) for name in _names(child, actor)])

    async def restart(self, actor: str) -> None:
        """Give an actor a fresh start, instances one after the other; mail is kept."""
        group, child = self._find(actor)
        for name in _names(child, actor):
            await group.restart(name)

    async def suspend(self, actor: str) -> None:
        """Keep an actor from taking mail; system messages go on."""
        await self._suspend(actor, True)

    async def resume(self, actor: str) -> None:
        """Let a suspended actor take mail again."""
        await self._suspend(actor, False)

    async def inspect(self, actor: str) -> Mapping[str, object]:
        """Return the actor's own snapshot."""
        group, _ = self._find(actor)
        return await group.inspect(actor)

    async def retry(self, letter: DeadLetter) -> bool:
        """Send a dead letter again; False if the inbox refused it."""
        message: Any = decode(letter.body)
        return await self.ref(letter.actor).tell(message)

    async def _suspend(self, actor: str, is_suspended: bool) -> None:
        group, child = self._find(actor)
        for name in _names(child, actor):
            await group.suspend(name, is_suspended)

    def _find(self, actor: str) -> tuple[LocalGroup, ChildSpec]:
        for group, child in self.spec.children():
            if actor == child.id or actor in child.ids():
                return self._groups[group.name], child
        raise LookupError(f"no actor is called {actor}")

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the tree for the length of a block, which is cancelled if the tree gives up."""
        failure: BaseException | None = None
        async with trio.open_nursery() as nursery:
            body = trio.CancelScope()
            nursery.start_soon(self.services.deadlines.run)
            nursery.start_soon(Watch(self._cells, self._on_stuck).run)
            nursery.start_soon(self._run, body)
            try:
                with body:
                    yield
            except BaseException as error:  # kept until the tree has stopped, then raised as it is
                failure = error
            await self._stop()
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure
        self.check()

    async def _run(self, body: trio.CancelScope) -> None:
        self._exit = await self._supervisor.run(self._ready.set)
        self._ended.set()
        if self._exit.kind is ExitKind.GAVE_UP:
            body.cancel()

    async def _stop(self) -> None:
        """Stop in reverse order; what has not stopped by the total deadline is killed."""
        for ask, patience_s in (
            (self._supervisor.stop, self.spec.shutdown_s),
            (self._supervisor.kill, KILL_S),
        ):
            if not self._ended.is_set():
                deadline = trio.current_time() + patience_s
                with trio.CancelScope(shield=True, deadline=deadline):
                    ask()
                    await self._ended.wait()

    def _cells(self) -> list[Cell]:
        return [cell for group in self._groups.values() for cell in group.cells.values()]

    def _on_stuck(self, cell: Cell) -> None:
        self.services.logger(cell.id, cell.incarnation).error("stuck: it cannot be cancelled")


@asynccontextmanager
async def open_tree(
    spec: TreeSpec,
    *,
    world: World | None = None,
    secrets: Mapping[str, bytes] | None = None,
    wire: bool = False,
    chaos_enabled: bool = False,
    logger: Logger | None = None,
    on_crash: Callable[[CrashReport], None] | None = None,
    on_dead_letter: Callable[[DeadLetter], None] | None = None,
    on_log_line: Callable[[str, str], None] | None = None,
) -> AsyncGenerator[Tree]:
    """Run a tree for as long as the block lasts; it has stopped, all of it, when the block is left.

    The tree starts at once; `wait_ready` waits for it. If it gives up, the block is cancelled.

    Args:
        secrets: Key material by name; an actor gets those that its specification lists.
        wire: Make messages inside a process take the way through bytes, too.
        chaos_enabled: Whether faults may be armed.
        on_log_line: Called with the group and the line for what workers write to stderr.

    Raises:
        ValueError: The specification cannot be run; the sentences say why.
        RestartLimit: The tree gave up; the causes lead from the first failure to the root.
    """
    if problems := problems_of(spec):
        raise ValueError("; ".join(problems))
    log = logger or SilentLogger()
    services = Services(
        world=world or real_world(),
        base_logger=log,
        secrets=dict(secrets or {}),
        on_crash=on_crash or _ignore,
        on_dead_letter=on_dead_letter or _ignore,
        publish_down=_ignore,
        is_wire=wire,
    )
    groups = {group.name: LocalGroup(group, services, log) for group in spec.groups}
    core = Supervision(
        strategy=Strategy.ONE_FOR_ONE,
        intensity=spec.intensity,
        auto_shutdown=AutoShutdown.NEVER,
        dice=services.world.rng("root:backoff").random,
    )
    children: dict[str, Child] = dict(groups)
    tree = Tree(spec, services, groups, Supervisor("root", core, children, log))
    async with tree.running():
        yield tree


async def _wait_then_cancel(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _names(child: ChildSpec, actor: str) -> tuple[str, ...]:
    return child.ids() if actor == child.id else (actor,)


def _ignore(_: object) -> None:
    pass
