"""One node, its load and its share of the faults: struck one by one, and checked at the end."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import attrs
import trio

from wattswarm.chaos.cases import Case, Step
from wattswarm.chaos.executors import Executors, running_executors
from wattswarm.chaos.invariants import (
    Check,
    Invariant,
    Log,
    check_acknowledged,
    check_calls,
    check_committed,
    check_log,
    check_once,
    check_outcomes,
    check_projections,
    check_writer,
)
from wattswarm.chaos.leftovers import check_leftovers
from wattswarm.chaos.load import Load
from wattswarm.chaos.look import Look
from wattswarm.chaos.outcome import Struck, Tally
from wattswarm.chaos.outside import NotDone, Outside
from wattswarm.chaos.striking import NotStruck, Striker
from wattswarm.chaos.subject import API, Node, NodeGaveUp, Unreachable
from wattswarm.chaos.waiting import is_soon
from wattswarm.config.state_dir import StateDir
from wattswarm.store.audit import Audit
from wattswarm.store.connection import Connection, Purpose
from wattswarm.store.embedded import EmbeddedPostgres
from wattswarm.store.errors import StoreUnavailable
from wattswarm.store.log_reader import LogReader
from wattswarm.store.postmaster import StopMode
from wattswarm.store.projection_reader import ProjectionReader

FIRST_WORK_S: Final = 40.0
RECOVERY_S: Final = 30.0
REST_S: Final = 30.0
POISONED: Final = "config_watcher"
"""The one actor whose messages the campaign buries on purpose."""


@attrs.define(eq=False, kw_only=True)
class Lane:
    """A node in `folder`, with executors and a load. Use `open_lane`."""

    node: Node
    load: Load
    look: Look
    owner: Look
    executors: Executors
    tally: Tally
    nursery: trio.Nursery

    async def run(self, steps: Sequence[Step]) -> None:
        """Strike each fault and wait until the node works again; then check everything."""
        for step in steps:
            await self._step(step)
        await self._finish()

    async def _step(self, step: Step) -> None:
        try:
            struck_at = await self._strike(step)
        except (NotStruck, NotDone) as error:
            self.tally.missed(f"{step}: {error}")
            return
        except NodeGaveUp as error:
            await self._revive(f"at {step}: {error}")
            return
        worked = await self._works_again(step, struck_at)
        took_ms = round((trio.current_time() - struck_at) * 1_000)
        self.tally.struck(Struck(str(step), took_ms if worked else None))

    async def _strike(self, step: Step) -> float:
        if isinstance(step, Case):
            striker = Striker(node=self.node, load=self.load, nursery=self.nursery)
            return await striker.strike(step)
        outside = Outside(node=self.node, load=self.load, owner=self.owner)
        return await outside.strike(step)

    async def _works_again(self, step: Step, struck_at: float) -> bool:
        """Return whether the node does work that was begun after the fault, within patience."""

        async def works() -> bool:
            self.node.check_alive()
            return self.load.has_worked_since(struck_at) and await self.node.is_well()

        self.load.hurry()
        try:
            if await is_soon(works, RECOVERY_S):
                return True
        except NodeGaveUp as error:
            await self._revive(f"after {step}: {error}")
            return False
        await self._kill_and_start(
            f"no work within {RECOVERY_S:g} s after {step} "
            f"({await self.node.ailment() or 'all actors are up'}; "
            f"{self.load.standstill(struck_at)})"
        )
        return False

    async def _revive(self, what: str) -> None:
        self.tally.violation(Invariant.ALIVE, what)
        self.node.discard()
        await self.node.start()

    async def _kill_and_start(self, what: str) -> None:
        self.tally.violation(Invariant.ALIVE, what)
        await self.node.kill()
        await self.node.start()

    # --- the end --------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Let the load end, start the node anew, and check what it holds and what it leaves."""
        if not await self.load.rest(REST_S):
            self.tally.violation(
                Invariant.ALIVE, f"{self.load.open_tasks} tasks did not become final"
            )
        await self._check_letters()
        await self._stop()
        await self.node.start()
        await is_soon(self._is_caught_up, REST_S)
        await self._check()
        await self._stop()
        orphans = tuple(f"{what} outlived its root" for what in self.node.orphans)
        self.tally.check(Check(Invariant.LEFTOVERS, self.node.kills, orphans))
        self.tally.check(
            await trio.to_thread.run_sync(check_leftovers, self.node.state, self.node.mark)
        )

    async def _stop(self) -> None:
        self.look.close()
        self.owner.close()
        status = await self.node.stop()
        faults = () if status == 0 else (f"the node stopped with status {status}",)
        self.tally.check(Check(Invariant.ALIVE, 1, faults))

    async def _check_letters(self) -> None:
        if not await is_soon(self._are_letters_shown, REST_S):
            self.tally.violation(Invariant.ALIVE, "no dead letters were shown")

    async def _are_letters_shown(self) -> bool:
        """Check the dead letters, unless the API is just being started anew by the last fault."""
        try:
            answer = await self.node.call("GET", f"{API}/dead-letters")
        except Unreachable:
            return False
        letters = answer.document.get("items", ())
        found = [f"{one['actor']}: {one['error']}" for one in letters if one["actor"] != POISONED]
        wrong = tuple(f"a message was buried by {what}" for what in found)
        self.tally.check(Check(Invariant.ALIVE, len(letters), wrong))
        return True

    async def _is_caught_up(self) -> bool:
        try:
            return await self.look.run(is_caught_up)
        except StoreUnavailable:
            return False

    async def _check(self) -> None:
        calls = self.executors.calls()
        faults = tuple(self.load.record.faults)
        self.tally.check(Check(Invariant.ACKNOWLEDGED, 0, faults))
        for check in await self.look.run(lambda connection: self._log_checks(connection)):
            self.tally.check(check)
        audit = await self.owner.run(lambda connection: Audit(connection).writes())
        self.tally.check(check_writer(audit))
        answers = await self.owner.run(lambda connection: Audit(connection).answers())
        answered_ns = {key.hex(): at_us * 1_000 for key, at_us in answers.items()}
        self.tally.check(check_calls(calls, answered_ns))

    def _log_checks(self, connection: Connection) -> list[Check]:
        record, network_id = self.load.record, self.load.network_id
        log = Log.read(connection, network_id)
        return [
            check_acknowledged(log, record.acknowledged),
            check_log(connection),
            check_once(log),
            check_projections(self.look.database, network_id, connection),
            check_committed(log, self.executors.calls()),
            check_outcomes(log, record.outcomes),
        ]


