"""The root of a tree: its groups, its workers and the links between them, assembled and run."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.armory import Armory
from wattswarm.actors.runtime.atlas import Atlas
from wattswarm.actors.runtime.cell import Cell
from wattswarm.actors.runtime.commands import carry_out
from wattswarm.actors.runtime.control import Boot, Command, Ended, ResizeOne
from wattswarm.actors.runtime.errors import RestartLimit
from wattswarm.actors.runtime.exit import Exit, ExitKind
from wattswarm.actors.runtime.group import LocalGroup
from wattswarm.actors.runtime.mesh import Mesh
from wattswarm.actors.runtime.peer import Peer
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.spawner import Spawner
from wattswarm.actors.runtime.spec import ROOT, AutoShutdown, GroupSpec, Strategy, TreeSpec
from wattswarm.actors.runtime.supervision import Supervision
from wattswarm.actors.runtime.supervisor import Child, Supervisor
from wattswarm.actors.runtime.system import TargetDown
from wattswarm.actors.runtime.view import GroupView
from wattswarm.actors.runtime.watch import Watch
from wattswarm.actors.runtime.worker_group import WorkerGroup

KILL_S: Final = 8.0
"""What is being killed is waited for this long: the whole ladder of signals, and then some."""


@attrs.define(eq=False)
class Root:
    """Everything that runs a tree. `running` is its life."""

    spec: TreeSpec
    services: Services
    on_log_line: Callable[[str, str], None]
    local: dict[str, LocalGroup] = attrs.field(factory=dict[str, LocalGroup], init=False)
    workers: dict[str, WorkerGroup] = attrs.field(factory=dict[str, WorkerGroup], init=False)
    armory: Armory = attrs.field(init=False)
    ready: trio.Event = attrs.field(factory=trio.Event, init=False)
    ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    is_stopping: bool = attrs.field(default=False, init=False)
    exit: Exit | None = attrs.field(default=None, init=False)
    atlas: Atlas = attrs.field(init=False)
    supervisor: Supervisor = attrs.field(init=False)
    _life: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _spawner: Spawner = attrs.field(init=False)
    _mesh: Mesh = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.armory = Armory(self.spec, self.services.faults, self._in_workers)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the tree for the length of a block, which is cancelled if the tree gives up.

        Raises:
            RestartLimit: It gave up.
        """
        failure: BaseException | None = None
        body = trio.CancelScope()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._live, body)
            try:
                with body:
                    yield
            except BaseException as error:  # kept until the tree has stopped, then raised as it is
                failure = error
            await self._stop()
        if failure is not None:
            raise failure
        self.check()

    async def _live(self, body: trio.CancelScope, *, task_status: trio.TaskStatus[None]) -> None:
        """Run everything, shielded: what cancels the block must not keep the tree from stopping."""
        try:
            with trio.CancelScope(shield=True) as self._life:
                async with trio.open_nursery() as nursery:
                    await self._assemble(nursery)
                    nursery.start_soon(self.services.deadlines.run)
                    nursery.start_soon(Watch(self._cells, self._on_stuck).run)
                    nursery.start_soon(self._supervise, body)
                    task_status.started()
        finally:
            self.ended.set()  # after a bug of ours, too: nobody waits for what is not there

    def check(self) -> None:
        """Do nothing while the tree is well.

        Raises:
            RestartLimit: It has given up.
        """
        if self.exit is not None and self.exit.kind is ExitKind.GAVE_UP:
            raise RestartLimit(causes=self.exit.causes)

    async def call(self, group: str, command: Command) -> object:
        """Carry out a command where the group lives.

        Raises:
            OutOfRange, LookupError: It makes no sense there. Down: The worker is away.
        """
        if group in self.workers:
            return await self.workers[group].call(command)
        return await carry_out(command, self.local[group], self.atlas)

    async def resize(self, actor: str, instances: int, args: Mapping[str, object]) -> None:
        """Give an actor other instances: first where it lives, then everybody hears of it.

        Raises:
            Down: Its worker is away; nothing was changed.
        """
        group, child = self.atlas.find(actor)
        command = ResizeOne(actor, instances, args)
        if group.name in self.workers:
            # Its instances stop first, within their own time.
            await self.workers[group.name].call(command, child.shutdown_s + KILL_S)
            self.atlas.resize(actor, instances, args)
        else:
            await self.local[group.name].resize(self.atlas.resize(actor, instances, args))
        for name, worker in self.workers.items():
            if name != group.name and worker.is_up:
                await worker.call(command)

    def views(self) -> tuple[GroupView, ...]:
        """Return all groups as they are, in start order."""
        return tuple(
            (self.local.get(group.name) or self.workers[group.name]).view()
            for group in self.spec.groups
        )

    # -- assembly --------------------------------------------------------------------------------

    async def _assemble(self, nursery: trio.Nursery) -> None:
        self.services.nursery = nursery
        self.services.publish_down = self._publish_down
        self.atlas = Atlas(self.spec, ROOT, self.services, self._on_link_lost)
        self._mesh = Mesh(self.atlas, nursery)
        has_workers = any(group.placement == "worker" for group in self.spec.groups)
        keeps_spare = self.spec.spare and has_workers
        self._spawner = Spawner(self.spec.preload, keeps_spare, self.on_log_line)
        await nursery.start(self._spawner.run)
        if keeps_spare:
            self._spawner.warm(sum(group.placement != ROOT for group in self.spec.groups))
        children = {group.name: self._child(group) for group in self.spec.groups}
        self.supervisor = Supervisor(ROOT, self._core(), children, self.services.base_logger)

    def _child(self, group: GroupSpec) -> Child:
        if group.placement == "root":
            local = LocalGroup(group, self.services, self.services.base_logger)
            self.local[group.name] = local
            return local
        worker = WorkerGroup(
            spec=group,
            services=self.services,
            spawner=self._spawner,
            mesh=self._mesh,
            boot=self._boot,
            recycle=lambda name, why: self.supervisor.restart(name, why),
        )
        self.workers[group.name] = worker
        return worker

    def _core(self) -> Supervision:
        is_batch = any(one.auto_shutdown is not AutoShutdown.NEVER for one in self.spec.groups)
        return Supervision(
            strategy=Strategy.ONE_FOR_ONE,
            intensity=self.spec.intensity,
            auto_shutdown=AutoShutdown.ALL_SIGNIFICANT if is_batch else AutoShutdown.NEVER,
            dice=self.services.world.rng("root:backoff").random,
        )

    def _boot(self, group: GroupSpec) -> Boot:
        """Return what a worker must know: of the secrets, only those that its actors list."""
        names = {name for child in group.children for name in child.secrets}
        world, secrets = self.services.world, self.services.secrets
        return Boot(
            group=group.name,
            tree=self.atlas.tree,
            seed=world.rng(f"seed of {group.name}").randbytes(32),
            secrets={name: secrets[name] for name in sorted(names)},
            rules=self.armory.for_new_process(),
            is_wire=self.services.is_wire,
            chaos_enabled=self.services.chaos_enabled,
        )

    # -- life ------------------------------------------------------------------------------------

    async def _supervise(self, body: trio.CancelScope) -> None:
        self.exit = await self.supervisor.run(self.ready.set)
        self.ended.set()
        if self.exit.kind is ExitKind.GAVE_UP:
            body.cancel()

    async def _stop(self) -> None:
        """Stop in reverse order; what has not stopped by the total deadline is killed."""
        self.is_stopping = True
        self._spawner.close()
        for ask, patience_s in (
            (self.supervisor.stop, self.spec.shutdown_s),
            (self.supervisor.kill, KILL_S),
        ):
            if not self.ended.is_set():
                deadline = trio.current_time() + patience_s
                with trio.CancelScope(shield=True, deadline=deadline):
                    ask()
                    await self.ended.wait()
        self._life.cancel()

    def _cells(self) -> list[Cell]:
        return [cell for group in self.local.values() for cell in group.cells.values()]

    def _on_stuck(self, cell: Cell) -> None:
        self.services.logger(cell.id, cell.incarnation).error("stuck: it cannot be cancelled")

    def _publish_down(self, notice: TargetDown, told_by: str) -> None:
        for name, worker in self.workers.items():
            if name != told_by and worker.process is not None and worker.state != "starting":
                worker.process.say(Ended(notice))

    def _on_link_lost(self, peer: Peer, reason: str) -> None:
        if not self.is_stopping:
            self.services.base_logger.debug("link lost", peer=peer.name, reason=reason)
            self._mesh.on_lost(ROOT, peer.name)

    async def _in_workers(self, command: Command) -> None:
        for worker in self.workers.values():
            if worker.is_up:
                await worker.call(command)
