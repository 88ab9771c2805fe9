"""Fault injection, where the configuration allows it; it always ends by itself."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import attrs

from wattswarm.actors.messages import RestartServer
from wattswarm.actors.runtime.errors import ActorError, OutOfRange
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.rule import CHANNEL_FAULTS, Fault, FaultRule
from wattswarm.actors.runtime.spec import ROOT, TreeSpec
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel.errors import Rejection
from wattswarm.operations.failing import of_actor_error
from wattswarm.surface.chaos import (
    ArmedFault,
    ChaosView,
    Disarmed,
    FaultOrder,
    FaultPoint,
    FaultPoints,
)
from wattswarm.surface.words import when

ANY_POINT: Final = "handle.before"
ARROW: Final = "->"
RESTART: Final = "restart"
DATABASE: Final = "postgres"
RESTART_S: Final = 40.0
"""Longest restart of the database: it recovers from its write-ahead log."""
MS: Final = 1_000
DISABLED: Final = Rejection(
    code="chaos_disabled",
    message="faults cannot be armed: set chaos.enabled, let the API listen on loopback, "
    "and start the node again",
)


@attrs.define(eq=False, kw_only=True)
class Chaos:
    """`ChaosOperations` over the tree; it remembers orders, to tell of them as they were given."""

    tree: TreeControl
    is_enabled: bool
    rule_ms_max: int
    clock: Clock
    ref: Callable[[str], Ref[Any]]
    _armed: dict[int, ArmedFault] = attrs.field(factory=dict[int, ArmedFault], init=False)
    _struck_before: int = attrs.field(default=0, init=False)

    async def fault_points(self) -> FaultPoints | Rejection:
        """Return all named places."""
        if not self.is_enabled:
            return DISABLED
        placements = _placements(self.tree.spec)
        return FaultPoints(
            items=tuple(
                FaultPoint(name=point, actor=actor, placement=placements[actor])
                for actor, points in self.tree.points().items()
                for point in points
            )
        )

    async def faults(self) -> ChaosView | Rejection:
        """Return what is armed."""
        if not self.is_enabled:
            return DISABLED
        armed = tuple(self._refresh().values())
        total = self._struck_before + sum(fault.struck for fault in armed)
        return ChaosView(enabled=True, armed=armed, struck_total=total)

    async def arm(self, order: FaultOrder) -> ArmedFault | Rejection:
        """Arm a fault."""
        if not self.is_enabled:
            return DISABLED
        if order.fault == RESTART:
            return await self._restart(order)
        rule = self._rule(order)
        if isinstance(rule, Rejection):
            return rule
        if (refusal := _pointless(rule, self.tree.points())) is not None:
            return refusal
        try:
            number = await self.tree.arm(rule)
        except OutOfRange as error:
            return _invalid(error.reason)
        except ActorError as error:
            return of_actor_error(error)
        expires_ms = self.clock.wall_ms() + order.for_ms
        armed = ArmedFault(fault_id=number, order=order, struck=0, expires_at=when(expires_ms))
        self._armed[number] = armed
        return armed

    async def _restart(self, order: FaultOrder) -> ArmedFault | Rejection:
        """Restart the database without a checkpoint, as a crash would; over when this returns."""
        if order.target != DATABASE:
            return _invalid(f"only {DATABASE} is restarted so; to restart an actor, restart it")
        try:
            await self.ref(DATABASE).ask(RestartServer(), deadline_s=RESTART_S)
        except ActorError as error:
            return of_actor_error(error)
        self._struck_before += 1
        now = when(self.clock.wall_ms())
        return ArmedFault(fault_id=0, order=order, struck=1, expires_at=now)

    async def disarm(self, fault_id: int | None) -> Disarmed | Rejection:
        """Disarm a fault, or all of them."""
        if not self.is_enabled:
            return DISABLED
        chosen = [number for number in self._refresh() if fault_id in (None, number)]
        try:
            await self.tree.disarm(fault_id)
        except ActorError as error:
            return of_actor_error(error)
        for number in chosen:
            self._struck_before += self._armed.pop(number).struck
        return Disarmed(count=len(chosen))

    def _refresh(self) -> Mapping[int, ArmedFault]:
        """Return what is still armed, with its counts; what has expired is forgotten."""
        rules = {rule.id: rule for rule in self.tree.rules()}
        for number, armed in list(self._armed.items()):
            if number in rules:
                self._armed[number] = attrs.evolve(armed, struck=rules[number].fired)
            else:
                self._struck_before += self._armed.pop(number).struck
        return self._armed

    def _rule(self, order: FaultOrder) -> FaultRule | Rejection:
        """Return the rule that an order means."""
        if not 1 <= order.for_ms <= self.rule_ms_max:
            return _invalid(f"for_ms is 1 to {self.rule_ms_max}")
        if not (1 <= order.percent <= 100 and order.nth >= 1 and order.times >= 1):
            return _invalid("percent is 1 to 100; nth and times are at least 1")
        if order.nth > 1 and (order.times > 1 or order.percent < 100):
            return _invalid("the nth passing is one: leave times and percent out beside nth")
        if order.delay_ms < 0:
            return _invalid("delay_ms is not negative")
        fault = Fault(order.fault)
        sender, arrow, target = order.target.partition(ARROW)
        if not arrow:
            sender, target = "*", order.target
        if arrow and fault not in CHANNEL_FAULTS:
            return _invalid(f"{order.fault} strikes at an actor, not on a channel")
        return FaultRule(
            fault=fault,
            target=target.strip(),
            point=order.point or ANY_POINT,
            sender=sender.strip(),
            nth=order.nth if order.times == 1 and order.percent == 100 else None,
            probability=order.percent / 100,
            times=order.times,
            duration_s=order.delay_ms / MS if order.delay_ms else None,
            expires_s=order.for_ms / MS,
            seed=order.seed,
        )


def _pointless(rule: FaultRule, points: Mapping[str, Sequence[str]]) -> Rejection | None:
    """Return why a rule would never strike: no actor is called so, or passes such a point."""
    name, _, _ = rule.target.partition("/")
    place, _, _ = rule.point.partition(":")
    passed = [point for actor in points if fnmatchcase(actor, name) for point in points[actor]]
    if not passed:
        return _invalid(f"there is no actor {rule.target}; there are {', '.join(points)}")
    if rule.fault in CHANNEL_FAULTS or any(fnmatchcase(point, place) for point in passed):
        return None
    return _invalid(f"{rule.target} passes no point {place}; it passes {', '.join(passed)}")


def _placements(spec: TreeSpec) -> Mapping[str, str]:
    return {
        child.id: ROOT if group.placement == ROOT else group.name
        for group, child in spec.children()
    }


def _invalid(message: str) -> Rejection:
    return Rejection(code="fault_invalid", message=message)
