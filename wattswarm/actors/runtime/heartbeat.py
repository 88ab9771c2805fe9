"""Whether a worker's loop is alive, judged from its pings: pure.

The judge must be awake to judge: when the root itself was late, whatever it missed proves
nothing, and the count begins anew. A stopped virtual machine must not shoot its children when it
is resumed.
"""

from enum import StrEnum

import attrs

JUDGE_LATE_S = 1.0
"""A check that comes this much late was itself kept from running."""


class Verdict(StrEnum):
    """What the silence means."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    HUNG = "hung"


@attrs.define
class Heartbeat:
    """The pings of one worker."""

    suspect_after_s: float
    hung_after_s: float
    """Longer than the former: from the last ping on."""
    heard_s: float
    _checked_s: float | None = None

    def on_ping(self, now_s: float) -> None:
        """A ping has come."""
        self.heard_s = now_s

    def check(self, now_s: float, interval_s: float) -> Verdict:
        """Judge, every `interval_s`."""
        before, self._checked_s = self._checked_s, now_s
        if before is not None and now_s - before > interval_s + JUDGE_LATE_S:
            self.heard_s = now_s
        silence_s = now_s - self.heard_s
        if silence_s >= self.hung_after_s:
            return Verdict.HUNG
        return Verdict.SUSPECT if silence_s >= self.suspect_after_s else Verdict.ALIVE
