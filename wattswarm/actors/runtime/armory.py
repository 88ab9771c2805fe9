"""The armed fault rules of a whole tree, as the root keeps them."""

from collections.abc import Awaitable, Callable, Iterator
from fnmatch import fnmatchcase
from itertools import count

import attrs
import trio

from wattswarm.actors.runtime.control import ArmOne, Command, Disarm
from wattswarm.actors.runtime.errors import OutOfRange
from wattswarm.actors.runtime.faults import FaultPlane
from wattswarm.actors.runtime.rule import Fault, FaultRule
from wattswarm.actors.runtime.spec import TreeSpec


@attrs.define(eq=False)
class Armory:
    """Arms rules in every process, since a channel's faults strike where its sender is."""

    spec: TreeSpec
    faults: FaultPlane
    in_workers: Callable[[Command], Awaitable[None]]
    _numbers: Iterator[int] = attrs.field(factory=lambda: count(1), init=False)
    _carried: dict[int, tuple[FaultRule, float]] = attrs.field(
        factory=dict[int, tuple[FaultRule, float]], init=False
    )
    """Rules that a new process gets, with the time they expire."""

    async def arm(self, rule: FaultRule) -> int:
        """Arm a rule everywhere and return its number.

        Raises:
            OutOfRange: It cannot be armed, or would kill the root.
        """
        if problem := rule.problem() or self._strikes_root(rule):
            raise OutOfRange(dial=rule.fault.value, reason=problem)
        number = next(self._numbers)
        self.faults.arm(number, rule)
        if rule.nth is None and rule.times is None:
            # A rule that counts is over with the process that counted: else "kill at the first
            # message" would kill every successor, too.
            self._carried[number] = (rule, trio.current_time() + rule.expires_s)
        await self.in_workers(ArmOne(number, rule))
        return number

    async def disarm(self, number: int | None = None) -> None:
        """Disarm a rule, or all of them."""
        self.faults.disarm(number)
        for one in [one for one in self._carried if number in (None, one)]:
            del self._carried[one]
        await self.in_workers(Disarm(number))

    def banner(self) -> tuple[str, ...]:
        """Return the armed rules as text; a banner is owed while there are any."""
        return tuple(str(rule) for rule in self.faults.rules())

    def for_new_process(self) -> tuple[tuple[int, FaultRule], ...]:
        """Return the rules for a process that starts now, with the time they have left."""
        now = trio.current_time()
        left = {number: (rule, until - now) for number, (rule, until) in self._carried.items()}
        return tuple(
            (number, attrs.evolve(rule, expires_s=left_s, after_s=0.0))
            for number, (rule, left_s) in left.items()
            if left_s > 0
        )

    def _strikes_root(self, rule: FaultRule) -> str | None:
        if rule.fault not in (Fault.KILL, Fault.PAUSE):
            return None
        for group, child in self.spec.children():
            if group.placement == "root" and any(
                fnmatchcase(name, rule.target) for name in child.ids()
            ):
                return f"{child.id} lives in the root process, which is not to be hit"
        return None
