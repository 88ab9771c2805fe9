"""A fault rule as data: what goes wrong, where, when, for how long, and until when."""

from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Final

import attrs

EXPIRY_S_MAX: Final = 3_600.0
"""No rule outlives an hour: whoever wants more arms it again."""

GENERIC_POINTS: Final = (
    "recover.before",
    "recover.after",
    "handle.before",
    "handle.after",
    "stopping.before",
)
"""Points that the runtime passes for actors, beside those that their class declares."""


class Fault(StrEnum):
    """What can go wrong. The first six happen at points, the other five on channels."""

    CRASH = "crash"
    KILL = "kill"
    PAUSE = "pause"
    """SIGSTOP, and SIGCONT after the duration."""
    HANG = "hang"
    """Waits without end, or for the duration."""
    BUSY = "busy"
    """Computes without yielding, for the duration."""
    SLOW = "slow"
    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    """Lets the next message on the channel overtake, or waits for the duration."""
    CORRUPT = "corrupt"


POINT_FAULTS: Final = frozenset(
    {Fault.CRASH, Fault.KILL, Fault.PAUSE, Fault.HANG, Fault.BUSY, Fault.SLOW}
)
CHANNEL_FAULTS: Final = frozenset(Fault) - POINT_FAULTS


@attrs.frozen(kw_only=True)
class FaultRule:
    """One fault. Names are shell patterns, so `*` and `projection_builder/*` work.

    It fires at the `nth` passing, or at each with `probability`, at most `times` times, from
    `after_s` until `expires_s` after arming.
    """

    fault: Fault
    target: str
    """Actor at whose point, or on whose incoming channel, it fires."""
    point: str = "handle.before"
    """Point, for point faults; `handle.before:Append` is for messages of one class."""
    sender: str = "*"
    """Sending actor, for channel faults."""
    nth: int | None = None
    probability: float = 1.0
    times: int | None = None
    duration_s: float | None = None
    after_s: float = 0.0
    expires_s: float = 60.0
    seed: int = 0

    def problem(self) -> str | None:
        """Return why the rule cannot be armed, if it cannot."""
        if not 0 < self.expires_s <= EXPIRY_S_MAX:
            return f"a rule expires within {EXPIRY_S_MAX:g} s"
        if not 0 <= self.probability <= 1:
            return "a probability is between 0 and 1"
        if self.nth is not None and self.nth < 1:
            return "the first passing is number 1"
        if self.fault in (Fault.BUSY, Fault.PAUSE) and self.duration_s is None:
            return f"{self.fault.value} needs a duration"
        return None


@attrs.define(eq=False)
class ArmedRule:
    """A rule with its counts, its dice and its times on trio's clock."""

    id: int
    rule: FaultRule
    from_s: float
    until_s: float
    dice: Random
    passed: int = 0
    fired: int = 0

    def is_at_point(self, actor: str, point: str, detail: str) -> bool:
        """Tell whether this is a passing of the rule's point."""
        rule = self.rule
        if rule.fault not in POINT_FAULTS or not fnmatchcase(actor, rule.target):
            return False
        return fnmatchcase(point, rule.point) or fnmatchcase(detail, rule.point)

    def is_on_channel(self, sender: str, actor: str) -> bool:
        """Tell whether this is a message on the rule's channel."""
        rule = self.rule
        if rule.fault not in CHANNEL_FAULTS or not fnmatchcase(actor, rule.target):
            return False
        return fnmatchcase(sender, rule.sender)

    def fires(self, now_s: float) -> bool:
        """Count a passing and tell whether the rule fires at it."""
        rule = self.rule
        if not self.from_s <= now_s < self.until_s:
            return False
        if rule.times is not None and self.fired >= rule.times:
            return False
        self.passed += 1
        if rule.nth is not None:
            is_due = self.passed == rule.nth
        else:
            is_due = rule.probability >= 1 or self.dice.random() < rule.probability
        self.fired += is_due
        return is_due

    def __str__(self) -> str:
        rule = self.rule
        place = rule.point if rule.fault in POINT_FAULTS else f"channel from {rule.sender}"
        return f"#{self.id} {rule.fault.value} at {rule.target} {place} (fired {self.fired} times)"
