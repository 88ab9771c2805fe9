"""When a child may be restarted and how long that waits: pure accounting, dice and time come in."""

from collections import deque

import attrs

from wattswarm.actors.runtime.spec import Backoff, Intensity

OPTIONAL_RETRY_S = 300.0
"""An optional child that was given up is tried again after this long."""


@attrs.define
class Window:
    """The restarts within a sliding period; it never holds more of them than are allowed, plus
    one."""

    intensity: Intensity
    _at_s: deque[float] = attrs.field(factory=deque[float])

    def allows(self, now_s: float) -> bool:
        """Count a restart at `now_s` and tell whether it is still within the intensity."""
        self._at_s.append(now_s)
        while self._at_s[0] <= now_s - self.intensity.period_s:
            self._at_s.popleft()
        if len(self._at_s) <= self.intensity.restarts:
            return True
        self._at_s.popleft()
        return False

    def forget(self) -> None:
        """Begin anew: the child was given a fresh start on purpose."""
        self._at_s.clear()


@attrs.define
class Delay:
    """The back-off of one child. Health of less than `reset_after_s` does not make it shorter."""

    backoff: Backoff
    _failures: int = 0

    def after_failure(self, ran_s: float, dice: float) -> float:
        """Return how long to wait before the next start.

        Args:
            ran_s: How long the child was ready before it failed. dice: Uniform in [0, 1).
        """
        assert 0.0 <= dice < 1.0, dice
        if ran_s >= self.backoff.reset_after_s:
            self._failures = 0
        self._failures += 1
        if self._failures == 1:
            return 0.0
        # The exponent is kept small, since 2.0 ** 1 100 would overflow after a night of failures.
        doubled = self.backoff.base_s * 2.0 ** min(self._failures - 2, 64)
        return dice * min(self.backoff.cap_s, doubled)

    def forget(self) -> None:
        """Begin anew."""
        self._failures = 0
