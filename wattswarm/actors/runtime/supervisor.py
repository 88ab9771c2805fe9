"""The trio shell around a supervisor's decisions: runs the children and carries out the actions.

Every child runs behind a boundary of its own that turns whatever it raises into an `Exit`: in a
bare nursery one child's error would cancel all of its siblings.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import trio

from wattswarm.actors.runtime.actions import (
    RUNNING,
    Action,
    Degraded,
    Finished,
    Halt,
    Phase,
    Restarting,
    Rules,
    Start,
    Wake,
)
from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.exit import Exit, ExitKind
from wattswarm.actors.runtime.supervision import Supervision


class Child(Protocol):
    """Something that can be run again and again: an actor, a group of them, a worker process."""

    @property
    def rules(self) -> Rules: ...

    @property
    def shutdown_s(self) -> float:
        """How long it may take to stop before it is killed."""
        ...

    async def run(self, ready: Callable[[], None]) -> Exit:
        """Live one incarnation to its end, whatever that is; raise nothing but `Cancelled`."""
        ...

    def stop(self) -> None:
        """Ask the incarnation to end."""
        ...

    def kill(self) -> None:
        """End the incarnation now."""
        ...

    def on_restart(self, why: Exit, delay_s: float) -> None:
        """Hear that it is going to be restarted."""
        ...

    def on_give_up(self, why: Exit) -> None:
        """Hear that it will not be restarted, or not soon."""
        ...


@attrs.define(eq=False)
class Supervisor:
    """Runs children under one `Supervision`; `run` returns when nothing of them is left."""

    name: str
    core: Supervision
    children: dict[str, Child]
    log: Logger
    _ready: Callable[[], None] = attrs.field(init=False)
    _nursery: trio.Nursery = attrs.field(init=False)
    _begun: dict[str, trio.Event] = attrs.field(factory=dict[str, trio.Event], init=False)
    _ended: dict[str, trio.Event] = attrs.field(factory=dict[str, trio.Event], init=False)
    _timer: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _finished: Exit | None = attrs.field(default=None, init=False)
    _is_stopping: bool = attrs.field(default=False, init=False)
    _is_running: bool = attrs.field(default=False, init=False)

    async def run(self, ready: Callable[[], None]) -> Exit:
        """Start all children in order and supervise them to the end; `ready` when all are ready."""
        self._ready = ready
        async with trio.open_nursery() as self._nursery:
            self._is_running = True
            rules = [child.rules for child in self.children.values()]
            self._carry_out(self.core.begin(rules, trio.current_time()))
            self._check_ready()
            if self._is_stopping:
                self.stop()
            await self._run_timer()
        assert self._finished is not None
        return self._finished

    def stop(self) -> None:
        """Stop all children in reverse order; `run` returns when that is done."""
        self._is_stopping = True
        if self._is_running:
            self._carry_out(self.core.end(Exit(ExitKind.SHUTDOWN, "stopped"), trio.current_time()))

    def restart(self, child: str, why: Exit) -> None:
        """Give a child a fresh start: stop it if it runs, start it, forget its failures."""
        self._carry_out(self.core.restart(child, why, trio.current_time()))

    async def retire(self, names: Sequence[str]) -> None:
        """Stop some children for good; return when they have ended."""
        self._carry_out(self.core.retire(names, trio.current_time()))
        for name in names:
            if self.core.phase(name) in RUNNING:
                await self._ended[name].wait()

    def adopt(self, former: Sequence[str], children: dict[str, Child]) -> None:
        """Supervise these children from now on, in this order, instead of the former ones."""
        self.children = children
        rules = [child.rules for child in children.values()]
        self._carry_out(self.core.adopt(former, rules, trio.current_time()))

    def kill(self) -> None:
        """End every child now, in no order."""
        self.stop()
        for child in self.children.values():
            child.kill()

    def phase(self, child: str) -> Phase:
        """Return where a child is."""
        return self.core.phase(child)

    async def _run_timer(self) -> None:
        """Tick whenever a time that was asked for comes, until the supervisor has finished."""
        while self._finished is None:
            with self._timer:
                await trio.sleep_forever()
            self._timer = trio.CancelScope()
            if self._finished is None:
                self._carry_out(self.core.tick(trio.current_time()))

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Start(child):
                    self._begun[child], self._ended[child] = trio.Event(), trio.Event()
                    self._nursery.start_soon(self._run_child, self.children[child])
                case Halt(child):
                    self._nursery.start_soon(self._stop_child, self.children[child])
                case Wake(at_s):
                    self._timer.deadline = min(self._timer.deadline, at_s)
                case Restarting(child, why, delay_s):
                    self.children[child].on_restart(why, delay_s)
                case Degraded(child, why):
                    self.children[child].on_give_up(why)
                    self._check_ready()
                case Finished(why):
                    self._finish(why)

    async def _run_child(self, child: Child) -> None:
        name = child.rules.id
        self._begun[name].set()
        why = await child.run(lambda: self._on_ready(name))
        self._ended[name].set()
        self._carry_out(self.core.on_exit(name, why, trio.current_time()))
        self._check_ready()

    async def _stop_child(self, child: Child) -> None:
        begun, ended = self._begun[child.rules.id], self._ended[child.rules.id]
        await begun.wait()  # what has not begun to run would forget that it was stopped
        child.stop()
        with trio.move_on_after(child.shutdown_s):
            await ended.wait()
        if not ended.is_set():
            self.log.warning("child stopped too slowly", child=child.rules.id)
            child.kill()

    def _on_ready(self, child: str) -> None:
        self._carry_out(self.core.on_ready(child, trio.current_time()))
        self._check_ready()

    def _check_ready(self) -> None:
        """Say `ready` once every child has been ready, is done or has been given up as optional."""
        away = (Phase.READY, Phase.DONE, Phase.DEGRADED)
        if all(self.core.phase(child) in away for child in self.children):
            self._ready()

    def _finish(self, why: Exit) -> None:
        for child in self.children.values():
            child.on_give_up(why)
        self._finished = why
        self._timer.cancel()
