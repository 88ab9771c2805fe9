"""Drives this node's tasks: asks the roster what to do next, has it done, signs it, appends it.

It tails the log, derives the tasks for itself, and so acts on nothing that was not committed. What
it holds is a cache. It may die before a call, during it, after the answer or after storing it: the
roster names the same duty again, under the same execution id; an answer that was stored is not
asked for again, and events that stand in the log already are not appended twice.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import attrs
import trio

from wattswarm.actors.dispatch.agenda import Agenda
from wattswarm.actors.dispatch.asking import Terms
from wattswarm.actors.dispatch.bodies import Bodies
from wattswarm.actors.dispatch.clients import Clients
from wattswarm.actors.dispatch.crew import Crew
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.dockets import Dockets
from wattswarm.actors.dispatch.isolation import Isolation
from wattswarm.actors.dispatch.judge import Judge
from wattswarm.actors.dispatch.keeper import Keeper
from wattswarm.actors.dispatch.registry import Registry
from wattswarm.actors.dispatch.rules import Rules
from wattswarm.actors.dispatch.seeding import Seeder
from wattswarm.actors.dispatch.signer import NotYet, Signer
from wattswarm.actors.dispatch.standing import Standing
from wattswarm.actors.dispatch.work import Workshop
from wattswarm.actors.messages import ExecutorDispatcherMessage, ExecutorsChanged, HeadMoved
from wattswarm.actors.precedents import Found, Precedents
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.actors.runtime.boundary import Crash
from wattswarm.actors.session import Session
from wattswarm.executors.breaker import BreakerLimits
from wattswarm.executors.retry import RetryLimits
from wattswarm.kernel.duty import Roster, Signed
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.local import Execution, Executions

TASKS_PER_TURN: Final = 64


@attrs.define(kw_only=True)
class ExecutorDispatcher(Actor[ExecutorDispatcherMessage]):
    """Carries out what this node has to do for the tasks in the log.

    Args:
        artifacts: Directory of the artifact store.
        approves: Whether claims on this node's own tasks are approved of without being asked.
        scan_ms: Longest time between two looks at the log, behind its announcements.
        timeout_ms: Longest execution, by an executor that has no time of its own.
    """

    points: ClassVar[tuple[str, ...]] = (
        "tail.before",
        "roster.before",
        "sign.before",
        "append.before",
        "append.after",
        "execute.before",
        "execute.after",
        "verify.before",
        "verify.after",
        "store.before",
        "store.after",
        "report.before",
    )

    dsn: str = attrs.field(repr=False)
    schema: str
    network_id: str
    artifacts: str
    approves: bool
    scan_ms: int
    timeout_ms: int
    health_every_ms: int
    breaker_failures: int
    breaker_open_ms: int
    tries: int
    backoff_ms: int
    _agenda: Agenda = attrs.field(init=False, factory=Agenda)
    _dockets: Dockets = attrs.field(init=False)
    _clients: Clients = attrs.field(init=False)
    _standing: Standing = attrs.field(init=False)
    _registry: Registry = attrs.field(init=False)
    _rules: Rules = attrs.field(init=False)
    _signer: Signer = attrs.field(init=False)
    _workshop: Workshop = attrs.field(init=False)
    _crew: Crew | None = attrs.field(init=False, default=None)
    _woken: trio.Event = attrs.field(init=False, factory=trio.Event)

    async def recover(self, ctx: Context) -> None:
        """Find the tasks that may still be worked on; the log tells what has happened since."""
        key = KeyPair.from_seed(ctx.secret("seed"))
        reader = self._session(Purpose.READER, ctx)
        local = self._session(Purpose.LOCAL, ctx)
        self._dockets = Dockets(
            network_id=self.network_id,
            session=reader,
            answers=lambda tasks: _answers(local, tasks),
            agenda=self._agenda,
            isolation=Isolation(ctx=ctx, agenda=self._agenda),
        )
        merit = self._session(Purpose.READER, ctx)  # so that no look-up holds up the log's tail
        self._standing = Standing(merit, key.node_id)
        self._clients = self._no_clients()
        self._registry = Registry(session=local, clients=self._clients, timeout_ms=self.timeout_ms)
        self._rules = Rules(
            key=key, approves=self.approves, clients=self._clients, dockets=self._dockets
        )
        self._signer = Signer(network_id=self.network_id, rules=self._rules)
        bodies = Bodies(ArtifactStore(Path(self.artifacts)))
        precedents = Precedents(bodies.read)
        self._workshop = Workshop(
            me=key.node_id,
            bodies=bodies,
            terms=Terms(bodies=bodies, judge=ctx.hold(closing(Judge()))),
            keeper=Keeper(lambda executions: _store(local, executions)),
            seeder=Seeder(bodies=bodies, look=partial(_look, merit, precedents)),
        )
        await self._dockets.begin(ctx.clock.wall_ms())

    async def handle(self, msg: ExecutorDispatcherMessage, ctx: Context) -> None:
        """Look sooner than planned."""
        match msg:
            case ExecutorsChanged():
                self._registry.hear()
            case HeadMoved(seq):
                self._dockets.reach.hear(seq)
        self._woken.set()

    async def run(self, ctx: Context) -> None:
        """Look at what changed and at what is due, over and over."""
        async with trio.open_nursery() as nursery:
            self._crew = crew = self._hired(nursery, ctx)
            nursery.start_soon(self._registry.follow, nursery, ctx)
            nursery.start_soon(self._standing.follow, ctx)
            while True:
                await ctx.point("tail.before")
                await self._dockets.tail()
                self._woken = trio.Event()
                await self._look(crew, ctx)
                while await self._is_woken(ctx):
                    self._woken = trio.Event()
                    if self._dockets.reach.is_behind:
                        await ctx.point("tail.before")
                        await self._dockets.tail()
                    await self._look(crew, ctx)

    def snapshot(self) -> Mapping[str, object]:
        """Return how far the log was read, what is in hand or set aside, and the executors."""
        return {
            "seq": self._dockets.reach.seq,
            "dockets": len(self._dockets),
            "working": self._crew.working if self._crew else 0,
            "set_aside": self._dockets.isolation.quarantine.snapshot(),
            "executors": self._clients.snapshot(),
        }

    # --- making ready ---------------------------------------------------------------------------

    def _session(self, purpose: Purpose, ctx: Context) -> Session:
        return ctx.hold(closing(Session(Database(self.dsn, self.schema), purpose, ctx)))

    def _no_clients(self) -> Clients:
        return Clients(
            environ=os.environ,
            every_s=self.health_every_ms / 1_000,
            breaker=BreakerLimits(
                failures_max=self.breaker_failures, open_ms_min=self.breaker_open_ms
            ),
            retries=RetryLimits(attempts_max=self.tries, backoff_ms_min=self.backoff_ms),
            changed=self._executors_changed,
            standing=self._standing.units,
        )

    def _hired(self, nursery: trio.Nursery, ctx: Context) -> Crew:
        return Crew(
            ctx=ctx,
            nursery=nursery,
            agenda=self._agenda,
            isolation=self._dockets.isolation,
            clients=self._clients,
            workshop=self._workshop,
            signer=self._signer,
            woken=lambda: self._woken.set(),
        )

    # --- looking --------------------------------------------------------------------------------

    async def _look(self, crew: Crew, ctx: Context) -> None:
        """Look at every task whose turn has come, some at a time, so that the log batches them."""
        self._admit(crew)
        while tasks := self._agenda.take(ctx.clock.wall_ms(), TASKS_PER_TURN):
            dockets = await self._dockets.open(tasks)
            async with trio.open_nursery() as turn:
                for docket in dockets:
                    turn.start_soon(self._step, docket, crew, ctx)
            self._admit(crew)
        self._dockets.forget()

    def _admit(self, crew: Crew) -> None:
        """Have tasks looked at for which a place has become free."""
        for task_id in crew.admitted():
            self._agenda.mark(task_id)

    async def _step(self, docket: Docket, crew: Crew, ctx: Context) -> None:
        """Do for one task what can be done now, and begin what takes longer."""
        async with docket.turn:
            await ctx.point("roster.before")
            found = self._rules.roster(docket, ctx.clock.wall_ms())
            if isinstance(found, Crash):
                return
            outstanding = await self._append(docket, found, ctx)
        if not found.duties:
            self._dockets.isolation.quarantine.dismiss(docket.task_id)
        crew.begin(docket, outstanding.duties)

    async def _append(self, docket: Docket, found: Roster, ctx: Context) -> Roster:
        """Append the events of a roster, and return what is outstanding then.

        Where others work on the task as well, only the first that can be: it changes what the rest
        rests on.
        """
        signed = [duty.signings for duty in found.duties if isinstance(duty, Signed)]
        if signed and docket.state.is_local:
            together = tuple(signing for signings in signed for signing in signings)
            carried = await self._signer.carry(docket, together, ctx)
            return found if isinstance(carried, NotYet) else carried
        self._agenda.schedule(docket.task_id, found.wake_at_ms)
        for signings in signed:
            if await self._signer.append(docket, signings, ctx) is None:
                self._agenda.mark(docket.task_id)
                break
        return found

    def _executors_changed(self) -> None:
        self._dockets.mark_all()
        self._woken.set()

    # --- waiting --------------------------------------------------------------------------------

    async def _is_woken(self, ctx: Context) -> bool:
        """Wait until something is to be looked at; False when the time for it has come anyway."""
        wait_ms = self.scan_ms
        if (at_ms := self._agenda.next_at_ms()) is not None:
            wait_ms = min(wait_ms, max(0, at_ms - ctx.clock.wall_ms()))
        if self._agenda.has_changed:
            await trio.lowlevel.checkpoint()
            return True
        with trio.move_on_after(wait_ms / 1_000):
            await self._woken.wait()
            return True
        return False


async def _answers(
    local: Session, tasks: Sequence[TaskId]
) -> Mapping[bytes, Mapping[bytes, bytes]]:
    return await local.run(lambda connection: Executions(connection).answers_of_tasks(tasks))


async def _look(
    reader: Session, precedents: Precedents, state: TaskState, at_ms: int, may_repeat: bool
) -> Found:
    return await reader.run(
        lambda connection: precedents.find(connection, state, at_ms, may_repeat=may_repeat)
    )


async def _store(local: Session, executions: Sequence[Execution]) -> None:
    await local.run(lambda connection: Executions(connection).store(executions))
