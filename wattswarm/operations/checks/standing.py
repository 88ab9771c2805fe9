"""Whether the node's clock, its secrets and its standing with the finalizers are well."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattswarm.actors.runtime.world import Clock
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.governance.statement import Statement
from wattswarm.kernel.ids import NodeId
from wattswarm.operations.checks.well import ok
from wattswarm.operations.derivation import Governing
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.pool import Reads
from wattswarm.surface.node import Finding
from wattswarm.surface.words import when

SKEW_MS_MAX: Final = 3_000
PRIVATE: Final = 0o077


async def check_clock(reads: Reads, clock: Clock) -> Sequence[Finding]:
    """Return whether it is later than the last event of the log."""
    latest, now_ms = await reads.run(_latest), clock.wall_ms()
    if latest <= now_ms + SKEW_MS_MAX:
        return (ok("clock", f"it is {when(now_ms)}, after the last event"),)
    ahead_s = (latest - now_ms) / 1_000
    return (
        Finding(
            area="clock",
            level="error",
            message=f"the clock is {ahead_s:.0f} s behind the last event of the log",
            remedy="set the clock (timedatectl, chronyc): events are dated by it",
        ),
    )


def _latest(connection: Connection) -> int:
    reader = LogReader(connection)
    row = reader.at(reader.head().seq)
    return 0 if row is None else max(row.created_at, row.received_at)


async def check_keys(state_dir: StateDir) -> Sequence[Finding]:
    """Return whether the node's secrets are its owner's alone."""
    paths = (state_dir.seed_path, state_dir.token_path)
    findings = [_exposed(path) for path in paths if _mode(path) & PRIVATE]
    return findings or (ok("keys", "seed and API token can be read by their owner only"),)


async def check_governance(
    reads: Reads, governing: Governing, me: NodeId, clock: Clock
) -> Sequence[Finding]:
    """Return whether a penalty bars the node."""
    now_ms = clock.wall_ms()

    def look(governance: Governance) -> Statement | None:
        return governance.penalty(me) if governance.bars(me, now_ms) else None

    said = await reads.run(lambda connection: governing.decide(connection, look))
    return (ok("governance", "no penalty bars this node") if said is None else _barred(said),)


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
