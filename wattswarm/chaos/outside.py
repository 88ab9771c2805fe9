"""Faults that no point has: the database dies, and writers of the log that were stopped wake up."""

import os
import signal
import time
from typing import Final

import attrs
import psutil
import trio

from wattswarm.chaos.cases import Special
from wattswarm.chaos.load import Load
from wattswarm.chaos.look import Look
from wattswarm.chaos.striking import RESTART_DATABASE
from wattswarm.chaos.subject import API, Node, Unreachable
from wattswarm.chaos.waiting import is_soon
from wattswarm.kernel.event import Event
from wattswarm.store import postmaster
from wattswarm.store.audit import Audit
from wattswarm.store.errors import Fenced, StoreUnavailable
from wattswarm.store.event_log import LogWriter
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import Entry, Stored

LOG_GROUP: Final = "log"
REPLACED_S: Final = 20.0


class NotDone(Exception):
    """The fault could not be made to happen."""


@attrs.define(eq=False, kw_only=True)
class Outside:
    """Strikes at one node. Args: owner: Looks with the rights of the database's owner."""

    node: Node
    load: Load
    owner: Look

    async def strike(self, special: Special) -> float:
        """Return when the fault struck, on trio's clock."""
        match special:
            case Special.DATABASE_RESTART:
                return await self._restart_database()
            case Special.DATABASE_KILL:
                return self._kill_database()
            case Special.SESSION_KILL:
                return await self._kill_session()
            case Special.OLD_WRITER:
                return await self._wake_old_writer()
            case Special.STOPPED_WORKER:
                return await self._stop_worker()

    async def _restart_database(self) -> float:
        struck_at = trio.current_time()
        try:
            order = attrs.asdict(RESTART_DATABASE)
            answer = await self.node.call(
                "POST", f"{API}/chaos/faults", body=order, timeout_s=REPLACED_S
            )
        except Unreachable as error:
            raise NotDone(f"the database was not restarted: {error}") from error
        if not answer.is_ok:
            raise NotDone(f"the database was not restarted: {answer.document}")
        return struck_at

    def _kill_database(self) -> float:
        living = postmaster.find(self.node.state.postgres_path)
        if living is None:
            raise NotDone("there is no database server")
        os.kill(living.pid, signal.SIGKILL)
        return trio.current_time()

    async def _kill_session(self) -> float:
        """Kill the server's process behind the writer: the server throws all sessions out."""
        pids = await self.owner.run(lambda connection: Audit(connection).writer_backends())
        if not pids:
            raise NotDone("the writer has no session")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return trio.current_time()

    async def _stop_worker(self) -> float:
        """Stop the process of the log until it is replaced, then let the old one go on."""
        struck_at = trio.current_time()
        pid = (await self.node.pids())[LOG_GROUP]
        os.kill(pid, signal.SIGSTOP)
        is_replaced = await is_soon(lambda: self._is_replaced(pid), REPLACED_S)
        _wake(pid)
        if not is_replaced:
            raise NotDone("a stopped worker was not replaced")
        return struck_at

    async def _is_replaced(self, pid: int) -> bool:
        try:
            return (await self.node.pids())[LOG_GROUP] not in (0, pid)
        except Unreachable:
            return False

    async def _wake_old_writer(self) -> float:
        """Stop the whole node, write in its place, wake it up; then it is we who were replaced."""
        first, second = self.load.foreign_events(2)
        writer = LogWriter(self.owner.database)
        stopped = _stop_all(self.node.pid)
        try:
            term = await trio.to_thread.run_sync(self._usurp, writer, first)
        finally:
            struck_at = trio.current_time()
            for pid in stopped:
                _wake(pid)
        await self._wait_taken_back(term)
        await trio.to_thread.run_sync(self._write_when_fenced, writer, second)
        return struck_at

    def _usurp(self, writer: LogWriter, event: Event) -> int:
        """Take the log over, write one event, and return our term."""
        term = writer.open().term
        written = writer.append([[_entry(event)]])
        (outcome,) = written.outcomes
        assert isinstance(outcome, Stored), outcome
        self.load.record.acknowledged[event.event_id] = outcome.positions[0].seq
        return term

    async def _wait_taken_back(self, term: int) -> None:
        """Return when the log has a writer of a later term than ours."""

        async def is_later() -> bool:
            try:
                head = await self.owner.run(lambda connection: LogReader(connection).head())
            except StoreUnavailable:
                return False
            return head.term > term

        if not await is_soon(is_later, REPLACED_S):
            raise NotDone("the node did not take its log back")

    def _write_when_fenced(self, writer: LogWriter, event: Event) -> None:
        """Try to write as the writer that was replaced; whatever it may do, it must not write."""
        try:
            writer.append([[_entry(event)]])
        except (Fenced, StoreUnavailable):
            return
        finally:
            writer.close()
        self.load.record.faults.append("a writer that had been replaced wrote to the log")


def _entry(event: Event) -> Entry:
    return Entry(event=event, received_at=time.time_ns() // 1_000_000)


def _stop_all(pid: int) -> list[int]:
    """Stop a process and all its children; the database is none of them. Return their pids."""
    root = psutil.Process(pid)
    children = root.children(recursive=True)
    stopped = [root, *(one for one in children if not one.name().startswith("postgres"))]
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    return [process.pid for process in stopped]


def _wake(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return