def is_caught_up(connection: Connection) -> bool:
    """Tell whether the projections stand at the end of a log that has begun."""
    cursors = ProjectionReader(connection).cursors()
    head = LogReader(connection).head().seq
    return bool(cursors and head) and all(seq == head for seq in cursors.values())


@asynccontextmanager
async def open_lane(
    folder: Path, dice: Random, tally: Tally, settings: Mapping[str, int | str]
) -> AsyncGenerator[Lane]:
    """Start a node with executors and a load, and end all of it after the block, whatever happens.

    Args:
        folder: Exists and is empty; its path is short enough for sockets.
        settings: Of the node, beside those of every node under test.
    """
    state = StateDir(folder / "node")
    state.prepare()
    node = Node(state=state, mark=str(folder), journal=folder / "node.log", settings=settings)
    look, owner = Look(state), Look(state, Purpose.OWNER)
    try:
        async with running_executors(folder / "calls") as executors:
            await node.start()
            await owner.run(lambda connection: Audit(connection).begin())
            await _register(node, executors)
            load = Load(node=node, look=look, dice=dice)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(load.run)
                lane = Lane(
                    node=node,
                    load=load,
                    look=look,
                    owner=owner,
                    executors=executors,
                    tally=tally,
                    nursery=nursery,
                )
                await lane_works(lane)
                yield lane
                nursery.cancel_scope.cancel()
    finally:
        look.close()
        owner.close()
        await node.close()
        server = EmbeddedPostgres(state.path, fsync=False)
        await trio.to_thread.run_sync(server.stop, StopMode.IMMEDIATE)


async def lane_works(lane: Lane) -> None:
    """Return when the first task is final.

    Raises:
        NodeGaveUp: It is not, in time.
    """

    async def works() -> bool:
        lane.node.check_alive()
        return lane.load.has_worked_since(-1.0)

    if not await is_soon(works, FIRST_WORK_S):
        raise NodeGaveUp(f"no task became final: {lane.node.last_words()}")


async def _register(node: Node, executors: Executors) -> None:
    for name, url in executors.urls.items():
        answer = await node.call("POST", f"{API}/executors", body={"name": name, "base_url": url})
        assert answer.is_ok, answer.document
