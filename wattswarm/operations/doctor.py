"""What ails the node: each finding says how to mend it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

import attrs
import trio

from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.load import LoadedConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.errors import WattSwarmError
from wattswarm.kernel.ids import NodeId
from wattswarm.operations.checks.actors import check_actors, check_letters, check_work
from wattswarm.operations.checks.executors import check_executors
from wattswarm.operations.checks.signing import check_signing
from wattswarm.operations.checks.standing import check_clock, check_governance, check_keys
from wattswarm.operations.checks.storage import check_database, check_disk, check_log
from wattswarm.operations.derivation import Governing
from wattswarm.operations.executors import Executors
from wattswarm.operations.health import Health
from wattswarm.operations.reading import LocalSession
from wattswarm.store.connection import Database
from wattswarm.store.pool import Reads
from wattswarm.surface.node import Diagnosis, Finding

Check: TypeAlias = Callable[[], Awaitable[Sequence[Finding]]]

CHECK_S: Final = 10.0


@attrs.frozen(eq=False, kw_only=True)
class Doctor:
    """Looks at everything at once, each check in its own time."""

    loaded: LoadedConfig
    state_dir: StateDir
    database: Database
    reads: Reads
    local: LocalSession
    tree: TreeControl
    health: Health
    governing: Governing
    me: NodeId
    executors: Executors
    clock: Clock

    async def doctor(self) -> Diagnosis:
        """Return all findings, in a fixed order; a check that fails or hangs is one itself."""
        checks = self._checks()
        found: dict[str, Sequence[Finding]] = {}
        async with trio.open_nursery() as nursery:
            for area, check in checks.items():
                nursery.start_soon(_look, area, check, found)
        findings = tuple(finding for area in checks for finding in found[area])
        return Diagnosis(ok=all(item.level != "error" for item in findings), findings=findings)

    def _checks(self) -> Mapping[str, Check]:
        """Return what is looked at, by the area that it belongs to."""
        store, reads, clock = self.loaded.config.store, self.reads, self.clock
        return {
            "database": lambda: check_database(
                reads, self.database, is_external=bool(store.pg_url)
            ),
            "log": lambda: check_log(reads, self.health),
            "disk": lambda: check_disk(self.state_dir, least_mib=store.disk_free_mib_min),
            "clock": lambda: check_clock(reads, clock),
            "keys": lambda: check_keys(self.state_dir),
            "signing": lambda: check_signing(reads),
            "governance": lambda: check_governance(reads, self.governing, self.me, clock),
            "actors": lambda: check_actors(self.tree),
            "work": lambda: check_work(self.tree),
            "dead letters": lambda: check_letters(self.local),
            "executors": lambda: check_executors(self.executors),
        }


async def _look(area: str, check: Check, found: dict[str, Sequence[Finding]]) -> None:
    """Have what a check finds, or that it failed or took too long."""
    found[area] = (_slow(area),)
    with trio.move_on_after(CHECK_S):
        try:
            found[area] = await check()
        except WattSwarmError as error:
            found[area] = (_failed(area, error),)


def _slow(area: str) -> Finding:
    return Finding(
        area=area,
        level="error",
        message=f"looking at it took more than {CHECK_S:g} s",
        remedy="see whether the machine is overloaded: `wattswarm actors top`",
    )


def _failed(area: str, error: WattSwarmError) -> Finding:
    remedy = "see the node's log for what happened before; the node goes on trying by itself"
    return Finding(area=area, level="error", message=str(error), remedy=remedy)
