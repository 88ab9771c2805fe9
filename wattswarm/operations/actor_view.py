"""Actors, groups and processes as people see them; from the runtime's words to ours."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import attrs

from wattswarm.actors.runtime.dials import dial_specs
from wattswarm.actors.runtime.exit import CrashReport
from wattswarm.actors.runtime.histogram import Quantiles
from wattswarm.actors.runtime.spec import ROOT, ChildSpec, GroupSpec, TreeSpec
from wattswarm.actors.runtime.stats import ActorStats as Reading
from wattswarm.actors.runtime.view import ActorView, GroupView, TreeView
from wattswarm.surface.actor import ActorState, ActorStats, CrashView, DialView, TreeNode
from wattswarm.surface.words import Time, when

STATES: Final[Mapping[str, ActorState]] = {
    "idle": "idle",
    "starting": "starting",
    "running": "ready",
    "ready": "ready",
    "suspended": "suspended",
    "restarting": "restarting",
    "recycling": "restarting",
    "backing off": "backing_off",
    "suspect": "degraded",
    "degraded": "degraded",
    "crashed": "crashed",
    "down": "restarting",
    "stopping": "stopped",
    "stopped": "stopped",
    "ended": "stopped",
}
"""The runtime's words for states; `waiting for …` is the one that is open."""

US: Final = 1_000_000
MS: Final = 1_000
SECRET_ARGS: Final = frozenset({"dsn", "values", "sources"})
"""Arguments that may hold a password, or are shown elsewhere."""


def state_of(word: str) -> ActorState:
    """Return our word for a state of the runtime."""
    return "waiting" if word.startswith("waiting") else STATES[word]


@attrs.frozen
class Named:
    """Every actor and instance of a tree by its name, with its specification and group."""

    group: GroupSpec
    child: ChildSpec


def named(spec: TreeSpec) -> Mapping[str, Named]:
    """Return all actors by the name of each instance, and by the name that stands for all."""
    found: dict[str, Named] = {}
    for group, child in spec.children():
        for name in (child.id, *child.ids()):
            found[name] = Named(group, child)
    return found


def restarts_in(view: TreeView) -> int:
    """Return how often anything was restarted: actors, and groups with all of theirs."""
    return sum(
        max(group.incarnation - 1, 0) + sum(actor.restarts for actor in group.actors)
        for group in view.groups
    )


# --- the tree -------------------------------------------------------------------------------------


def tree_node(spec: TreeSpec, view: TreeView, readings: Mapping[str, Reading]) -> TreeNode:
    """Return the tree from its root; `readings` are of the actors that could be asked."""
    groups = {group.name: group for group in view.groups}
    children = tuple(
        _group_node(group, groups[group.name], view, readings) for group in spec.groups
    )
    return TreeNode(
        name=ROOT,
        kind="root",
        state=state_of(view.state),
        pid=view.pid,
        incarnation=1,
        restart="one_for_one",
        restarts=sum(max(group.incarnation - 1, 0) for group in view.groups),
        uptime_ms=None,
        children=children,
    )


def _group_node(
    group: GroupSpec, view: GroupView, tree: TreeView, readings: Mapping[str, Reading]
) -> TreeNode:
    specs = {name: child for child in group.children for name in child.ids()}
    pid = view.pid or (tree.pid if group.placement == ROOT else None)
    return TreeNode(
        name=group.name,
        kind="supervisor" if group.placement == ROOT else "group",
        state=state_of(view.state),
        pid=pid,
        incarnation=view.incarnation,
        restart=group.strategy.value,
        restarts=max(view.incarnation - 1, 0),
        uptime_ms=None,
        last_end=view.last_end or None,
        children=tuple(_actor_node(specs[actor.id], actor, pid, readings) for actor in view.actors),
    )


