"""The node's executors: a client for each, kept connected, and what they are ready for.

Health is asked before work is routed: an executor is offered to the roster only after it answered
`/health` and `/capabilities`, and until it failed repeatedly. It is asked again from time to time.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

import attrs
import trio

from wattswarm.actors.runtime.actor import Context
from wattswarm.executors.breaker import BreakerLimits, Phase
from wattswarm.executors.client import ExecutorClient, connect
from wattswarm.executors.contract import ANYTHING, Capabilities
from wattswarm.executors.errors import ExecutorError
from wattswarm.executors.retry import RetryLimits
from wattswarm.executors.settings import ExecutorSettings
from wattswarm.kernel.duty import ExecutorOffer
from wattswarm.kernel.ids import TaskId

Units: TypeAlias = Callable[[str, str], int]
"""The reputation of a provider's model."""

UNWELL_PAUSE_S: Final = 0.25
"""First pause before an executor that did not answer is asked again; doubles up to `every_s`."""


@attrs.define
class Executor:
    """One executor of the registry: its client while connected, and what it last said."""

    settings: ExecutorSettings
    leaving: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    client: ExecutorClient | None = None
    capabilities: Capabilities | None = None
    seen_ms: int | None = None
    error: str | None = None
    error_ms: int | None = None
    busy: int = 0
    is_gone: bool = False

    def begin(self) -> None:
        """Take one of its places, and keep it connected for as long."""
        self.busy += 1

    def end(self) -> None:
        """Give a place back; the last one of an executor that is gone closes its connections."""
        self.busy -= 1
        if self.is_gone and not self.busy:
            self.leaving.cancel()

    def leave(self) -> None:
        """Have no more to do with it once its work in flight has ended."""
        self.is_gone = True
        if not self.busy:
            self.leaving.cancel()

    @property
    def free(self) -> int:
        """How many calls may be routed to it now; none while it is away, or is spared."""
        if self.client is None or self.capabilities is None:
            return 0
        if self.client.statistics().breaker.phase is Phase.OPEN:
            return 0
        return max(0, self.settings.concurrency - self.busy)

    def offer(self) -> ExecutorOffer | None:
        """Return what the roster may count on, or None when that is nothing."""
        found = self.capabilities
        if found is None or not {self.settings.profile, ANYTHING} & {*found.profiles}:
            return None
        wanted = frozenset(self.settings.task_types) or frozenset(found.task_types)
        return ExecutorOffer(
            name=self.settings.name,
            profile=self.settings.profile,
            provider=found.provider_family,
            model=found.model_id,
            task_types=frozenset() if ANYTHING in wanted else wanted,
        )


def in_order(
    task_id: TaskId, offers: Sequence[ExecutorOffer], free: AbstractSet[str], standing: Units
) -> Sequence[ExecutorOffer]:
    """Return offers in the order in which work is given: see `Clients.offers`."""

    def rank(offer: ExecutorOffer) -> tuple[bool, int, int]:
        units = standing(offer.provider, offer.model)
        return offer.name not in free, -units, hash((task_id, offer.name))

    return sorted(offers, key=rank)


@attrs.define(kw_only=True)
class Clients:
    """All executors, by name.

    Args:
        environ: Where tokens that are named by variables are looked up.
        every_s: Pause between questions to a healthy executor.
        changed: Called when what is ready may have changed.
        standing: Tells the reputation of a provider's model, in units.
    """

    environ: Mapping[str, str] = attrs.field(repr=False)
    every_s: float
    breaker: BreakerLimits
    retries: RetryLimits
    changed: Callable[[], None]
    standing: Units
    _known: dict[str, Executor] = attrs.field(factory=dict[str, Executor], init=False)

    def get(self, name: str) -> Executor | None:
        """Return the executor of that name."""
        return self._known.get(name)

    def offers(self, task_id: TaskId) -> Sequence[ExecutorOffer]:
        """Return the executors that answered, those with a free place first.

        Of these, those whose word held more often come first; beyond that each task has an order of
        its own, so that tasks spread over the executors.
        """
        found = (known.offer() for known in self._known.values())
        offers = [offer for offer in found if offer is not None]
        free = {offer.name for offer in offers if self._known[offer.name].free}
        return in_order(task_id, offers, free, self.standing)

    def replace(
        self, wanted: Sequence[ExecutorSettings], nursery: trio.Nursery, ctx: Context
    ) -> None:
        """Connect to executors that are new or changed, and leave those that are gone.

        Work in flight is finished under the settings that it began with.
        """
        by_name = {settings.name: settings for settings in wanted}
        gone = [name for name, known in self._known.items() if by_name.get(name) != known.settings]
        for name in gone:
            self._known.pop(name).leave()
        fresh = [settings for name, settings in by_name.items() if name not in self._known]
        for settings in fresh:
            self._known[settings.name] = executor = Executor(settings)
            nursery.start_soon(self._keep, executor, ctx)
        if gone or fresh:
            self.changed()

    def snapshot(self) -> Mapping[str, object]:
        """Return how each executor is, for operators."""
        return {name: _view(executor) for name, executor in self._known.items()}

    async def _keep(self, executor: Executor, ctx: Context) -> None:
        """Stay connected, and ask again and again how it is."""
        with executor.leaving:
            while True:
                try:
                    async with connect(
                        executor.settings,
                        environ=self.environ,
                        dice=ctx.rng(f"executor:{executor.settings.name}"),
                        breaker=self.breaker,
                        retries=self.retries,
                    ) as client:
                        executor.client = client
                        await self._ask(executor, client, ctx)
                except ExecutorError as error:  # its token cannot be read: the operator must act
                    executor.client, executor.error = None, str(error)
                    executor.error_ms = ctx.clock.wall_ms()
                    ctx.log.warning("executor cannot be called", reason=str(error))
                await trio.sleep(self.every_s)

    async def _ask(self, executor: Executor, client: ExecutorClient, ctx: Context) -> None:
        pause_s = UNWELL_PAUSE_S
        while True:
            before = executor.capabilities
            try:
                executor.capabilities = await client.check()
                executor.seen_ms, executor.error = ctx.clock.wall_ms(), None
                pause_s = self.every_s
            except ExecutorError as error:
                executor.capabilities = None
                executor.error, executor.error_ms = str(error), ctx.clock.wall_ms()
                pause_s = min(2 * pause_s, self.every_s) if before is None else UNWELL_PAUSE_S
            if executor.capabilities != before:
                ctx.log.info("executor changed", name=executor.settings.name, error=executor.error)
                self.changed()
            await trio.sleep(pause_s)


def _view(executor: Executor) -> Mapping[str, object]:
    found, client = executor.capabilities, executor.client
    return {
        "is_healthy": None if executor.seen_ms is executor.error_ms is None else found is not None,
        "profiles": list(found.profiles) if found else [],
        "task_types": list(found.task_types) if found else [],
        "provider": found.provider_family if found else "",
        "model": found.model_id if found else "",
        "seen_ms": executor.seen_ms,
        "error": executor.error,
        "error_ms": executor.error_ms,
        "in_flight": executor.busy,
        "breaker": client.statistics().breaker.phase.value if client else Phase.CLOSED.value,
    }
