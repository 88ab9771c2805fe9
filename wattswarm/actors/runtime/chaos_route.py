"""Channel faults: what an armed rule does to one message on its way, in a process or between two.

The wrapper exists only in a tree with `chaos_enabled`, and while no rule is armed it costs an
attribute test.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import attrs
import trio

from wattswarm.actors.runtime.errors import Down, Execution, TooSlow
from wattswarm.actors.runtime.faults import FaultPlane
from wattswarm.actors.runtime.ref import Route
from wattswarm.actors.runtime.rule import Fault, FaultRule

REORDER_S = 0.05
"""A message that is to be overtaken waits this long, unless the rule says otherwise."""


@attrs.frozen(eq=False)
class ChaosRoute:
    """A route on which messages may be dropped, delayed, doubled, overtaken or damaged."""

    actor: str
    route: Route
    faults: FaultPlane
    start_soon: Callable[[Callable[[], Awaitable[object]]], None]
    """Runs something beside the sender, for as long as the process's tree lasts."""

    def tell(self, msg: object, sender: str) -> Coroutine[Any, Any, bool]:
        if self.faults.armed:
            return self._tell(msg, sender)
        return self.route.tell(msg, sender)

    def offer(self, msg: object, sender: str) -> bool:
        if self.faults.armed:
            return self._offer(msg, sender)
        return self.route.offer(msg, sender)

    def ask(self, msg: object, sender: str, deadline_s: float) -> Coroutine[Any, Any, object]:
        if self.faults.armed:
            return self._ask(msg, sender, deadline_s)
        return self.route.ask(msg, sender, deadline_s)

    def load(self) -> int:
        return self.route.load()

    def damage(self, msg: object, sender: str) -> None:
        self.route.damage(msg, sender)

    async def _tell(self, msg: object, sender: str) -> bool:
        rule = self.faults.on_channel(sender, self.actor)
        match rule:
            case FaultRule(fault=Fault.DROP):
                return True
            case FaultRule(fault=Fault.DELAY):
                await trio.sleep(rule.duration_s or 0.0)
            case FaultRule(fault=Fault.DUPLICATE):
                await self.route.tell(msg, sender)
            case FaultRule(fault=Fault.REORDER):
                self.start_soon(lambda: self._tell_late(rule, msg, sender))
                return True
            case FaultRule(fault=Fault.CORRUPT):
                self.route.damage(msg, sender)
                return True
            case _:
                pass
        return await self.route.tell(msg, sender)

    async def _tell_late(self, rule: FaultRule, msg: object, sender: str) -> None:
        await trio.sleep(REORDER_S if rule.duration_s is None else rule.duration_s)
        await self.route.tell(msg, sender)

    def _offer(self, msg: object, sender: str) -> bool:
        rule = self.faults.on_channel(sender, self.actor)
        match rule:
            case FaultRule(fault=Fault.DROP):
                return True
            case FaultRule(fault=Fault.DELAY | Fault.REORDER):
                self.start_soon(lambda: self._tell_late(rule, msg, sender))
                return True
            case FaultRule(fault=Fault.DUPLICATE):
                self.route.offer(msg, sender)
            case FaultRule(fault=Fault.CORRUPT):
                self.route.damage(msg, sender)
                return True
            case _:
                pass
        return self.route.offer(msg, sender)

    async def _ask(self, msg: object, sender: str, deadline_s: float) -> object:
        rule = self.faults.on_channel(sender, self.actor)
        match rule:
            case FaultRule(fault=Fault.DROP):
                await trio.sleep(deadline_s)
                raise TooSlow(actor=self.actor, deadline_s=deadline_s)
            case FaultRule(fault=Fault.DELAY | Fault.REORDER):
                delay_s = min(rule.duration_s or REORDER_S, deadline_s)
                await trio.sleep(delay_s)
                deadline_s -= delay_s
            case FaultRule(fault=Fault.DUPLICATE):
                await self.route.tell(msg, sender)
            case FaultRule(fault=Fault.CORRUPT):
                self.route.damage(msg, sender)
                maybe = Execution.MAYBE_EXECUTED
                raise Down(actor=self.actor, execution=maybe, reason="damaged on its way")
            case _:
                pass
        return await self.route.ask(msg, sender, deadline_s)


def with_damage(raw: bytes) -> bytes:
    """Return the bytes with one bit flipped, in the middle."""
    damaged = bytearray(raw)
    damaged[len(damaged) // 2] ^= 0x10
    return bytes(damaged)
