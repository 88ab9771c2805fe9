"""Drives this node's tasks: asks the roster what to do next, has it done, signs it, appends it.

It tails the log, derives the tasks for itself, and so acts on nothing that was not committed. What
it holds is a cache. It may die before a call, during it, after the answer or after storing it: the
roster names the same duty again, under the same execution id; an answer that was stored is not
asked for again, and events that stand in the log already are not appended twice.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Final, TypeVar

import attrs
import trio

from wattswarm.actors.appending import append
from wattswarm.actors.backoff import until_available
from wattswarm.actors.dispatch.agenda import Agenda
from wattswarm.actors.dispatch.clients import Clients, Executor
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.dockets import Dockets
from wattswarm.actors.dispatch.judge import Judge
from wattswarm.actors.dispatch.keeper import Keeper
from wattswarm.actors.dispatch.queue import ANY, PlaceQueue
from wattswarm.actors.dispatch.work import Conclusion, NoRoom, WorkFailed, Workshop, nothing
from wattswarm.actors.messages import (
    Append,
    AppendRefused,
    ExecutorDispatcherMessage,
    ExecutorsChanged,
    HeadMoved,
)
from wattswarm.actors.runtime.actor import Actor, Context
from wattswarm.executors import settings
from wattswarm.executors.breaker import BreakerLimits
from wattswarm.executors.errors import Failure
from wattswarm.executors.fields import Json
from wattswarm.executors.retry import RetryLimits
from wattswarm.executors.settings import ExecutorSettings
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.duty import Check, Confirm, Duty, Execute, Verify, complete, due
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import EventId, TaskId, short
from wattswarm.kernel.limits import REASON_BYTES_MAX
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.views import workable
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.local import Executions, Executors

T = TypeVar("T")

Work = Execute | Verify | Confirm | Check
"""Duties that take an executor or a body, and so some time."""

TASKS_PER_TURN: Final = 64

APPEND_S: Final = 30.0
PAUSE_MS: Final = 1_000
"""Between two tries of a duty that came to nothing."""

LOCK_HELD_PAUSE_MS: Final = 60_000
NO_ROOM_PAUSE_MS: Final = 30_000
"""Work whose results cannot be stored is not begun for so long: it would be paid for again."""

UNSIGNABLE_PAUSE_MS: Final = 60_000
REGISTRY_S: Final = 5.0
"""Between two looks at the registry of executors, behind its announcements."""


@attrs.define(kw_only=True)
class ExecutorDispatcher(Actor[ExecutorDispatcherMessage]):
    """Carries out what this node has to do for the tasks in the log.

    Args:
        artifacts: Directory of the artifact store.
        scan_ms: Longest time between two looks at the log, behind its announcements.
        timeout_ms: Longest call of an executor.
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
    scan_ms: int
    timeout_ms: int
    health_every_ms: int
    breaker_failures: int
    breaker_open_ms: int
    tries: int
    backoff_ms: int
    _key: KeyPair = attrs.field(init=False)
    _local: Connection = attrs.field(init=False)
    _agenda: Agenda = attrs.field(init=False, factory=Agenda)
    _dockets: Dockets = attrs.field(init=False)
    _clients: Clients = attrs.field(init=False)
    _workshop: Workshop = attrs.field(init=False)
    _places: PlaceQueue = attrs.field(init=False, factory=PlaceQueue)
    _working: int = attrs.field(init=False, default=0)
    _no_room_until_ms: int = attrs.field(init=False, default=0)
    _woken: trio.Event = attrs.field(init=False, factory=trio.Event)
    _registry: trio.Event = attrs.field(init=False, factory=trio.Event)

    async def recover(self, ctx: Context) -> None:
        """Find the tasks that may still be worked on; the log tells what has happened since."""
        self._key = KeyPair.from_seed(ctx.secret("seed"))
        database = Database(self.dsn, self.schema)
        reader = await until_available(ctx, lambda: database.connect(Purpose.READER))
        local = await until_available(ctx, lambda: database.connect(Purpose.LOCAL))
        self._local = ctx.hold(closing(local))
        self._dockets = Dockets(
            network_id=self.network_id,
            connection=ctx.hold(closing(reader)),
            answers=self._answers,
            agenda=self._agenda,
        )
        self._clients = Clients(
            environ=os.environ,
            every_s=self.health_every_ms / 1_000,
            breaker=BreakerLimits(
                failures_max=self.breaker_failures, open_ms_min=self.breaker_open_ms
            ),
            retries=RetryLimits(attempts_max=self.tries, backoff_ms_min=self.backoff_ms),
            changed=self._executors_changed,
        )
        self._workshop = Workshop(
            me=self._key.node_id,
            artifacts=ArtifactStore(Path(self.artifacts)),
            keeper=Keeper(Executions(self._local)),
            judge=ctx.hold(closing(Judge())),
            timeout_ms=self.timeout_ms,
        )
        await self._dockets.begin(ctx.clock.wall_ms())

    async def handle(self, msg: ExecutorDispatcherMessage, ctx: Context) -> None:
        """Look sooner than planned."""
        match msg:
            case ExecutorsChanged():
                self._registry.set()
            case HeadMoved(seq):
                self._dockets.reach.hear(seq)
        self._woken.set()

    async def run(self, ctx: Context) -> None:
        """Look at what changed and at what is due, over and over."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow_registry, nursery, ctx)
            while True:
                await ctx.point("tail.before")
                await self._dockets.tail()
                self._woken = trio.Event()
                await self._look(nursery, ctx)
                while await self._is_woken(ctx):
                    self._woken = trio.Event()
                    if self._dockets.reach.is_behind:
                        await ctx.point("tail.before")
                        await self._dockets.tail()
                    await self._look(nursery, ctx)

    def snapshot(self) -> Mapping[str, object]:
        """Return how far the log was read, what is in hand, and how the executors are."""
        return {
            "seq": self._dockets.reach.seq,
            "dockets": len(self._dockets),
            "working": self._working,
            "executors": self._clients.snapshot(),
        }

    # --- deciding -------------------------------------------------------------------------------

    async def _look(self, nursery: trio.Nursery, ctx: Context) -> None:
        """Look at every task whose turn has come, some at a time, so that the log batches them."""
        self._admit(ctx)
        while tasks := self._agenda.take(ctx.clock.wall_ms(), TASKS_PER_TURN):
            dockets = await self._dockets.open(tasks)
            async with trio.open_nursery() as turn:
                for docket in dockets:
                    turn.start_soon(self._step, docket, nursery, ctx)
            self._admit(ctx)
        self._dockets.forget()

    def _admit(self, ctx: Context) -> None:
        """Have tasks looked at for which a place has become free."""

        def free(name: str) -> int:
            if name == ANY:
                return ctx.dials["concurrency"] - self._working
            executor = self._clients.get(name)
            return 1 if executor is None else executor.free

        for task_id in self._places.admit(free):
            self._agenda.mark(task_id)

    async def _step(self, docket: Docket, nursery: trio.Nursery, ctx: Context) -> None:
        """Do for one task what can be done now, and begin what takes longer."""
        now_ms = ctx.clock.wall_ms()
        async with docket.turn:
            if not workable(docket.state, now_ms):
                self._agenda.schedule(docket.task_id, None)
                return
            await ctx.point("roster.before")
            roster = due(
                docket.state,
                self._key,
                self._clients.offers(docket.task_id),
                now_ms,
                in_hand=docket.claims,
                checked=docket.checked,
                is_stale=self._dockets.is_stale(docket.state),
            )
            self._agenda.schedule(docket.task_id, roster.wake_at_ms)
            for signings in self._batches(docket, roster.duties, now_ms):
                await self._sign(docket, signings, ctx)
        for duty in roster.duties:
            if isinstance(duty, Work):
                self._begin(docket, duty, nursery, ctx)

    def _batches(self, docket: Docket, duties: Sequence[Duty], now_ms: int) -> Sequence[Signings]:
        """Return the events of the roster: one by one, or all at once in a network of one."""
        signed = [duty.signings for duty in duties if not isinstance(duty, Work)]
        if not docket.state.is_local or not signed:
            return signed
        together = tuple(signing for signings in signed for signing in signings)
        return [self._complete(docket, together, now_ms)]

    def _complete(self, docket: Docket, signings: Signings, now_ms: int) -> Signings:
        return complete(
            docket.state,
            signings,
            self._key,
            self._clients.offers(docket.task_id),
            now_ms,
            in_hand=docket.claims,
            checked=docket.checked,
        )

    async def _sign(self, docket: Docket, signings: Signings, ctx: Context) -> int | None:
        """Sign events and put them into the log, all of them or none.

        Returns:
            None when they are in the log; else the date from which to try again.
        """
        await ctx.point("sign.before")
        try:
            events = [signing.draft.sign(self.network_id, self._key) for signing in signings]
        except Malformed as error:  # by a bug of ours: one task must not end the node
            ctx.log.error("cannot be signed", task=short(docket.task_id), reason=str(error))
            return self._again(docket, ctx.clock.wall_ms() + UNSIGNABLE_PAUSE_MS)
        locks = tuple(lock for signing in signings for lock in signing.locks)
        request = Append(
            events=tuple(event.to_wire() for event in events), locks=locks, is_own=True
        )
        await ctx.point("append.before")
        answer = await append(ctx, request, deadline_s=APPEND_S)
        await ctx.point("append.after")
        if isinstance(answer, AppendRefused):
            pause_ms = answer.retry_after_ms or LOCK_HELD_PAUSE_MS
            ctx.log.warning("not appended", task=short(docket.task_id), reason=answer.message)
            return self._again(docket, ctx.clock.wall_ms() + pause_ms)
        self._dockets.wrote(docket, events, answer)
        return None

    def _again(self, docket: Docket, at_ms: int) -> int:
        self._agenda.advance(docket.task_id, at_ms)
        return at_ms

    # --- working --------------------------------------------------------------------------------

    def _begin(self, docket: Docket, duty: Work, nursery: trio.Nursery, ctx: Context) -> None:
        """Take a piece of work in hand, unless it is, or has to wait for something."""
        if docket.is_doing(duty.key):
            return
        if (until_ms := self._pause_end_ms(docket, duty)) > ctx.clock.wall_ms():
            self._agenda.advance(docket.task_id, until_ms)
            return
        executor = self._executor(duty)
        if executor is None and isinstance(duty, Execute | Verify):
            return
        if self._working >= ctx.dials["concurrency"]:
            self._places.wait(docket.task_id)
            return
        if executor is not None and not executor.free:
            self._places.wait(docket.task_id, executor.settings.name)
            return
        docket.begin(duty.key, _claim(duty))
        self._working += 1
        if executor is not None:
            executor.begin()
        nursery.start_soon(self._carry_out, docket, duty, executor, ctx)

    def _pause_end_ms(self, docket: Docket, duty: Work) -> int:
        """Return until when a piece of work has to wait."""
        paused_ms = docket.pause_end_ms(duty.key)
        is_stored = isinstance(duty, Execute | Verify)
        return max(paused_ms, self._no_room_until_ms) if is_stored else paused_ms

    async def _carry_out(
        self, docket: Docket, duty: Work, executor: Executor | None, ctx: Context
    ) -> None:
        """Do a piece of work, and append what comes of it."""
        try:
            await self._work(docket, duty, executor, ctx)
        finally:
            docket.end(duty.key, _claim(duty))
            self._working -= 1
            if executor is not None:
                executor.end()
            self._agenda.mark(docket.task_id)
            self._woken.set()

    async def _work(
        self, docket: Docket, duty: Work, executor: Executor | None, ctx: Context
    ) -> None:
        try:
            conclude = await self._conclusion(docket, duty, executor, ctx)
        except NoRoom as error:
            ctx.log.error("nothing can be stored", duty=duty.key[0], reason=str(error))
            self._no_room_until_ms = ctx.clock.wall_ms() + NO_ROOM_PAUSE_MS
            return
        now_ms = ctx.clock.wall_ms()
        async with docket.turn:
            answer = conclude(docket.state, now_ms)
            if isinstance(answer, Rejection) or not answer:
                docket.pause(duty.key, now_ms + PAUSE_MS)
                reason = answer.message if isinstance(answer, Rejection) else "nothing to say yet"
                ctx.log.debug("work came to nothing", duty=duty.key[0], reason=reason)
            else:
                signings = self._complete(docket, answer, now_ms)
                if (again_ms := await self._sign(docket, signings, ctx)) is not None:
                    docket.pause(duty.key, again_ms)

    async def _conclusion(
        self, docket: Docket, duty: Work, executor: Executor | None, ctx: Context
    ) -> Conclusion:
        state, shop = docket.state, self._workshop
        try:
            match duty:
                case Execute() if executor is not None:
                    return await shop.execute(state, duty, executor, docket.answers, ctx)
                case Verify() if executor is not None:
                    return await shop.verify(state, duty, executor, docket.answers, ctx)
                case Confirm():
                    return await shop.confirm(state, duty)
                case Check():
                    passed = await shop.check(state, duty)
                    if passed is not None:
                        docket.checked[duty.candidate] = passed
                    return nothing
                case _:
                    return nothing
        except WorkFailed as error:
            await ctx.point("report.before")
            ctx.log.info("work failed", task=short(docket.task_id), reason=error.failure.message)
            return _report(duty, error.failure)

    # --- executors ------------------------------------------------------------------------------

    async def _follow_registry(self, nursery: trio.Nursery, ctx: Context) -> None:
        """Keep the clients as the registry of executors says, sooner when it is announced."""
        while True:
            records = await self._local_read(Executors(self._local).all)
            self._clients.replace(_settings(records, ctx), nursery, ctx)
            with trio.move_on_after(REGISTRY_S):
                await self._registry.wait()
            self._registry = trio.Event()

    async def _answers(self, tasks: Sequence[TaskId]) -> Mapping[bytes, Mapping[bytes, bytes]]:
        executions = Executions(self._local)
        return await self._local_read(lambda: executions.answers_of_tasks(tasks))

    async def _local_read(self, look: Callable[[], T]) -> T:
        async with self._workshop.keeper.turn:
            return await trio.to_thread.run_sync(look)

    def _executor(self, duty: Work) -> Executor | None:
        match duty:
            case Execute(executor=name) | Verify(executor=name):
                return self._clients.get(name)
            case Confirm() | Check():
                return None

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


def _settings(records: Sequence[Json], ctx: Context) -> list[ExecutorSettings]:
    """Return the settings of all executors whose record can be understood."""
    found: list[ExecutorSettings] = []
    for record in records:
        try:
            found.append(settings.read(record))
        except Malformed as error:
            ctx.log.error("an executor's record is malformed", reason=str(error))
    return found


def _claim(duty: Work) -> EventId | None:
    return None if isinstance(duty, Check) else duty.claim


def _report(duty: Work, failure: Failure) -> Conclusion:
    """Return what makes the one error of a claim out of a failure."""
    claim = _claim(duty)
    if claim is None:
        return nothing
    message = failure.message.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
    return lambda state, now_ms: decide.report_error(
        state, claim, failure.reason.value, failure.reason_codes, message, now_ms
    )
