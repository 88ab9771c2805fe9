"""A group of actors in a worker process, as a child of the root supervisor."""

import signal
from collections.abc import Callable
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.actions import (
    Rules,
)
from wattswarm.actors.runtime.calls import CALL_S, Calls
from wattswarm.actors.runtime.control import (
    EXIT_GAVE_UP,
    HEARTBEAT_S,
    Answer,
    Boot,
    Command,
    Crashed,
    Dead,
    Ended,
    GaveUp,
    Halt,
    LinkLost,
    Pause,
    Ping,
    Ready,
    Seen,
)
from wattswarm.actors.runtime.errors import BadWire
from wattswarm.actors.runtime.exit import KILLED_BY_OPERATOR, Exit, ExitKind
from wattswarm.actors.runtime.group import rules_of
from wattswarm.actors.runtime.heartbeat import Heartbeat, Verdict
from wattswarm.actors.runtime.mesh import Mesh
from wattswarm.actors.runtime.process import WorkerProcess
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.spawner import Spawner
from wattswarm.actors.runtime.spec import GroupSpec
from wattswarm.actors.runtime.system import TargetDown
from wattswarm.actors.runtime.view import ActorView, GroupView

LADDER: Final = ((signal.SIGTERM, 1.0), (signal.SIGABRT, 1.0), (signal.SIGKILL, 5.0))
"""Signals to a worker that did not stop when it was asked to, each with the time it has then."""

TOO_LARGE: Final = Exit(ExitKind.ORDERED, "above its memory limit")


