"""What ails the node: each finding says how to mend it."""

import os
import shutil
import stat
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
import trio

from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.load import LoadedConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.executors.settings import ExecutorSettings
from wattswarm.kernel.errors import WattSwarmError
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.governance.statement import Statement
from wattswarm.kernel.ids import NodeId
from wattswarm.operations.derivation import Governing
from wattswarm.operations.executors import Executors
from wattswarm.operations.health import WELL, Health
from wattswarm.operations.node import server_version
from wattswarm.operations.reading import LocalSession
from wattswarm.store.connection import SERVER_MAJOR_MIN, Connection, Database
from wattswarm.store.local import DeadLetters
from wattswarm.store.log_reader import LogReader
from wattswarm.store.migrate import migrations, require_current
from wattswarm.store.pool import Reads
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.executor import ExecutorCheck
from wattswarm.surface.node import Diagnosis, Finding, Level
from wattswarm.surface.words import when

Check: TypeAlias = Callable[[], Awaitable[Sequence[Finding]]]

MIB: Final = 1_048_576
SKEW_MS_MAX: Final = 3_000
BEHIND_MAX: Final = 10_000
"""Events that the projections may be behind before this is worth a word."""

CHECK_S: Final = 10.0
PRIVATE: Final = 0o077
LETTERS_READ: Final = 100


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
        checks: dict[str, Check] = {
            "database": self._database,
            "log": self._log,
            "disk": self._disk,
            "clock": self._clock,
            "keys": self._keys,
            "governance": self._governance,
            "actors": self._actors,
            "work": self._work,
            "dead letters": self._letters,
            "executors": self._executors,
        }
        found: dict[str, Sequence[Finding]] = {}
        async with trio.open_nursery() as nursery:
            for area, check in checks.items():
                nursery.start_soon(self._look, area, check, found)
        findings = tuple(finding for area in checks for finding in found[area])
        return Diagnosis(ok=all(item.level != "error" for item in findings), findings=findings)

    async def _look(self, area: str, check: Check, found: dict[str, Sequence[Finding]]) -> None:
        found[area] = (_slow(area),)
        with trio.move_on_after(CHECK_S):
            try:
                found[area] = await check()
            except WattSwarmError as error:
                found[area] = (_failed(area, error),)

    # --- checks ---------------------------------------------------------------------------------

    async def _database(self) -> Sequence[Finding]:
        version = await self.reads.run(server_version)
        await self.reads.run(lambda _: require_current(self.database))
        has_roles = await self.reads.run(lambda _: self.database.has_separate_roles())
        kind = "external" if self.loaded.config.store.pg_url else "embedded"
        message = (
            f"PostgreSQL {version} ({kind}) answers; schema version {len(migrations())}, "
            f"at least PostgreSQL {SERVER_MAJOR_MIN} is needed"
        )
        return (_ok("database", message), _roles(has_roles))

    async def _log(self) -> Sequence[Finding]:
        def look(connection: Connection) -> tuple[int, int, int]:
            derived = ProjectionReader(connection).derived()
            return LogReader(connection).head().seq, derived.seq, len(derived.quarantined)

        head, projected, quarantined = await self.reads.run(look)
        findings = [_behind(head, projected)]
        if self.health.is_read_only:
            findings.append(_read_only())
        if quarantined:
            findings.append(_quarantined(quarantined))
        return findings

    async def _disk(self) -> Sequence[Finding]:
        path = self.state_dir.path
        usage = await trio.to_thread.run_sync(shutil.disk_usage, path)
        free_mib = usage.free // MIB
        least = self.loaded.config.store.disk_free_mib_min
        message = f"{free_mib} MiB are free below {path}"
        if free_mib >= 4 * least:
            return (_ok("disk", message),)
        level: Level = "warning" if free_mib >= least else "error"
        remedy = f"make room: below {least} MiB the node takes no more events"
        return (Finding(area="disk", level=level, message=message, remedy=remedy),)

    async def _clock(self) -> Sequence[Finding]:
        def last(connection: Connection) -> int:
            reader = LogReader(connection)
            row = reader.at(reader.head().seq)
            return 0 if row is None else max(row.created_at, row.received_at)

        latest, now_ms = await self.reads.run(last), self.clock.wall_ms()
        if latest <= now_ms + SKEW_MS_MAX:
            return (_ok("clock", f"it is {when(now_ms)}, after the last event"),)
        ahead_s = (latest - now_ms) / 1_000
        return (
            Finding(
                area="clock",
                level="error",
                message=f"the clock is {ahead_s:.0f} s behind the last event of the log",
                remedy="set the clock (timedatectl, chronyc): events are dated by it",
            ),
        )

    async def _keys(self) -> Sequence[Finding]:
        paths = (self.state_dir.seed_path, self.state_dir.token_path)
        findings = [_exposed(path) for path in paths if _mode(path) & PRIVATE]
        return findings or (_ok("keys", "seed and API token can be read by their owner only"),)

    async def _governance(self) -> Sequence[Finding]:
        now_ms = self.clock.wall_ms()

        def look(governance: Governance) -> Statement | None:
            return governance.penalty(self.me) if governance.bars(self.me, now_ms) else None

        said = await self.reads.run(lambda connection: self.governing.decide(connection, look))
        return (_ok("governance", "no penalty bars this node") if said is None else _barred(said),)

    async def _actors(self) -> Sequence[Finding]:
        view = self.tree.describe()
        readings = {reading.actor: reading for reading in await self.tree.stats()}
        actors = [actor for group in view.groups for actor in group.actors]
        findings = [
            _unwell(actor.id, actor.state, readings.get(actor.id))
            for actor in actors
            if actor.state not in WELL
        ]
        suspended = (one.actor for one in readings.values() if one.state == "suspended")
        findings += [_suspended(name) for name in suspended]
        findings += [_armed(rule) for rule in view.armed]
        return findings or (_ok("actors", f"all {len(actors)} actors are well"),)

    async def _work(self) -> Sequence[Finding]:
        return (work_finding(await self.tree.inspect("executor_dispatcher")),)

    async def _letters(self) -> Sequence[Finding]:
        def look(session: Connection) -> tuple[int, set[str]]:
            letters = DeadLetters(session)
            return letters.count(), {each.actor for each in letters.letters(limit=LETTERS_READ)}

        count, owners = await self.local.run(look)
        if not count:
            return (_ok("dead letters", "there is none"),)
        message = f"{count} messages crashed their actors too often: {', '.join(sorted(owners))}"
        remedy = "see `wattswarm actors dead-letters list`; retry them once the cause is mended"
        return (Finding(area="dead letters", level="warning", message=message, remedy=remedy),)

    async def _executors(self) -> Sequence[Finding]:
        known = await self.executors.all()
        if not known:
            return (
                Finding(
                    area="executors",
                    level="warning",
                    message="there is none, so nobody works on tasks",
                    remedy="`wattswarm executors add NAME URL`",
                ),
            )
        checks: dict[str, ExecutorCheck] = {}

        async def check(settings: ExecutorSettings) -> None:
            checks[settings.name] = await self.executors.check(settings)

        async with trio.open_nursery() as nursery:
            for settings in known:
                nursery.start_soon(check, settings)
        return tuple(_executor(checks[name]) for name in sorted(checks))


