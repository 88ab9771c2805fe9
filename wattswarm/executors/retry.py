"""Which calls are made again, how long to wait before, and when that ends. Pure."""

from typing import Final, Protocol

import attrs

from wattswarm.executors.errors import ExecutorError, ExecutorRefused, ExecutorUnavailable

PASSING_STATUSES: Final = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that say "not now" rather than "no". Source: RFC 9110, section 15; RFC 6585."""

RETRY_AFTER_MS_MAX: Final = 60_000


class Dice(Protocol):
    """Where jitter comes from."""

    def random(self) -> float:
        """Return a number of 0 to below 1."""
        ...


@attrs.frozen(kw_only=True)
class RetryLimits:
    """How often a call is made, and how far apart."""

    attempts_max: int = 4
    backoff_ms_min: int = 100
    backoff_ms_max: int = 5_000


def is_passing(error: ExecutorError) -> bool:
    """Tell whether the same call may succeed a little later."""
    match error:
        case ExecutorUnavailable():
            return True
        case ExecutorRefused(status=status):
            return status in PASSING_STATUSES
        case _:
            return False


def pause_ms(error: ExecutorError, attempt: int, limits: RetryLimits, dice: Dice) -> int | None:
    """Return how long to wait after failure number `attempt` (1 is the first), or None to give up.

    The wait doubles up to its bound and is spread over its upper half, so that callers which failed
    together do not come back together; never shorter than the executor asked for.
    """
    if attempt >= limits.attempts_max or not is_passing(error):
        return None
    full_ms = min(limits.backoff_ms_min << (attempt - 1), limits.backoff_ms_max)
    spread_ms = full_ms // 2 + int(full_ms / 2 * dice.random())
    return max(spread_ms, _asked_ms(error))


def _asked_ms(error: ExecutorError) -> int:
    match error:
        case ExecutorUnavailable(retry_after_ms=int() as asked):
            return min(asked, RETRY_AFTER_MS_MAX)
        case ExecutorRefused(retry_after_ms=int() as asked):
            return min(asked, RETRY_AFTER_MS_MAX)
        case _:
            return 0