@attrs.define(eq=False)
class WorkerGroup:
    """One group; each incarnation of it is a process."""

    spec: GroupSpec
    services: Services
    spawner: Spawner
    mesh: Mesh
    boot: Callable[[GroupSpec], Boot]
    recycle: Callable[[str, Exit], None]
    """Has the group of that name replaced on purpose, and tells why."""
    incarnation: int = attrs.field(default=0, init=False)
    process: WorkerProcess | None = attrs.field(default=None, init=False)
    state: str = attrs.field(default="idle", init=False)
    lag_ms: int = attrs.field(default=0, init=False)
    last_end: str = attrs.field(default="", init=False)
    _actors: tuple[ActorView, ...] = attrs.field(default=(), init=False)
    _ready: Callable[[], None] = attrs.field(init=False)
    _became_ready: trio.Event = attrs.field(factory=trio.Event, init=False)
    _nursery: trio.Nursery | None = attrs.field(default=None, init=False)
    _heartbeat: Heartbeat = attrs.field(init=False)
    _is_booted: bool = attrs.field(default=False, init=False)
    _is_stopping: bool = attrs.field(default=False, init=False)
    _gave_up: GaveUp | None = attrs.field(default=None, init=False)
    _is_killed_on_order: bool = attrs.field(default=False, init=False)
    _hung: str | None = attrs.field(default=None, init=False)
    _calls: Calls = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._calls = Calls(self.spec.name)

    @property
    def is_up(self) -> bool:
        """Whether there is a process that has been told what it is."""
        return self.process is not None and self._is_booted

    @property
    def rules(self) -> Rules:
        return rules_of(self.spec)

    @property
    def shutdown_s(self) -> float:
        return self.spec.shutdown_s

    # -- one incarnation -------------------------------------------------------------------------

    async def run(self, ready: Callable[[], None]) -> Exit:
        """Be a worker process until it has ended and is reaped."""
        self.incarnation += 1
        self.state, self._ready, self._became_ready = "starting", ready, trio.Event()
        self._is_stopping = self._is_booted = self._is_killed_on_order = False
        self._gave_up = self._hung = None
        process = self.process = self.spawner.take(self.spec.name, self._on_message)
        now = trio.current_time()
        self._heartbeat = Heartbeat(self.spec.suspect_after_s, self.spec.hung_after_s, now)
        try:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._start, process)
                self._nursery.start_soon(self._judge)
                await process.ended.wait()
                self._nursery.cancel_scope.cancel()
        finally:
            self._nursery = None
            self.process = None
            self.mesh.leave(self.spec.name, process)
            process.handle.send_signal(signal.SIGKILL)
            self._calls.fail_all()
        return self._end(process)

    async def _start(self, process: WorkerProcess) -> None:
        """Boot it, link it, and give it its time to become ready."""
        with trio.move_on_after(self.spec.start_timeout_s) as deadline:
            await process.hello.wait()
            process.say(self.boot(self.spec))
            self._is_booted = True
            await self.mesh.join(self.spec.name, process)
            await self._became_ready.wait()
        if deadline.cancelled_caught:
            self._hung = f"not ready after {self.spec.start_timeout_s:g} s"
            self.kill()

    async def _judge(self) -> None:
        """Listen for the pings; a loop that is silent for too long is dumped and killed."""
        while True:
            await trio.sleep(HEARTBEAT_S)
            verdict = self._heartbeat.check(trio.current_time(), HEARTBEAT_S)
            if verdict is Verdict.HUNG and self._hung is None:
                self._hung = f"its loop was silent for {self.spec.hung_after_s:g} s"
                await self._descend(LADDER[1:])
            elif self.state in ("ready", "suspect"):
                self.state = "ready" if verdict is Verdict.ALIVE else "suspect"

    async def _descend(self, ladder: tuple[tuple[signal.Signals, float], ...]) -> None:
        """Send one signal after the other until the process has ended."""
        process = self.process
        for number, patience_s in ladder:
            if process is None or process.ended.is_set():
                return
            process.handle.send_signal(number)
            with trio.move_on_after(patience_s):
                await process.ended.wait()

    def _end(self, process: WorkerProcess) -> Exit:
        why = self._exit_of(process.status)
        self.state = "down"
        for actor in self._actors:
            self.services.on_down(
                TargetDown(actor=actor.id, incarnation=actor.incarnation, reason=why.reason),
                self.spec.name,
            )
        self._actors = tuple(attrs.evolve(actor, state="down") for actor in self._actors)
        return why

    def _exit_of(self, status: int | None) -> Exit:
        match status:
            case _ if self._hung is not None:
                return Exit(ExitKind.KILLED, self._hung)
            case 0 if self._is_stopping:
                return Exit(ExitKind.SHUTDOWN, "stopped by its supervisor")
            case 0:
                return Exit(ExitKind.NORMAL, "ended")
            case _ if self._gave_up is not None and status == EXIT_GAVE_UP:
                return Exit(ExitKind.GAVE_UP, self._gave_up.reason, self._gave_up.causes)
            case int() if status < 0 and self._is_killed_on_order:
                return KILLED_BY_OPERATOR
            case int() if status < 0:
                return Exit(ExitKind.KILLED, f"killed by signal {signal.Signals(-status).name}")
            case _:
                return Exit(ExitKind.CRASHED, f"exit status {status}")

    def stop(self) -> None:
        self._is_stopping = True
        if self.process is None:
            return
        if self._is_booted:
            self.process.say(Halt())
        else:
            self.process.handle.send_signal(signal.SIGKILL)  # it has nothing to lose yet

    def kill(self) -> None:
        if self._nursery is not None:
            self._nursery.start_soon(self._descend, LADDER)

    def on_restart(self, why: Exit, delay_s: float) -> None:
        self.last_end = why.reason
        self.services.base_logger.warning(
            "restarting worker",
            group=self.spec.name,
            reason=why.reason,
            causes=why.causes,
            delay_s=round(delay_s, 3),
            incarnation=self.incarnation,
        )

    def on_give_up(self, why: Exit) -> None:
        self.state = "stopped"
        if self.spec.name in self.mesh.atlas.peers:
            self.mesh.atlas.peers[self.spec.name].end(why.reason)

    # -- what it says ----------------------------------------------------------------------------

    def _on_message(self, message: object) -> None:
        services = self.services
        match message:
            case Ping(lag_ms, rss_bytes):
                self.lag_ms = lag_ms
                self._heartbeat.on_ping(trio.current_time())
                self._check_memory(rss_bytes)
            case Ready():
                self.state = "ready"
                self._became_ready.set()
                self._ready()
            case Seen(actors):
                self._actors = actors
            case Crashed(report):
                services.on_crash(report)
            case Dead(letter):
                services.on_dead_letter(letter)
            case Ended(notice):
                services.on_down(notice, self.spec.name)
            case GaveUp():
                self._gave_up = message
            case LinkLost(peer, _):
                self.mesh.on_lost(self.spec.name, peer)
            case Pause(duration_s):
                self.pause(duration_s)
            case Answer():
                self._calls.on_answer(message)
            case _:
                raise BadWire(reason=f"{type(message).__name__} is nothing for the root")

    def _check_memory(self, rss_bytes: int) -> None:
        limit = self.spec.rss_soft_bytes
        if limit is not None and rss_bytes > limit and self.state == "ready":
            self.state = "recycling"
            self.services.base_logger.warning(
                "worker above its memory limit", group=self.spec.name, rss_bytes=rss_bytes
            )
            self.recycle(self.spec.name, TOO_LARGE)

    # -- what operators do with it ---------------------------------------------------------------

    def kill_on_order(self) -> None:
        """End the process now; that it ended like this is no failure of it."""
        if self.process is not None:
            self._is_killed_on_order = True
            self.process.handle.send_signal(signal.SIGKILL)

    def pause(self, duration_s: float) -> None:
        """Stop the process now, and let it go on after a while."""
        if self._nursery is not None and self.process is not None:
            self.process.handle.send_signal(signal.SIGSTOP)
            self._nursery.start_soon(_resume, self.process, duration_s)

    async def call(self, command: Command, patience_s: float = CALL_S) -> object:
        """Have the worker carry out a command.

        Raises:
            OutOfRange: It says so. Down: It is away, or did not answer.
        """
        if self.process is None or not self._is_booted:
            raise self._calls.away()
        return await self._calls.call(command, self.process.say, patience_s)

    def view(self) -> GroupView:
        pid = self.process.handle.pid if self.process is not None else 0
        seen = {actor.id: actor for actor in self._actors}
        spec = next(one for one in self.mesh.atlas.tree.groups if one.name == self.spec.name)
        names = [name for child in spec.children for name in child.ids()]
        actors = tuple(seen.get(name, ActorView(name, "idle", 0, 0)) for name in names)
        return GroupView(
            self.spec.name,
            "worker",
            pid,
            self.incarnation,
            self.state,
            actors,
            self.lag_ms,
            self.last_end,
        )


async def _resume(process: WorkerProcess, after_s: float) -> None:
    await trio.sleep(after_s)
    process.handle.send_signal(signal.SIGCONT)