# --- findings -------------------------------------------------------------------------------------


def _ok(area: str, message: str) -> Finding:
    return Finding(area=area, level="ok", message=message)


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
    return _set_aside(count) if count else _ok("work", "no task is set aside")


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


def _roles(has_roles: bool) -> Finding:
    if has_roles:
        return _ok("database", "each part of the node has a role of its own")
    return Finding(
        area="database",
        level="warning",
        message="all parts of the node share one role; triggers alone keep the log append-only",
        remedy="let the role of store.pg_url create roles (alter role … createrole); start again",
    )


def _behind(head: int, projected: int) -> Finding:
    message = f"the log has {head} events, the projections hold {projected} of them"
    if head - projected <= BEHIND_MAX:
        return _ok("log", message)
    remedy = "wait; if it does not shrink, see `wattswarm actors top` for projection_builder"
    return Finding(area="log", level="warning", message=message, remedy=remedy)


def _read_only() -> Finding:
    return Finding(
        area="log",
        level="error",
        message="the log is read-only: its disk is full",
        remedy="make room on the disk of the database; the node goes on by itself",
    )


def _quarantined(count: int) -> Finding:
    return Finding(
        area="log",
        level="error",
        message=f"{count} tasks cannot be derived, by a bug of this program",
        remedy="report what the node's log says of it; after an upgrade, `wattswarm log replay`",
    )


def _set_aside(count: int) -> Finding:
    return Finding(
        area="work",
        level="error",
        message=f"{count} tasks are set aside, by a bug of this program; they are tried again",
        remedy="`wattswarm actors inspect executor_dispatcher` names them and what failed",
    )


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return 0


def _exposed(path: Path) -> Finding:
    return Finding(
        area="keys",
        level="error",
        message=f"{path} can be used by others (mode {_mode(path):04o})",
        remedy=f"chmod 600 {path}, and replace the secret if others may have read it",
    )


def _barred(said: Statement) -> Finding:
    reason = f": {said.reason}" if said.reason else ""
    until = "" if said.window is None else f" until {when(said.window[1])}"
    return Finding(
        area="governance",
        level="error",
        message=f"this node is penalized{until}{reason}; what it says has no effect",
        remedy="settle it with the finalizers: `wattswarm governance pardon` takes it back",
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


def _executor(check: ExecutorCheck) -> Finding:
    if check.ok:
        who = f"{check.provider}/{check.model}"
        return _ok("executors", f"{check.name} ({who}) answers in {check.latency_ms} ms")
    return Finding(
        area="executors",
        level="error",
        message=f"{check.name}: {'; '.join(check.problems)}",
        remedy=f"start it, or change its address: `wattswarm executors add {check.name} URL`; "
        f"`wattswarm executors check {check.name}` asks again",
    )
