"""The supervision tree: looked at, tuned, and acted upon."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs
import trio

from wattswarm.actors.runtime.dials import check_dial, dial_specs
from wattswarm.actors.runtime.errors import ActorError, OutOfRange
from wattswarm.actors.runtime.spec import ROOT, GroupSpec
from wattswarm.actors.runtime.stats import ActorStats as Reading
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.view import ActorView
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.errors import ConfigError
from wattswarm.config.load import SETTINGS
from wattswarm.config.saving import save
from wattswarm.kernel.errors import Rejection
from wattswarm.operations.actor_view import (
    Named,
    crash_view,
    named,
    silent,
    spec_view,
    state_of,
    stats_view,
    tree_node,
)
from wattswarm.operations.failing import of_actor_error
from wattswarm.operations.live_settings import DIALS
from wattswarm.operations.processes import Processes
from wattswarm.operations.reverts import Revert, Reverts
from wattswarm.surface.actor import (
    ActorActed,
    ActorDetail,
    ActorStats,
    ActorsTop,
    DialChange,
    TreeNode,
    Tune,
    Tuned,
)
from wattswarm.surface.words import when

Action: TypeAlias = Literal["restart", "kill", "suspend", "resume"]

EFFECT_S: Final = 5.0
"""A dial that was turned is in effect within this, or the answer shows how far it came."""

RUN_S: Final = 30.0
"""So long an answer waits for an actor to be as it was asked to be; then it shows how it is."""

LOOK_S: Final = 0.02
UP: Final = frozenset({"ready", "suspended", "stopped"})


@attrs.frozen(eq=False, kw_only=True)
class Actors:
    """`ActorOperations`, dead letters apart, over the tree.

    Args:
        loop_lag_ms: How late the loop of this process last was.
        is_closing: Whether the API that these operations answer for is coming to its end: an
            answer that waited for more than that would never be sent.
        config_file: Where dials are saved that are to outlast the node.
    """

    tree: TreeControl
    processes: Processes
    reverts: Reverts
    clock: Clock
    loop_lag_ms: Callable[[], float]
    is_closing: Callable[[], bool]
    config_file: Path

    # --- looking --------------------------------------------------------------------------------

    async def actor_tree(self) -> TreeNode:
        """Return the tree from the root."""
        readings = {reading.actor: reading for reading in await self.tree.stats()}
        return tree_node(self.tree.spec, self.tree.describe(), readings)

    async def actors_top(self) -> ActorsTop:
        """Return how every actor and process does."""
        readings = {reading.actor: reading for reading in await self.tree.stats()}
        view, known = self.tree.describe(), named(self.tree.spec)
        now_ms = self.clock.wall_ms()
        actors = tuple(
            self._stats(readings.get(actor.id) or silent(actor), known[actor.id])
            for group in view.groups
            for actor in group.actors
        )
        workers = self.processes.stats(view, now_ms, self.loop_lag_ms())
        return ActorsTop(at=when(now_ms), actors=actors, workers=workers)

    async def actor(self, name: str) -> ActorDetail | Rejection:
        """Return everything about one actor."""
        found = self._find(name)
        if isinstance(found, Rejection):
            return found
        first = _first(found, name)
        return ActorDetail(
            stats=self._stats(await self._reading(first), found),
            spec=spec_view(found.child),
            snapshot=await self._snapshot(first),
            talks_to=(*found.child.talks_to, *found.child.asks),
            points=self.tree.points().get(found.child.id, ()),
            crashes=tuple(crash_view(*each) for each in reversed(self.tree.crashes(first))),
        )

    async def _snapshot(self, name: str) -> Mapping[str, object]:
        try:
            return await self.tree.inspect(name)
        except ActorError:
            return {}

    # --- turning dials --------------------------------------------------------------------------

    async def tune(self, name: str, tune: Tune) -> Tuned | Rejection:
        """Turn dials; answers when they are in effect. All are turned or none."""
        found = self._find(name)
        if isinstance(found, Rejection):
            return found
        refusal = _not_tunable(found, tune)
        if refusal is None and tune.save:
            refusal = await self._save(found, name, tune)
        if refusal is not None:
            return refusal
        first = _first(found, name)
        before = (await self._reading(first)).dials
        try:
            version = await self._turn(name, tune.dials)
        except ActorError as error:
            return of_actor_error(error)
        until = None if tune.for_ms is None else self.clock.wall_ms() + tune.for_ms
        for dial in tune.dials:
            self.reverts.forget(name, dial)
            if until is not None and tune.for_ms is not None:
                self.reverts.add(Revert(name, dial, before[dial], until), tune.for_ms)
        after = await self._in_effect(self._first_now(found, name), version)
        specs = dial_specs(found.child)
        changes = tuple(
            DialChange(
                name=dial,
                old=before.get(dial, value),
                wanted=value,
                effective=after.dials.get(dial, value),
                is_live=specs[dial].is_live,
                reverts_at=None if until is None else when(until),
            )
            for dial, value in tune.dials.items()
        )
        saved_to = str(self.config_file) if tune.save else None
        return Tuned(actor=name, version=version, changes=changes, saved_to=saved_to)

    async def _save(self, found: Named, name: str, tune: Tune) -> Rejection | None:
        """Write the dials into the configuration file, or return why they cannot be."""
        paths = {dial: f"actors.{found.child.id}.{dial}" for dial in tune.dials}
        fleeting = [dial for dial in tune.dials if dial not in DIALS or paths[dial] not in SETTINGS]
        if fleeting or name != found.child.id or tune.for_ms is not None:
            return Rejection(
                code="dial_invalid",
                message=f"only {', '.join(DIALS)} of all instances of an actor can be saved, and "
                "only without a time at which they turn back",
            )
        settings = {paths[dial]: value for dial, value in tune.dials.items()}
        try:
            await trio.to_thread.run_sync(save, self.config_file, settings)
        except ConfigError as error:
            return Rejection(code="dial_invalid", message=f"not saved, not turned: {error}")
        return None

    async def _turn(self, name: str, dials: Mapping[str, int]) -> int:
        version = 0
        for dial, value in dials.items():
            version = max(version, await self.tree.tune(name, dial, value))
        return version

    def _first_now(self, found: Named, name: str) -> str:
        """Return the instance that stands for the actor, now that it may have others."""
        ids = named(self.tree.spec)[found.child.id].child.ids()
        return name if name in ids else ids[0]

    async def _in_effect(self, name: str, version: int) -> Reading:
        """Return the reading in which the change is in effect, or the last before patience ends."""
        give_up = trio.current_time() + EFFECT_S
        while True:
            reading = await self._reading(name)
            if reading.dials_effective >= version or trio.current_time() >= give_up:
                return reading
            await trio.sleep(LOOK_S)

    # --- acting ---------------------------------------------------------------------------------

    async def restart_actor(self, name: str) -> ActorActed | Rejection:
        """Restart an actor; answers when it runs again; if it is the API itself, before it ends."""
        return await self._act(name, "restart", self.tree.restart)

    async def suspend_actor(self, name: str) -> ActorActed | Rejection:
        """Let an actor take no message until it is resumed."""
        return await self._act(name, "suspend", self.tree.suspend)

    async def resume_actor(self, name: str) -> ActorActed | Rejection:
        """Let a suspended actor go on."""
        return await self._act(name, "resume", self.tree.resume)

    async def kill_actor(self, name: str) -> ActorActed | Rejection:
        """Kill the worker process of an actor or group with SIGKILL; its supervisor restarts it."""
        found = self._find_process(name)
        if isinstance(found, Rejection):
            return found
        group, first = found
        if group.placement == ROOT:
            return Rejection(
                code="in_root_process",
                message=f"{name} lives in the node's own process: restart it instead",
            )
        before = self._group_incarnation(group.name)
        self.tree.kill_group(group.name)
        await self._wait(lambda: self._group_incarnation(group.name) > before)
        await self._wait(lambda: self._view(first).state in UP)
        return await self._acted(first, "kill")

    async def _act(
        self, name: str, action: Action, do: Callable[[str], Awaitable[None]]
    ) -> ActorActed | Rejection:
        found = self._find(name)
        if isinstance(found, Rejection):
            return found
        first = _first(found, name)
        before = self._view(first).incarnation
        try:
            await do(name)
        except ActorError as error:
            return of_actor_error(error)
        if action == "restart":
            await self._wait(lambda: self._view(first).incarnation > before)
            await self._wait(lambda: self._view(first).state in UP)
        return await self._acted(first, action)

    async def _wait(self, is_so: Callable[[], bool]) -> None:
        """Return when something is so, or when patience ends: the answer shows how it is then."""
        with trio.move_on_after(RUN_S):
            while True:
                if is_so() or self.is_closing():
                    return
                await trio.sleep(LOOK_S)

    async def _acted(self, name: str, action: Action) -> ActorActed:
        reading = await self._reading(name)
        return ActorActed(
            actor=name,
            action=action,
            state="restarting" if self.is_closing() else state_of(reading.state),
            pid=self._pid(name),
            incarnation=reading.incarnation,
        )

    # --- within ---------------------------------------------------------------------------------

    def _find(self, name: str) -> Named | Rejection:
        known = named(self.tree.spec)
        if name in known:
            return known[name]
        there = ", ".join(known)
        return Rejection(
            code="not_found", message=f"there is no actor {name[:80]}; there are {there}"
        )

    def _find_process(self, name: str) -> tuple[GroupSpec, str] | Rejection:
        """Return the group of an actor, or of that name, and an actor that stands for it."""
        for group in self.tree.spec.groups:
            if group.name == name:
                return group, group.children[0].ids()[0]
        found = self._find(name)
        return found if isinstance(found, Rejection) else (found.group, _first(found, name))

    def _view(self, name: str) -> ActorView:
        groups = self.tree.describe().groups
        return next(actor for group in groups for actor in group.actors if actor.id == name)

    def _group_incarnation(self, name: str) -> int:
        return next(g.incarnation for g in self.tree.describe().groups if g.name == name)

    def _pid(self, name: str) -> int | None:
        view = self.tree.describe()
        group = next(g for g in view.groups if any(actor.id == name for actor in g.actors))
        return group.pid or (view.pid if group.placement == ROOT else None)

    async def _reading(self, name: str) -> Reading:
        found = {reading.actor: reading for reading in await self.tree.stats()}
        return found.get(name) or silent(self._view(name))

    def _stats(self, reading: Reading, found: Named) -> ActorStats:
        times = self.reverts.times(reading.actor, found.child.id)
        return stats_view(reading, found, self._pid(reading.actor), times)


def _first(found: Named, name: str) -> str:
    """Return the name of the instance that stands for all of an actor's."""
    return found.child.ids()[0] if name == found.child.id else name


def _not_tunable(found: Named, tune: Tune) -> Rejection | None:
    """Return why not all of the dials can be turned so, or None."""
    if not tune.dials:
        return Rejection(code="dial_invalid", message="no dial was named")
    if tune.for_ms is not None and tune.for_ms < 1:
        return Rejection(code="dial_invalid", message="for_ms is at least 1")
    specs = dial_specs(found.child)
    for dial, value in tune.dials.items():
        try:
            check_dial(specs, dial, value)
        except OutOfRange as error:
            return Rejection(
                code="dial_invalid", message=str(error), details={"dial": dial, "value": value}
            )
    return None
