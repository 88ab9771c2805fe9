"""The place of one actor in the tree: what outlives its incarnations, and how one of them is lived.

The inbox, the dials and the counters belong to the cell; the actor object belongs to the
incarnation. An end of any kind becomes an `Exit` here, and what was in hand is settled.
"""

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from math import inf
from typing import Any, Final

import attrs
import trio

from wattswarm.actors.runtime.actions import Rules
from wattswarm.actors.runtime.actor import Actor, Context, Stop, has_own_run
from wattswarm.actors.runtime.crash import (
    describe_failure,
    report_of,
    split_failure,
)
from wattswarm.actors.runtime.dials import Dials
from wattswarm.actors.runtime.exit import Exit, ExitKind
from wattswarm.actors.runtime.inbox import Inbox
from wattswarm.actors.runtime.reading import Rates, read_stats
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.settlement import Settlement
from wattswarm.actors.runtime.spec import ChildSpec
from wattswarm.actors.runtime.stats import ActorStats, Counters
from wattswarm.actors.runtime.system import Inspect, TargetDown, Tune
from wattswarm.actors.runtime.turns import RECENT, Turns

INSPECT_S: Final = 2.0
"""An actor that is busy for longer is not inspected."""


class StartTooSlow(Exception):
    """`recover` took longer than the start time-out, without saying what it waits for."""


def _announce(cell: "Cell", attribute: "attrs.Attribute[str]", state: str) -> str:
    """Let whoever shows the tree know that an actor's state changes."""
    del attribute
    cell.services.changed()
    return state


