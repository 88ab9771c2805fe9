"""Documents about executors."""

from collections.abc import Mapping
from typing import Literal

import attrs

from wattswarm.surface.words import Time

BreakerWord = Literal["closed", "open", "half_open"]


@attrs.frozen(kw_only=True)
class ExecutorSpec:
    """What an operator says about an executor; what is left out is the configuration's.

    The bearer token is named, never given: by a variable of the node's environment, or by a file
    that only the node's user can read.
    """

    name: str
    base_url: str
    profile: str = "default"
    task_types: tuple[str, ...] | None = None
    """Task types that it is used for; left out: what its capabilities say."""
    concurrency: int | None = None
    execute_ms: int | None = None
    verify_ms: int | None = None
    tries: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    token_env: str | None = None
    token_file: str | None = None


@attrs.frozen(kw_only=True)
class ExecutorView:
    """An executor as the node knows it."""

    name: str
    base_url: str
    profile: str
    task_types: tuple[str, ...]
    profiles: tuple[str, ...]
    provider: str
    model: str
    concurrency: int
    execute_ms: int
    verify_ms: int
    tries: int
    has_token: bool
    header_names: tuple[str, ...]
    in_flight: int
    breaker: BreakerWord
    is_healthy: bool | None
    """Null until it was first asked."""
    last_seen_at: Time | None
    last_error: str | None
    last_error_at: Time | None
    added_at: Time


@attrs.frozen(kw_only=True)
class ExecutorList:
    """All executors, by name."""

    items: tuple[ExecutorView, ...]


@attrs.frozen(kw_only=True)
class ExecutorCheck:
    """What asking an executor found; `ok` when it can be given work."""

    name: str
    ok: bool
    latency_ms: int | None
    task_types: tuple[str, ...]
    profiles: tuple[str, ...]
    provider: str
    model: str
    problems: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Removed:
    """Something is gone."""

    name: str
