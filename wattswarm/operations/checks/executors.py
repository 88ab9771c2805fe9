"""Whether there are executors, and whether each of them answers."""

from collections.abc import Sequence

import trio

from wattswarm.executors.settings import ExecutorSettings
from wattswarm.operations.checks.well import ok
from wattswarm.operations.executors import Executors
from wattswarm.surface.executor import ExecutorCheck
from wattswarm.surface.node import Finding


async def check_executors(executors: Executors) -> Sequence[Finding]:
    """Return how each executor answers, by name; all are asked at once."""
    known = await executors.all()
    if not known:
        return (_none(),)
    checks: dict[str, ExecutorCheck] = {}

    async def check(settings: ExecutorSettings) -> None:
        checks[settings.name] = await executors.check(settings)

    async with trio.open_nursery() as nursery:
        for settings in known:
            nursery.start_soon(check, settings)
    return tuple(_executor(checks[name]) for name in sorted(checks))


def _none() -> Finding:
    return Finding(
        area="executors",
        level="warning",
        message="there is none, so nobody works on tasks",
        remedy="`wattswarm executors add NAME URL`",
    )


def _executor(check: ExecutorCheck) -> Finding:
    if check.ok:
        who = f"{check.provider}/{check.model}"
        return ok("executors", f"{check.name} ({who}) answers in {check.latency_ms} ms")
    return Finding(
        area="executors",
        level="error",
        message=f"{check.name}: {'; '.join(check.problems)}",
        remedy=f"start it, or change its address: `wattswarm executors add {check.name} URL`; "
        f"`wattswarm executors check {check.name}` asks again",
    )
