"""What one peer may take of this node: bytes and sessions in a minute. More is answered BUSY."""

from collections import deque
from typing import Final

import attrs

MINUTE_MS: Final = 60_000
BYTES_A_MINUTE: Final = 4_000_000
SESSIONS_A_MINUTE: Final = 3


@attrs.define
class Allowance:
    """Of one peer. Bytes come back evenly; a session counts for a minute from its beginning."""

    _counted_at: int
    _bytes_left: int = attrs.field(init=False, default=BYTES_A_MINUTE)
    _sessions: deque[int] = attrs.field(init=False, factory=lambda: deque(maxlen=SESSIONS_A_MINUTE))

    def spend(self, size: int, now_ms: int) -> None:
        """Count bytes that were sent to the peer, or taken from it; never refuses afterwards."""
        self._come_back(now_ms)
        self._bytes_left = max(-BYTES_A_MINUTE, self._bytes_left - size)

    def begin_session(self, now_ms: int) -> None:
        """Count a session, whichever side began it."""
        self._sessions.append(now_ms)

    def wait_ms(self, now_ms: int) -> int:
        """Return how long the peer has to wait before it gets anything; 0 when it need not."""
        self._come_back(now_ms)
        lacking = 1 - self._bytes_left
        return max(0, -(-lacking * MINUTE_MS // BYTES_A_MINUTE))

    def session_wait_ms(self, now_ms: int) -> int:
        """Return how long it has to wait before another session may begin."""
        wait = self.wait_ms(now_ms)
        if len(self._sessions) < SESSIONS_A_MINUTE:
            return wait
        return max(wait, self._sessions[0] + MINUTE_MS - now_ms)

    def _come_back(self, now_ms: int) -> None:
        passed = max(0, now_ms - self._counted_at)
        back = passed * BYTES_A_MINUTE // MINUTE_MS
        self._bytes_left = min(BYTES_A_MINUTE, self._bytes_left + back)
        if back:
            self._counted_at = now_ms
