"""Faults in the first start of a node: each strikes a node that is new to its database."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import trio

from wattswarm.chaos.cases import Case, Kind
from wattswarm.chaos.invariants import (
    Check,
    Invariant,
    Log,
    check_log,
    check_once,
    check_projections,
)
from wattswarm.chaos.lane import is_caught_up
from wattswarm.chaos.look import Look
from wattswarm.chaos.outcome import Struck, Tally
from wattswarm.chaos.striking import NotStruck, pause_root
from wattswarm.chaos.subject import COMPACT, Node, NodeGaveUp
from wattswarm.chaos.waiting import is_soon
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.store.connection import Connection, Database
from wattswarm.store.embedded import EmbeddedPostgres
from wattswarm.store.postmaster import StopMode

STRIKE_S: Final = 30.0
MODULE: Final = ("-m", "wattswarm.chaos.first_start")


@attrs.frozen(kw_only=True)
class Beginnings:
    """Nodes that begin, one after the other, in one directory with a schema for each."""

    folder: Path
    tally: Tally

    async def run(self, cases: Sequence[Case]) -> None:
        """Strike each fault at a first start, and check what came of it."""
        state = StateDir(self.folder / "node")
        state.prepare()
        try:
            for number, case in enumerate(cases):
                await self._begin(state, number, case)
        finally:
            server = EmbeddedPostgres(state.path, fsync=False)
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(server.stop, StopMode.IMMEDIATE)

    async def _begin(self, state: StateDir, number: int, case: Case) -> None:
        schema = f"first{number}"
        node = Node(
            state=state,
            mark=f"{self.folder.name}-{schema}",
            journal=self.folder / f"{schema}.log",
            settings={**COMPACT, "STORE__PG_SCHEMA": schema},
        )
        try:
            await self._strike(node, case)
            await self._check(node, schema)
        except NodeGaveUp as error:
            self.tally.violation(Invariant.ALIVE, f"at {case}: {error}")
        except NotStruck as error:
            self.tally.missed(str(error))
        finally:
            await node.close()

    async def _strike(self, node: Node, case: Case) -> None:
        node.launch(_command(node.state, case))

        async def is_struck() -> bool:
            node.check_alive()
            return any(strike.at == case.place for strike in node.strikes())

        if not await is_soon(is_struck, STRIKE_S):
            raise NotStruck(str(case))
        struck_at = trio.current_time()
        match case.kind:
            case Kind.KILL:
                await node.kill()
                node.launch()
            case Kind.PAUSE:
                await pause_root(node)
            case Kind.CRASH | Kind.HANG:
                pass
        await node.wait_ready()
        self.tally.struck(Struck(str(case), round((trio.current_time() - struck_at) * 1_000)))

    async def _check(self, node: Node, schema: str) -> None:
        look = Look(node.state, schema=schema)
        network_id = network_id_of(local_genesis(node.state.key().node_id))
        try:
            has_begun = await is_soon(lambda: look.run(is_caught_up), STRIKE_S)
            self.tally.check(Check(Invariant.ALIVE, 1, () if has_begun else ("no genesis record",)))
            found = await look.run(
                lambda connection: _checks(look.database, network_id, connection)
            )
        finally:
            look.close()
        for check in found:
            self.tally.check(check)
        await node.stop()


def _checks(database: Database, network_id: str, connection: Connection) -> list[Check]:
    log = Log.read(connection, network_id)
    return [
        check_log(connection),
        check_once(log),
        check_projections(database, network_id, connection),
    ]


def _command(state: StateDir, case: Case) -> tuple[str, ...]:
    order = case.order
    return (
        *(sys.executable, *MODULE, "--state-dir", str(state.path), "--fault", order.fault),
        *("--actor", case.actor, "--point", case.point, "--duration-ms", str(order.delay_ms)),
    )
