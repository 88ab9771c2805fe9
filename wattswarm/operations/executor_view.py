"""An executor as people see it: its settings, and how the dispatcher last found it."""

from typing import Final

import attrs
import msgspec

from wattswarm.executors.settings import ExecutorSettings
from wattswarm.surface.executor import BreakerWord, ExecutorView
from wattswarm.surface.words import Time, when


@attrs.frozen(kw_only=True)
class Condition:
    """What the dispatcher says about one executor in its snapshot."""

    is_healthy: bool | None = None
    profiles: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    provider: str = ""
    model: str = ""
    seen_ms: int | None = None
    error: str | None = None
    error_ms: int | None = None
    in_flight: int = 0
    breaker: BreakerWord = "closed"


UNKNOWN: Final = Condition()
"""Of an executor that the dispatcher has not met yet, or whose dispatcher is away."""


def read_condition(value: object) -> Condition:
    """Return what a snapshot says; it comes from a process of our own."""
    return msgspec.convert(value, Condition)


def executor_view(
    settings: ExecutorSettings, condition: Condition | None, tries: int
) -> ExecutorView:
    """Return everything about one executor; `tries` is what holds where it says nothing."""
    now = condition or UNKNOWN
    return ExecutorView(
        name=settings.name,
        base_url=settings.base_url,
        profile=settings.profile,
        task_types=settings.task_types or now.task_types,
        profiles=now.profiles,
        provider=now.provider,
        model=now.model,
        concurrency=settings.concurrency,
        execute_ms=settings.timeout_ms,
        verify_ms=settings.verify_timeout_ms or settings.timeout_ms,
        tries=settings.tries or tries,
        has_token=settings.bearer_token_env is not None or settings.bearer_token_file is not None,
        header_names=tuple(sorted(settings.headers)),
        in_flight=now.in_flight,
        breaker=now.breaker,
        is_healthy=now.is_healthy,
        last_seen_at=_time(now.seen_ms),
        last_error=now.error,
        last_error_at=_time(now.error_ms),
        added_at=when(settings.added_ms),
    )


def _time(ms: int | None) -> Time | None:
    return None if ms is None else when(ms)
