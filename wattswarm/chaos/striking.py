"""One fault after the other: arm it, make the node pass the point, wait until it has struck."""

import signal
from typing import Final

import attrs
import trio

from wattswarm.chaos.cases import PAUSE_MS, Case, Drive, Kind
from wattswarm.chaos.load import Load
from wattswarm.chaos.subject import API, Node, Unreachable
from wattswarm.surface.chaos import FaultOrder

ARM_S: Final = 20.0
"""Longest wait for a node that lets a fault be armed."""

DRIVE_S: Final = 1.5
"""A point that was not passed by then is driven at again."""

ROUNDS_MAX: Final = 8
POLL_S: Final = 0.01
POISON: Final = FaultOrder(
    fault="crash", target="config_watcher", point="reload.before", times=3, for_ms=5_000
)
"""Three crashes by one message bury it, which is what the keeper of dead letters lives for."""

RESTART_DATABASE: Final = FaultOrder(fault="restart", target="postgres")


class NotStruck(Exception):
    """The node never passed the point: the campaign lacks a way to make it."""


@attrs.define(eq=False, kw_only=True)
class Striker:
    """Strikes at one node. Args: nursery: Where requests go on that a fault keeps from ending."""

    node: Node
    load: Load
    nursery: trio.Nursery

    async def strike(self, case: Case) -> float:
        """Return when the fault struck, on trio's clock; it has run its course when it is a pause.

        Raises:
            NotStruck: The node does not pass the point.
            NodeGaveUp: It ended before that.
        """
        for _ in range(ROUNDS_MAX):
            number = await self._arm(case.order)
            for _ in range(2):
                await self._drive(case)
                if await self._wait_struck(number):
                    struck_at = trio.current_time()
                    await self._carry_out(case)
                    return struck_at
        raise NotStruck(str(case))

    async def _arm(self, order: FaultOrder) -> int:
        """Arm it, in place of whatever was armed in vain."""
        give_up = trio.current_time() + ARM_S
        while True:
            try:
                await self.node.call("DELETE", f"{API}/chaos/faults")
                return await self.node.arm(order)
            except Unreachable:
                self.node.check_alive()
                if trio.current_time() >= give_up:
                    raise NotStruck(f"not armed within {ARM_S:g} s") from None
            await trio.sleep(POLL_S)

    async def _drive(self, case: Case) -> None:
        match case.drive:
            case Drive.RESTART:
                self.nursery.start_soon(self.node.restart_actor, case.actor)
            case Drive.REPLAY:
                self.nursery.start_soon(self._replay)
            case Drive.RELOAD:
                self.node.signal(signal.SIGHUP)
            case Drive.POISON:
                await self._arm_more(POISON)
                self.node.signal(signal.SIGHUP)
            case Drive.DATABASE:
                self.nursery.start_soon(self._restart_database)
            case Drive.LOAD:
                self.load.wants_failing = case.point == "report.before"
                self.load.hurry()
            case Drive.FIRST_START:
                raise AssertionError(case)

    async def _arm_more(self, order: FaultOrder) -> None:
        try:
            await self.node.arm(order)
        except Unreachable:
            return  # the next round does it again

    async def _replay(self) -> None:
        await self.node.try_call("POST", f"{API}/log/replay", body={"verify": False})

    async def _restart_database(self) -> None:
        await self.node.try_call("POST", f"{API}/chaos/faults", body=attrs.asdict(RESTART_DATABASE))

    async def _wait_struck(self, number: int) -> bool:
        """Return whether the fault of this number struck within the patience of one drive."""
        with trio.move_on_after(DRIVE_S):
            while not any(strike.number == number for strike in self.node.strikes()):
                self.node.check_alive()
                await trio.sleep(POLL_S)
            return True
        return False

    async def _carry_out(self, case: Case) -> None:
        """Do from outside what nobody can do to the root process from within."""
        if not case.is_in_root:
            return
        match case.kind:
            case Kind.KILL:
                await self.node.kill()
                await self.node.start()
            case Kind.PAUSE:
                await pause_root(self.node)
            case _:
                return


async def pause_root(node: Node) -> None:
    """Stop the root process for a while."""
    node.signal(signal.SIGSTOP)
    await trio.sleep(PAUSE_MS / 1_000)
    node.signal(signal.SIGCONT)