@attrs.define(eq=False)
class Cell:
    """One actor, or one instance of it; a child of its group's supervisor."""

    id: str
    spec: ChildSpec
    services: Services
    inbox: Inbox = attrs.field(init=False)
    dials: Dials = attrs.field(init=False)
    counters: Counters = attrs.field(factory=Counters, init=False)
    incarnation: int = attrs.field(default=0, init=False)
    state: str = attrs.field(default="idle", init=False, on_setattr=_announce)
    last_end: str = attrs.field(default="", init=False)
    dials_wanted: int = attrs.field(default=1, init=False)
    turns: Turns | None = attrs.field(default=None, init=False)
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _start: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _is_stopping: bool = attrs.field(default=False, init=False)
    _rates: Rates = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        monotonic = self.services.world.monotonic
        self.inbox = Inbox(self.id, self.spec.inbox, monotonic)
        self.dials = Dials(self.spec)
        self._rates = Rates(monotonic())

    @property
    def rules(self) -> Rules:
        spec = self.spec
        return Rules(
            id=self.id,
            restart=spec.restart,
            backoff=spec.backoff,
            intensity=spec.intensity,
            optional=spec.optional,
            significant=spec.significant,
        )

    @property
    def shutdown_s(self) -> float:
        return self.spec.shutdown_s

    # -- one incarnation -------------------------------------------------------------------------

    async def run(self, ready: Callable[[], None]) -> Exit:
        """Live one incarnation, and settle what it leaves behind."""
        self.incarnation += 1
        self.state = "starting"
        self._is_stopping = False
        self.inbox.reopen()
        failure: Exception | None = None
        with trio.CancelScope() as self._scope:
            try:
                await self._live(ready)
            except Exception as error:  # the boundary: whatever an actor raises ends it alone
                failure = split_failure(error)
            except BaseExceptionGroup as group:
                failure, rest = group.split(Exception)  # pyright: ignore[reportAssignmentType]
                if rest is not None:
                    raise rest from None
        return self._end(failure)

    async def _live(self, ready: Callable[[], None]) -> None:
        with ExitStack() as held:
            await self._live_with(ready, held)

    async def _live_with(self, ready: Callable[[], None], held: ExitStack) -> None:
        async with trio.open_nursery() as nursery:
            actor = self.services.build(self.spec)
            ctx = self._context(ready, held)
            recent: deque[tuple[type, int, str]] = deque(maxlen=RECENT)
            self.turns = self._turns(actor, ctx, recent)
            await self._recover(actor, ctx)
            if has_own_run(actor):
                nursery.start_soon(actor.run, ctx)
            await self.turns.serve(nursery)
            if self.services.faults.armed:
                await self.services.faults.pass_point(self.id, "stopping.before")
            await actor.stopping(ctx)
            nursery.cancel_scope.cancel()

    async def _recover(self, actor: Actor[Any], ctx: Context) -> None:
        faults = self.services.faults
        deadline = trio.current_time() + self.spec.start_timeout_s
        with trio.CancelScope(deadline=deadline) as self._start:
            if faults.armed:
                await faults.pass_point(self.id, "recover.before")
            await actor.recover(ctx)
            if faults.armed:
                await faults.pass_point(self.id, "recover.after")
        if self._start.cancelled_caught:
            raise StartTooSlow(f"not ready after {self.spec.start_timeout_s:g} s")
        ctx.ready()

    def _context(self, ready: Callable[[], None], held: ExitStack) -> Context:
        services = self.services

        was = self.state

        def on_ready() -> None:
            nonlocal was
            if was != "ready":
                was = self.state = "ready"
                self._start.deadline = inf
                ready()

        def on_waiting(what: str | None) -> None:
            self.state = was if what is None else f"waiting for {what}"
            self._start.deadline = trio.current_time() + self.spec.start_timeout_s

        return Context(
            me=services.ref_of(self.id, self.id),
            incarnation=self.incarnation,
            instances=self.spec.instances,
            dials=self.dials,
            clock=services.world.clock,
            log=services.logger(self.id, self.incarnation),
            refs=lambda name: services.ref_for(self.spec, self.id, name),
            all_refs=lambda name: services.refs_for(self.spec, self.id, name),
            monitors=lambda ref: services.monitor(self.id, ref.name),
            dice=lambda label: services.world.rng(f"{self.id}:{label}"),
            secrets={name: services.secrets[name] for name in self.spec.secrets},
            faults=services.faults,
            tree=services.tree if self.spec.controls_tree else None,
            held=held,
            ready=on_ready,
            waiting=on_waiting,
        )

    def _turns(
        self, actor: Actor[Any], ctx: Context, recent: deque[tuple[type, int, str]]
    ) -> Turns:
        return Turns(
            actor=actor,
            ctx=ctx,
            inbox=self.inbox,
            dials=self.dials,
            counters=self.counters,
            faults=self.services.faults,
            monotonic=self.services.world.monotonic,
            recent=recent,
            drain=self.spec.drain,
            shard_by=self.spec.shard_by,
        )

    # -- its end ---------------------------------------------------------------------------------

    def _end(self, failure: Exception | None) -> Exit:
        turns, self.turns = self.turns, None
        why = self._exit_of(failure)
        if failure is not None and why.kind is ExitKind.CRASHED:
            self.counters.last_error = describe_failure(failure)
            now_s = self.services.world.monotonic()
            self.services.on_crash(report_of(self.id, self.incarnation, turns, failure, now_s))
        if turns is not None:
            Settlement(self.id, self.incarnation, turns, self.services).settle(failure, why)
        self.state = "stopped" if why.is_normal else "crashed"
        self.services.on_down(
            TargetDown(actor=self.id, incarnation=self.incarnation, reason=why.reason)
        )
        return why

    def _exit_of(self, failure: Exception | None) -> Exit:
        match failure:
            case None if self._scope.cancelled_caught:
                return Exit(ExitKind.KILLED, "cancelled by its supervisor")
            case None:
                return Exit(ExitKind.SHUTDOWN, "stopped by its supervisor")
            case Stop():
                return Exit(ExitKind.NORMAL, failure.reason)
            case _ if self._is_stopping:
                return Exit(ExitKind.SHUTDOWN, f"while stopping: {describe_failure(failure)}")
            case _:
                return Exit(ExitKind.CRASHED, describe_failure(failure))

    # -- what its supervisor and operators do with it --------------------------------------------

    def stop(self) -> None:
        """Ask for an orderly end; a recovery under way is cut short, it will start anew anyway."""
        self._is_stopping = True
        self.inbox.stop()
        if self.turns is None or self.state != "ready":
            self._scope.cancel()

    def kill(self) -> None:
        """End the incarnation without manners."""
        self._is_stopping = True
        self._scope.cancel()

    def on_restart(self, why: Exit, delay_s: float) -> None:
        """Count a restart and say why, always: a silent restart hides a bug."""
        self.counters.restarts += 1
        self.last_end = why.reason
        self.state = "backing off" if delay_s else "restarting"
        self.services.logger(self.id, self.incarnation).warning(
            "restarting",
            reason=why.reason,
            delay_s=round(delay_s, 3),
            restarts=self.counters.restarts,
        )

    def on_give_up(self, why: Exit) -> None:
        """Fail what waits in the inbox: nobody is going to handle it soon."""
        self.state = "stopped" if why.is_normal else "degraded"
        self.inbox.close(why.reason)

    def tune(self, dial: str, value: int) -> int:
        """Ask for a change of a dial; returns its version, effective between two messages."""
        self.dials.check(dial, value)
        self.dials_wanted += 1
        if self.turns is None:
            self.dials.apply(dial, value, self.dials_wanted)
            self.inbox.resize(self.dials["inbox"])
        else:
            self.inbox.put_system(Tune(dial, value, self.dials_wanted))
        return self.dials_wanted

    async def inspect(self) -> Mapping[str, object]:
        """Return the actor's own snapshot, taken between two messages; empty while it is not up."""
        found: list[Mapping[str, object]] = []
        answered = trio.Event()

        def answer(snapshot: Mapping[str, object]) -> None:
            found.append(snapshot)
            answered.set()

        if self.turns is None:
            return {}
        self.inbox.put_system(Inspect(answer))
        with trio.move_on_after(INSPECT_S):
            await answered.wait()
        return found[0] if found else {}

    def stats(self) -> ActorStats:
        """Return one reading of everything that is counted."""
        return read_stats(self, self._rates)
