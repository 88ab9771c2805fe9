"""The registry of executors, and how the dispatcher finds them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

import attrs
import trio

from wattswarm.actors.messages import ExecutorsChanged
from wattswarm.actors.runtime.errors import ActorError, Down
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.settings import ExecutorsSection
from wattswarm.executors.client import connect
from wattswarm.executors.contract import ANYTHING, Capabilities
from wattswarm.executors.errors import ExecutorError
from wattswarm.executors.fields import Json
from wattswarm.executors.retry import Dice, RetryLimits
from wattswarm.executors.settings import ExecutorSettings, read
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.operations.executor_view import Condition, executor_view, read_condition
from wattswarm.operations.reading import LocalSession
from wattswarm.store.local import Executors as Registry
from wattswarm.surface.executor import (
    ExecutorCheck,
    ExecutorList,
    ExecutorSpec,
    ExecutorView,
    Removed,
)

DISPATCHER: Final = "executor_dispatcher"


@attrs.frozen(eq=False, kw_only=True)
class Executors:
    """`ExecutorOperations` over the registry; the dispatcher is told when that changes."""

    local: LocalSession
    tree: TreeControl
    ref: Callable[[str], Ref[Any]]
    defaults: ExecutorsSection
    environ: Mapping[str, str] = attrs.field(repr=False)
    dice: Dice
    clock: Clock

    async def executors(self) -> ExecutorList:
        """Return all executors, by name, with how the dispatcher last found them."""
        known = await self.all()
        conditions = await self._conditions()
        return ExecutorList(
            items=tuple(
                executor_view(settings, conditions.get(settings.name), self.defaults.tries)
                for settings in known
            )
        )

    async def all(self) -> tuple[ExecutorSettings, ...]:
        """Return the settings of all executors, by name.

        A record that this version cannot read is left out: the dispatcher tells of it, and it can
        be removed or replaced by name.
        """
        records = await self.local.run(lambda session: Registry(session).all())
        return tuple(_readable(records))

    async def add_executor(self, spec: ExecutorSpec) -> ExecutorView | Rejection:
        """Add an executor, or change the one of that name."""
        before = {settings.name: settings for settings in await self.all()}.get(spec.name)
        added_ms = self.clock.wall_ms() if before is None else before.added_ms
        settings = self._settings(spec, added_ms)
        if isinstance(settings, Rejection):
            return settings
        record = settings.to_plain()
        await self.local.run(lambda session: Registry(session).put(settings.name, record))
        self._announce()
        return executor_view(settings, None, self.defaults.tries)

    async def remove_executor(self, name: str) -> Removed | Rejection:
        """Remove an executor; work in flight is finished."""
        if not await self.local.run(lambda session: Registry(session).remove(name)):
            return await self._unknown(name)
        self._announce()
        return Removed(name=name)

    async def check_executor(self, name: str) -> ExecutorCheck | Rejection:
        """Ask an executor for its health and capabilities, now."""
        found = {settings.name: settings for settings in await self.all()}.get(name)
        return await self._unknown(name) if found is None else await self.check(found)

    async def check(self, settings: ExecutorSettings) -> ExecutorCheck:
        """Return what asking one executor finds."""
        began = trio.current_time()
        once = RetryLimits(attempts_max=1)
        try:
            async with connect(
                settings, environ=self.environ, dice=self.dice, retries=once
            ) as client:
                found = await client.check()
        except ExecutorError as error:
            return _failed(settings.name, str(error))
        latency_ms = int((trio.current_time() - began) * 1_000)
        problems = tuple(_problems(settings, found))
        return ExecutorCheck(
            name=settings.name,
            ok=not problems,
            latency_ms=latency_ms,
            task_types=found.task_types,
            profiles=found.profiles,
            provider=found.provider_family,
            model=found.model_id,
            problems=problems,
        )

    # --- within ---------------------------------------------------------------------------------

    def _settings(self, spec: ExecutorSpec, added_ms: int) -> ExecutorSettings | Rejection:
        """Return the settings that a specification means, defaults filled in."""
        defaults = self.defaults
        try:
            return read(
                {
                    "name": spec.name,
                    "base_url": spec.base_url,
                    "profile": spec.profile,
                    "timeout_ms": spec.execute_ms or defaults.execute_ms,
                    "verify_timeout_ms": spec.verify_ms or defaults.verify_ms,
                    "probe_timeout_ms": defaults.health_ms,
                    "tries": spec.tries,
                    "concurrency": spec.concurrency or defaults.concurrency,
                    "headers": dict(spec.headers),
                    "bearer_token_env": spec.token_env,
                    "bearer_token_file": spec.token_file,
                    "task_types": list(spec.task_types or ()),
                    "added_ms": added_ms,
                }
            )
        except Malformed as error:
            return Rejection(
                code="executor_invalid",
                message=str(error),
                details={"path": error.path, "rule": error.code},
            )

    async def _conditions(self) -> Mapping[str, Condition]:
        """Return how the dispatcher finds each executor; nothing while it is away."""
        try:
            said = await self.tree.inspect(DISPATCHER)
        except ActorError:
            return {}
        found = cast("Mapping[str, object]", said.get("executors", {}))
        return {name: read_condition(condition) for name, condition in found.items()}

    async def _unknown(self, name: str) -> Rejection:
        known = ", ".join(settings.name for settings in await self.all()) or "none"
        return Rejection(
            code="not_found", message=f"there is no executor {name[:80]}; there are: {known}"
        )

    def _announce(self) -> None:
        try:
            self.ref(DISPATCHER).offer(ExecutorsChanged())
        except Down:
            return  # it reads the registry when it starts, and from time to time


def _readable(records: Iterable[Json]) -> Iterator[ExecutorSettings]:
    for record in records:
        try:
            yield read(record)
        except Malformed:
            continue


def _problems(settings: ExecutorSettings, found: Capabilities) -> list[str]:
    """Return why an executor that answers would get no work."""
    problems: list[str] = []
    if settings.profile not in found.profiles and ANYTHING not in found.profiles:
        offered = ", ".join(found.profiles) or "none"
        problems.append(f"it has no profile {settings.profile}; it offers {offered}")
    foreign = [name for name in settings.task_types if not found.serves(name, settings.profile)]
    if foreign and not problems:
        problems.append(f"it does not take tasks of type {', '.join(foreign)}")
    if not found.task_types:
        problems.append("it takes tasks of no type")
    return problems


def _failed(name: str, problem: str) -> ExecutorCheck:
    return ExecutorCheck(
        name=name,
        ok=False,
        latency_ms=None,
        task_types=(),
        profiles=(),
        provider="",
        model="",
        problems=(problem,),
    )
