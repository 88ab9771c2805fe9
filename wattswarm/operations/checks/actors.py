"""Whether the actors, the work in their hands and what they left are well."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.operations.checks.well import ok
from wattswarm.operations.health import WELL
from wattswarm.operations.reading import LocalSession
from wattswarm.store.connection import Connection
from wattswarm.store.local import DeadLetters
from wattswarm.surface.node import Finding

LETTERS_READ: Final = 100


async def check_actors(tree: TreeControl) -> Sequence[Finding]:
    """Return which actors are not well, which are suspended, and which faults are armed."""
    view = tree.describe()
    readings = {reading.actor: reading for reading in await tree.stats()}
    actors = [actor for group in view.groups for actor in group.actors]
    findings = [
        _unwell(actor.id, actor.state, readings.get(actor.id))
        for actor in actors
        if actor.state not in WELL
    ]
    suspended = (one.actor for one in readings.values() if one.state == "suspended")
    findings += [_suspended(name) for name in suspended]
    findings += [_armed(rule) for rule in view.armed]
    return findings or (ok("actors", f"all {len(actors)} actors are well"),)


async def check_work(tree: TreeControl) -> Sequence[Finding]:
    """Return whether tasks are set aside."""
    return (work_finding(await tree.inspect("executor_dispatcher")),)


async def check_letters(local: LocalSession) -> Sequence[Finding]:
    """Return whether messages crashed their actors too often."""
    count, owners = await local.run(_letters)
    if not count:
        return (ok("dead letters", "there is none"),)
    message = f"{count} messages crashed their actors too often: {', '.join(sorted(owners))}"
    remedy = "see `wattswarm actors dead-letters list`; retry them once the cause is mended"
    return (Finding(area="dead letters", level="warning", message=message, remedy=remedy),)


def _letters(session: Connection) -> tuple[int, set[str]]:
    letters = DeadLetters(session)
    return letters.count(), {each.actor for each in letters.letters(limit=LETTERS_READ)}


def work_finding(told: Mapping[str, Any]) -> Finding:
    """Return what is to be said of the dispatcher's tasks, by its snapshot; it may have none."""
    if "set_aside" not in told:
        return Finding(
            area="work",
            level="warning",
            message="executor_dispatcher cannot be asked now: it is starting, or busy",
            remedy="ask again; `wattswarm actors top` tells how it is",
        )
    count = told["set_aside"]["count"]
    return _set_aside(count) if count else ok("work", "no task is set aside")


def _set_aside(count: int) -> Finding:
    return Finding(
        area="work",
        level="error",
        message=f"{count} tasks are set aside, by a bug of this program; they are tried again",
        remedy="`wattswarm actors inspect executor_dispatcher` names them and what failed",
    )


def _unwell(actor: str, state: str, reading: ActorStats | None) -> Finding:
    error = None if reading is None else reading.last_error
    return Finding(
        area="actors",
        level="error" if state in ("crashed", "degraded", "down") else "warning",
        message=f"{actor} is {state}" + (f": {error}" if error else ""),
        remedy=f"`wattswarm actors inspect {actor}` has its crashes; it is restarted by itself",
    )


def _suspended(actor: str) -> Finding:
    return Finding(
        area="actors",
        level="warning",
        message=f"{actor} is suspended",
        remedy=f"`wattswarm actors resume {actor}`",
    )


def _armed(rule: str) -> Finding:
    return Finding(
        area="actors",
        level="warning",
        message=f"a fault is armed: {rule}",
        remedy="`wattswarm chaos disarm`, or wait until it expires",
    )
