"""The handle on a running tree, and the way to open one."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs
import trio

from wattswarm.actors.runtime.actor import points_of
from wattswarm.actors.runtime.commands import stats_from
from wattswarm.actors.runtime.control import InspectOne, RestartOne, StatsOf, SuspendOne, TuneOne
from wattswarm.actors.runtime.dials import INSTANCES, check_dial, dial_specs
from wattswarm.actors.runtime.errors import Down, OutOfRange
from wattswarm.actors.runtime.exit import RESTARTED_BY_OPERATOR, CrashReport, DeadLetter
from wattswarm.actors.runtime.message import decode
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.root import Root
from wattswarm.actors.runtime.rule import ArmedRule, FaultRule
from wattswarm.actors.runtime.services import load
from wattswarm.actors.runtime.spec import INSTANCES_MAX, OPERATOR, ChildSpec, Plain, TreeSpec
from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.actors.runtime.view import TreeView

CRASHES_KEPT: Final = 100


@attrs.define(eq=False)
class Tree:
    """A running tree. Actors are named by id, an instance as `id/0`."""

    _root: Root
    _stop_requested: trio.Event = attrs.field(factory=trio.Event, init=False)
    _crashes: deque[tuple[int, CrashReport]] = attrs.field(
        factory=lambda: deque[tuple[int, CrashReport]](maxlen=CRASHES_KEPT), init=False
    )

    @property
    def spec(self) -> TreeSpec:
        """The tree as it is now."""
        return self._root.atlas.tree

    def ref(self, name: str) -> Ref[Any]:
        """Return the address of an actor.

        Raises:
            LookupError: There is none of that name.
        """
        return self._root.services.ref_of(OPERATOR, name)

    async def wait_ready(self) -> None:
        """Return when every actor that is not optional has become ready.

        Raises:
            RestartLimit: The tree gave up before that.
        """
        async with trio.open_nursery() as nursery:
            for event in (self._root.ready, self._root.ended):
                nursery.start_soon(_wait_then_cancel, event, nursery.cancel_scope)
        self._root.check()

    async def wait_ended(self) -> None:
        """Return when the tree has ended by itself: its significant children are done.

        Raises:
            RestartLimit: It gave up.
        """
        await self._root.ended.wait()
        self._root.check()

    def request_stop(self) -> None:
        """Ask whoever holds the tree to end it: an actor cannot wait for its own end."""
        self._stop_requested.set()

    async def wait_stop_requested(self) -> None:
        """Return when somebody has asked for the end of the tree."""
        await self._stop_requested.wait()

    def kill_all(self) -> None:
        """Have everything end at once: workers are killed, actors of the root cancelled."""
        self._root.supervisor.kill()

    # -- looking ---------------------------------------------------------------------------------

    async def stats(self) -> list[ActorStats]:
        """Return one reading for every actor that can be reached, in start order."""
        found: list[ActorStats] = []
        for group in self.spec.groups:
            try:
                readings = await self._root.call(group.name, StatsOf())
            except Down:
                continue
            found += stats_from(readings) if group.placement == "worker" else _stats(readings)
        return found

    def describe(self) -> TreeView:
        """Return the tree with pids, states and incarnations, and the armed faults."""
        groups = self._root.views()
        degraded = tuple(
            actor.id for group in groups for actor in group.actors if actor.state == "degraded"
        )
        return TreeView(
            pid=self._root.services.world.pid,
            state=self._state(bool(degraded)),
            degraded=degraded,
            armed=self._root.armory.banner(),
            groups=groups,
        )

    async def inspect(self, actor: str) -> Mapping[str, object]:
        """Return the actor's own snapshot, between two messages and even if its inbox is full.

        Raises:
            LookupError: No actor is called so. Down: Its worker is away.
        """
        group, child = self._root.atlas.find(actor)
        name = child.ids()[0] if actor == child.id else actor
        return cast("Mapping[str, object]", await self._root.call(group.name, InspectOne(name)))

    def crashes(self, actor: str) -> tuple[tuple[int, CrashReport], ...]:
        """Return the last crashes of an actor, oldest first, each with when it was told of (ms)."""
        return tuple(each for each in self._crashes if each[1].actor == actor)

    def note_crash(self, report: CrashReport) -> None:
        """Remember a crash; of more than a hundred, the last."""
        self._crashes.append((self._root.services.world.clock.wall_ms(), report))

    def points(self) -> dict[str, tuple[str, ...]]:
        """Return the fault points of every actor: those it declares, and those that all pass."""
        return {child.id: points_of(load(child.actor)) for _, child in self.spec.children()}

    # -- turning ---------------------------------------------------------------------------------

    async def tune(self, actor: str, dial: str, value: int) -> int:
        """Turn a dial of an actor, all of its instances, and return the version that was asked for.

        It is in effect when `stats` shows that version as effective: between two messages, even
        while the inbox is full. Other `instances` are there when this returns.

        Raises:
            OutOfRange: The dial does not go there; nothing was changed. Down: The worker is away.
        """
        group, child = self._root.atlas.find(actor)
        check_dial(dial_specs(child), dial, value)
        if dial == INSTANCES:
            await self.resize(child.id, value)
            return 0
        versions = [
            cast("int", await self._root.call(group.name, TuneOne(name, dial, value)))
            for name in _names(child, actor)
        ]
        return max(versions)

    async def restart(self, actor: str) -> None:
        """Give an actor a fresh start, with its failures forgotten; its mail is kept."""
        group, child = self._root.atlas.find(actor)
        for name in _names(child, actor):
            await self._root.call(group.name, RestartOne(name))

    async def resize(
        self, actor: str, instances: int, args: Mapping[str, Plain] | None = None
    ) -> None:
        """Run an actor with other instances, and other arguments if given; no mail is lost.

        Its instances stop after the message in hand, and all of them start anew; what waited
        goes to its new owners by key.

        Raises:
            OutOfRange: That many are not possible. Down: The worker is away. Nothing was changed.
        """
        if not 1 <= instances <= INSTANCES_MAX:
            raise OutOfRange(dial="instances", reason=f"{instances} is outside 1 … {INSTANCES_MAX}")
        _, child = self._root.atlas.find(actor)
        await self._root.resize(child.id, instances, child.args if args is None else args)

    def restart_group(self, group: str) -> None:
        """Give a whole group a fresh start: a worker is replaced by a new process."""
        self._root.supervisor.restart(group, RESTARTED_BY_OPERATOR)

    async def suspend(self, actor: str) -> None:
        """Keep an actor from taking mail; system messages go on."""
        await self._suspend(actor, True)

    async def resume(self, actor: str) -> None:
        """Let a suspended actor take mail again."""
        await self._suspend(actor, False)

    def kill(self, group: str, signal_number: int) -> None:
        """Send a signal to a group's worker process, as a nemesis would: its end is a failure.

        Raises:
            LookupError: No group with a process of its own is called so.
        """
        process = self._root.workers[group].process
        if process is not None:
            process.handle.send_signal(signal_number)

    def kill_group(self, group: str) -> None:
        """End a group's worker process now, as its operator wishes.

        It comes back at once, and its end does not count as a failure.

        Raises:
            LookupError: No group with a process of its own is called so.
        """
        self._root.workers[group].kill_on_order()

    def pause(self, group: str, duration_s: float) -> None:
        """Stop a group's worker process, and let it go on after so long."""
        self._root.workers[group].pause(duration_s)

    async def retry(self, letter: DeadLetter) -> bool:
        """Send a dead letter again; False if the inbox refused it."""
        message: Any = decode(letter.body)
        return await self.ref(letter.actor).tell(message)

    # -- faults ----------------------------------------------------------------------------------

    async def arm(self, rule: FaultRule) -> int:
        """Arm a fault rule in every process and return its number.

        Raises:
            OutOfRange: The rule makes no sense, would hit the root, or chaos is not enabled.
        """
        if not self._root.services.chaos_enabled:
            raise OutOfRange(dial=rule.fault.value, reason="chaos is not enabled in this tree")
        return await self._root.armory.arm(rule)

    async def disarm(self, number: int | None = None) -> None:
        """Disarm a rule, or all of them."""
        await self._root.armory.disarm(number)

    def armed(self) -> tuple[str, ...]:
        """Return the armed rules as text; a banner is owed while there are any."""
        return self._root.armory.banner()

    def rules(self) -> tuple[ArmedRule, ...]:
        """Return the armed rules, with what they did in this process."""
        return self._root.armory.faults.rules()

    # --------------------------------------------------------------------------------------------

    async def _suspend(self, actor: str, is_suspended: bool) -> None:
        group, child = self._root.atlas.find(actor)
        for name in _names(child, actor):
            await self._root.call(group.name, SuspendOne(name, is_suspended))

    def _state(self, is_degraded: bool) -> str:
        if self._root.ended.is_set():
            return "ended"
        if self._root.is_stopping:
            return "stopping"
        if not self._root.ready.is_set():
            return "starting"
        return "degraded" if is_degraded else "ready"


async def _wait_then_cancel(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _stats(readings: object) -> list[ActorStats]:
    return cast("list[ActorStats]", readings)


def _names(child: ChildSpec, actor: str) -> tuple[str, ...]:
    return child.ids() if actor == child.id else (actor,)
