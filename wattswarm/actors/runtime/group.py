"""A group of actors in this process: the cells, the routes to them, and the supervisor over
them."""

from collections.abc import Callable, Mapping, Sequence

import attrs

from wattswarm.actors.runtime.actions import (
    Rules,
)
from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.cell import Cell
from wattswarm.actors.runtime.exit import RESTARTED_BY_OPERATOR, Exit
from wattswarm.actors.runtime.pool import LocalPool, block_of
from wattswarm.actors.runtime.routes import LocalRoute, PoolRoute
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.spec import AutoShutdown, ChildSpec, GroupSpec, Restart
from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.actors.runtime.supervision import Supervision
from wattswarm.actors.runtime.supervisor import Child, Supervisor
from wattswarm.actors.runtime.view import ActorView, GroupView


@attrs.define(eq=False)
class LocalGroup:
    """The actors of one `GroupSpec`, living here. Cells, and so inboxes, outlive the
    supervisor's runs."""

    spec: GroupSpec
    services: Services
    log: Logger
    cells: dict[str, Cell] = attrs.field(factory=dict[str, Cell], init=False)
    supervisor: Supervisor | None = attrs.field(default=None, init=False)
    incarnation: int = attrs.field(default=0, init=False)
    last_end: str = attrs.field(default="", init=False)
    _is_stopped_early: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        for child in self.spec.children:
            self._place(child, {})

    def _place(self, child: ChildSpec, former: Mapping[str, Cell]) -> list[Cell]:
        """Make an actor's cells, or keep those of that name, and make them reachable."""
        cells = [former.get(name) or self._cell(name, child, former) for name in child.ids()]
        for cell in cells:
            cell.spec = child
            cell.dials.follow(child)
            self.cells[cell.id] = cell
            self.services.notices[cell.id] = cell.inbox.put_system
        inboxes = [cell.inbox for cell in cells]
        block, _ = block_of(self.services.numbers[cells[0].id])
        pool = self.services.pools.get(block)
        if pool is None:
            pool = LocalPool(inboxes, child.shard_by, child.inbox.capacity)
            self.services.pools[block] = pool
        pool.inboxes = inboxes
        routes = [LocalRoute(cell.id, cell.inbox, self.services) for cell in cells]
        whole = routes[0] if len(routes) == 1 else PoolRoute(routes, child.shard_by)
        self.services.add_routes(child, routes, whole)
        return cells

    def _cell(self, name: str, child: ChildSpec, former: Mapping[str, Cell]) -> Cell:
        cell = Cell(name, child, self.services)
        for other in former.values():
            cell.dials.take_over(other.dials)
        return cell

    async def resize(self, child: ChildSpec) -> None:
        """Run an actor with other instances; its mail is kept and goes to its new owners.

        Its instances stop after the message in hand, and all of them start anew.
        """
        former = {name: cell for name, cell in self.cells.items() if cell.spec.id == child.id}
        supervisor = self.supervisor
        if supervisor is not None:
            await supervisor.retire(list(former))
        order = [name for name in self.cells if name not in former]
        at = list(self.cells).index(next(iter(former)))
        rest = {name: self.cells[name] for name in order}
        self.cells = {}
        cells = self._place(child, former)
        self.cells = dict([*list(rest.items())[:at], *self.cells.items(), *list(rest.items())[at:]])
        self._hand_over(child, former, cells)
        if supervisor is not None and supervisor is self.supervisor:
            supervisor.adopt(list(former), dict(self.cells))

    def _hand_over(
        self, child: ChildSpec, former: Mapping[str, Cell], cells: Sequence[Cell]
    ) -> None:
        pool = self.services.pools[block_of(self.services.numbers[cells[0].id])[0]]
        mail = [envelope for cell in former.values() for envelope in cell.inbox.empty()]
        for name, cell in former.items():
            if name not in child.ids():
                cell.inbox.move(lambda envelope: pool.owner_of(envelope.message))
        for envelope in sorted(mail, key=lambda one: one.id):
            pool.owner_of(envelope.message).user.append(envelope)

    # -- as a child of the root supervisor -------------------------------------------------------

    @property
    def rules(self) -> Rules:
        return rules_of(self.spec)

    @property
    def shutdown_s(self) -> float:
        return self.spec.shutdown_s

    async def run(self, ready: Callable[[], None]) -> Exit:
        """Run the actors under a new supervisor, to its end."""
        self.incarnation += 1
        core = Supervision(
            strategy=self.spec.strategy,
            intensity=self.spec.intensity,
            auto_shutdown=self.spec.auto_shutdown,
            dice=self.services.world.rng(f"{self.spec.name}:backoff").random,
        )
        children: dict[str, Child] = dict(self.cells)
        self.supervisor = Supervisor(self.spec.name, core, children, self.log)
        if self._is_stopped_early:
            self.supervisor.stop()
        try:
            return await self.supervisor.run(ready)
        finally:
            self.supervisor = None

    def stop(self) -> None:
        if self.supervisor is None:
            self._is_stopped_early = True  # a worker may be told before it has begun
        else:
            self.supervisor.stop()

    def kill(self) -> None:
        if self.supervisor is not None:
            self.supervisor.kill()

    def on_restart(self, why: Exit, delay_s: float) -> None:
        self.last_end = why.reason
        self.log.warning(
            "restarting group",
            group=self.spec.name,
            reason=why.reason,
            causes=why.causes,
            delay_s=round(delay_s, 3),
        )

    def on_give_up(self, why: Exit) -> None:
        for cell in self.cells.values():
            cell.on_give_up(why)

    # -- what operators do with it ---------------------------------------------------------------

    def stats(self) -> list[ActorStats]:
        return [cell.stats() for cell in self.cells.values()]

    def tune(self, actor: str, dial: str, value: int) -> int:
        return self.cells[actor].tune(dial, value)

    def restart(self, actor: str) -> None:
        if self.supervisor is not None:
            self.supervisor.restart(actor, RESTARTED_BY_OPERATOR)

    def suspend(self, actor: str, is_suspended: bool) -> None:
        self.cells[actor].inbox.suspend(is_suspended)

    async def inspect(self, actor: str) -> Mapping[str, object]:
        return await self.cells[actor].inspect()

    def actors(self) -> tuple[ActorView, ...]:
        """Return every actor with its state."""
        return tuple(
            ActorView(cell.id, cell.state, cell.incarnation, cell.counters.restarts, cell.last_end)
            for cell in self.cells.values()
        )

    def view(self) -> GroupView:
        state = "running" if self.supervisor is not None else "down"
        return GroupView(
            self.spec.name,
            "root",
            self.services.world.pid,
            self.incarnation,
            state,
            self.actors(),
            last_end=self.last_end,
        )


def rules_of(spec: GroupSpec) -> Rules:
    """Return what the root supervisor must know of a group."""
    is_batch = spec.auto_shutdown is not AutoShutdown.NEVER
    return Rules(
        id=spec.name,
        restart=Restart.TRANSIENT if is_batch else Restart.PERMANENT,
        backoff=spec.backoff,
        intensity=spec.restarts,
        significant=is_batch,
    )