def _actor_node(
    child: ChildSpec, actor: ActorView, pid: int | None, readings: Mapping[str, Reading]
) -> TreeNode:
    reading = readings.get(actor.id)
    return TreeNode(
        name=actor.id,
        kind="actor",
        state=state_of(actor.state if reading is None else reading.state),
        pid=pid,
        incarnation=actor.incarnation,
        restart=child.restart.value,
        restarts=actor.restarts,
        uptime_ms=None,
        last_error=None if reading is None else reading.last_error,
        last_end=actor.last_end or None,
    )


# --- one actor ------------------------------------------------------------------------------------


def stats_view(
    reading: Reading, found: Named, pid: int | None, reverts: Mapping[str, Time]
) -> ActorStats:
    """Return one actor's reading; `reverts` tells when dials turn back by themselves."""
    return ActorStats(
        name=reading.actor,
        placement=ROOT if found.group.placement == ROOT else found.group.name,
        pid=pid,
        state=state_of(reading.state),
        incarnation=reading.incarnation,
        restarts=reading.restarts,
        inbox_depth=reading.depth,
        inbox_capacity=reading.capacity,
        oldest_ms=int(reading.oldest_age_s * MS),
        in_hand=reading.in_hand,
        handled=reading.handled,
        in_per_s=round(reading.in_per_s, 2),
        done_per_s=round(reading.out_per_s, 2),
        busy_percent=round(reading.busy_share * 100, 1),
        wait_p50_us=int(reading.wait.p50_s * US),
        wait_p99_us=int(reading.wait.p99_s * US),
        handle_p50_us=int(reading.handle.p50_s * US),
        handle_p99_us=int(reading.handle.p99_s * US),
        handle_max_us=int(reading.handle.max_s * US),
        shed=reading.shed,
        refused=reading.refused,
        expired=reading.expired,
        dead_letters=reading.dead_letters,
        last_error=reading.last_error,
        dials=_dials(reading, found.child, reverts),
    )


def _dials(reading: Reading, child: ChildSpec, reverts: Mapping[str, Time]) -> tuple[DialView, ...]:
    return tuple(
        DialView(
            name=name,
            wanted=reading.dials[name],
            effective=reading.dials[name],
            least=spec.minimum,
            most=spec.maximum,
            is_live=spec.is_live,
            reverts_at=reverts.get(name),
        )
        for name, spec in dial_specs(child).items()
        if name in reading.dials
    )


def silent(actor: ActorView) -> Reading:
    """Return the reading of an actor whose process is away: what the root knows, and no counts."""
    return Reading(
        actor=actor.id,
        state=actor.state,
        incarnation=actor.incarnation,
        restarts=actor.restarts,
        depth=0,
        capacity=0,
        oldest_age_s=0.0,
        received=0,
        handled=0,
        in_per_s=0.0,
        out_per_s=0.0,
        busy_share=0.0,
        wait=Quantiles(),
        handle=Quantiles(),
        in_hand=0,
        refused=0,
        shed=0,
        expired=0,
        cancelled=0,
        late_answers=0,
        dead_letters=0,
        last_error=None,
        dials={},
        dials_wanted=0,
        dials_effective=0,
    )


def crash_view(at_ms: int, report: CrashReport) -> CrashView:
    """Return one crash."""
    culprit = report.in_hand[0] if report.in_hand else None
    return CrashView(
        at=when(at_ms),
        incarnation=report.incarnation,
        error=f"{report.kind}: {report.message}",
        message_type=None if culprit is None else culprit.kind,
        message_id=None if culprit is None else str(culprit.id),
        traceback=report.traceback,
    )


def spec_view(child: ChildSpec) -> Mapping[str, object]:
    """Return an actor's specification, without what may be secret."""
    shown = cast("dict[str, Any]", _plain(attrs.asdict(child)))
    shown["args"] = {
        name: "…" if name in SECRET_ARGS else value for name, value in shown["args"].items()
    }
    return shown


def _plain(value: object) -> object:
    match value:
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            return {name: _plain(item) for name, item in items}
        case list() | tuple():
            return [_plain(item) for item in cast("Sequence[object]", value)]
        case bytes():
            return value.hex()
        case _:
            return value
