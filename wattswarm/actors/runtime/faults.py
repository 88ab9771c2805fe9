"""The fault plane of one process: which armed rule, if any, fires at a point or on a channel.

Compiled in and off: an unarmed plane costs one attribute test per site. Arming is possible only
in a tree that was opened with `chaos_enabled`, and every rule expires by itself.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Lock

import attrs
import trio

from wattswarm.actors.runtime.errors import InjectedCrash
from wattswarm.actors.runtime.logs import strike_line
from wattswarm.actors.runtime.rule import ArmedRule, Fault, FaultRule

FOREVER_S = 3_600.0
"""A hang without a duration, in a thread, which nothing can cancel."""
PAUSE_TAKES_S = 0.2
"""Within this, the root has stopped a process that asked to be paused."""


def _not_paused(_: float) -> None:
    """The root process is not stopped."""


@attrs.define(eq=False)
class FaultPlane:
    """The armed rules of one process. `armed` is all that an unarmed site looks at."""

    pause: Callable[[float], None] = attrs.field(default=_not_paused)
    """Have this process stopped, and continued after so many seconds."""
    now: Callable[[], float] = trio.current_time
    on_strike: Callable[[int, str, str], None] = strike_line
    """Hears of each strike before it happens: the rule's number, the fault, and where. A process
    that is about to be killed must have said so by then: no waiting, no queue."""
    armed: bool = attrs.field(default=False, init=False)
    _rules: list[ArmedRule] = attrs.field(factory=list[ArmedRule], init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)
    _last_s: float = attrs.field(default=0.0, init=False)
    """The loop's clock as last seen: threads cannot ask trio for it."""

    def arm(self, number: int, rule: FaultRule) -> None:
        """Make a rule effective; `number` names it."""
        now = self._now()
        armed = ArmedRule(
            number, rule, now + rule.after_s, now + rule.expires_s, Random(rule.seed + number)
        )
        self._rules.append(armed)
        self.armed = True

    def disarm(self, number: int | None = None) -> None:
        """Take a rule away, or all of them."""
        self._rules = [one for one in self._rules if number is not None and one.id != number]
        self.armed = bool(self._rules)

    def rules(self) -> tuple[ArmedRule, ...]:
        """Return the rules that have not expired, forgetting those that have."""
        now = self._now()
        self._rules = [one for one in self._rules if one.until_s > now]
        self.armed = bool(self._rules)
        return tuple(self._rules)

    # -- points ----------------------------------------------------------------------------------

    async def before_handle(self, actor: str, message: object) -> None:
        """Pass the point before a handler, which has a variant for each class of message."""
        await self.pass_point(actor, "handle.before", type(message).__name__)

    async def after_handle(self, actor: str, message: object) -> None:
        """Pass the point between a handler's end and its answer."""
        await self.pass_point(actor, "handle.after", type(message).__name__)

    async def pass_point(self, actor: str, point: str, variant: str = "") -> None:
        """Let whatever is armed for this point happen.

        Raises:
            InjectedCrash: A crash is armed.
        """
        rule = self._at_point(actor, point, variant)
        match rule:
            case None:
                return
            case FaultRule(fault=Fault.HANG, duration_s=None):
                await trio.sleep_forever()
            case FaultRule(fault=Fault.HANG | Fault.SLOW):
                await trio.sleep(rule.duration_s or 0.0)
            case FaultRule(fault=Fault.PAUSE):
                self.pause(rule.duration_s or 0.0)
                await trio.sleep(PAUSE_TAKES_S)
            case _:
                self._strike(rule, actor, point)

    def pass_point_sync(self, actor: str, point: str) -> None:
        """Do the same from plain code, in a thread too.

        Raises:
            InjectedCrash: A crash is armed.
        """
        rule = self._at_point(actor, point, "")
        match rule:
            case None:
                return
            case FaultRule(fault=Fault.HANG | Fault.SLOW):
                time.sleep(FOREVER_S if rule.duration_s is None else rule.duration_s)
            case FaultRule(fault=Fault.PAUSE):
                self.pause(rule.duration_s or 0.0)
                time.sleep(PAUSE_TAKES_S)
            case _:
                self._strike(rule, actor, point)

    def _strike(self, rule: FaultRule, actor: str, point: str) -> None:
        match rule.fault:
            case Fault.CRASH:
                raise InjectedCrash(point=f"{actor}:{point}")
            case Fault.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Fault.BUSY:
                until = time.perf_counter() + (rule.duration_s or 0.0)
                while time.perf_counter() < until:
                    pass
            case _:
                raise AssertionError(rule)

    def _at_point(self, actor: str, point: str, variant: str) -> FaultRule | None:
        detail = f"{point}:{variant}"
        place = f"{actor}:{point}"
        return self._first(lambda one: one.is_at_point(actor, point, detail), place)

    # -- channels --------------------------------------------------------------------------------

    def on_channel(self, sender: str, actor: str) -> FaultRule | None:
        """Return the rule that fires for a message on its way, if one does."""
        return self._first(lambda one: one.is_on_channel(sender, actor), f"{sender}->{actor}")

    def _first(self, is_met: Callable[[ArmedRule], bool], place: str) -> FaultRule | None:
        now = self._now()
        with self._lock:
            for one in self._rules:
                if is_met(one) and one.fires(now):
                    self.on_strike(one.id, one.rule.fault.value, place)
                    return one.rule
        return None

    def _now(self) -> float:
        """Return the loop's time; in a thread, which has none, as it was last seen."""
        with suppress(RuntimeError):
            self._last_s = self.now()
        return self._last_s
