"""The tasks that the dispatcher has in memory, and how they are kept up with the log.

A cache with a position: events are read once, those that this actor wrote itself not at all. Tasks
that changed, or whose date has come, are on the agenda. A docket that a bug of ours struck is read
again before its task is tried again.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final, TypeAlias, TypeVar

import attrs
import trio

from wattswarm.actors.dispatch.agenda import Agenda
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.isolation import Isolation
from wattswarm.actors.dispatch.reach import Reach
from wattswarm.actors.messages import Appended
from wattswarm.actors.runtime.boundary import Crash
from wattswarm.actors.session import Session
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import NOTHING, Changes, Governance
from wattswarm.kernel.ids import TaskId
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import END, GOVERNANCE_KINDS, START, LogReader, last_seq
from wattswarm.store.log_record import LogRow
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.store.signing import FREE, Signing, Standing

T = TypeVar("T")

Answers: TypeAlias = Callable[[Sequence[TaskId]], Awaitable[Mapping[bytes, Mapping[bytes, bytes]]]]

PAGE: Final = 512
DOCKETS_MAX: Final = 4_096
"""Tasks held in memory; others are read again when their turn comes."""

SPOILT: Final = Crash("the task is set aside", "")


@attrs.define(kw_only=True)
class Dockets:
    """Dockets by task, with the governance that they are judged by.

    Args:
        session: A reader's.
        answers: Reads the answers that were stored for the executions of tasks.
        agenda: Where tasks are marked that are to be looked at.
        isolation: Sets aside the tasks that a bug strikes.
        standing: Whether this node signs anything, as of the last look at the log.
    """

    network_id: str
    session: Session
    answers: Answers
    agenda: Agenda
    isolation: Isolation
    reach: Reach = attrs.field(factory=Reach)
    governance: Governance = attrs.field(init=False)
    standing: Standing = attrs.field(init=False, default=FREE)
    _known: OrderedDict[TaskId, Docket] = attrs.field(
        init=False, factory=OrderedDict[TaskId, Docket]
    )

    def __attrs_post_init__(self) -> None:
        self.governance = Governance(self.network_id)

    def __len__(self) -> int:
        return len(self._known)

    async def begin(self, now_ms: int) -> None:
        """Put unfinished tasks on the agenda; go on reading where their projection ends."""
        await self.session.run(lambda connection: self._find(connection, now_ms))

    async def tail(self) -> None:
        """Learn what the log has beyond what is known, and whether this node may sign."""
        while True:
            rows, self.standing = await self.session.run(self._next_rows)
            if not rows:
                return
            changes = self._learn(rows)
            if changes.events or changes.nodes:
                await self._begin_anew(changes)
            self.reach.read_to(last_seq(rows, START))
            if len(rows) < PAGE and not self.reach.is_behind:
                return
            await trio.lowlevel.checkpoint()

    async def open(self, tasks: Sequence[TaskId]) -> Sequence[Docket]:
        """Return the dockets of tasks; those that are not in memory are read, all at once.

        Those that a bug strikes are left out: they are set aside.
        """
        missing = [task_id for task_id in tasks if not self._is_sound(task_id)]
        if missing:
            await self._read(missing)
        for task_id in tasks:
            if task_id in self._known:
                self._known.move_to_end(task_id)
        return [self._known[task_id] for task_id in tasks if self._is_sound(task_id)]

    def attempt(self, docket: Docket, work: Callable[[], T]) -> T | Crash:
        """Return what `work` makes of a docket; when a bug strikes, its task is set aside."""
        if docket.is_spoilt:
            return SPOILT
        made = self.isolation.attempt(docket.task_id, work)
        if isinstance(made, Crash):
            docket.is_spoilt = True
        return made

    def wrote(self, docket: Docket, events: Sequence[Event], answer: Appended) -> None:
        """Take in events of this actor's own that stand in the log."""
        self.attempt(docket, lambda: docket.learn(events))
        docket.vouch(events)
        self.reach.wrote(answer.seqs, answer.head)

    def mark_all(self) -> None:
        """Have every task in memory looked at."""
        for task_id in self._known:
            self.agenda.mark(task_id)

    def forget(self) -> None:
        """Drop the oldest idle dockets when there are too many."""
        surplus = max(0, len(self._known) - DOCKETS_MAX)
        idle = (task_id for task_id, docket in self._known.items() if docket.is_idle)
        for task_id in tuple(islice(idle, surplus)):
            del self._known[task_id]

    def _is_sound(self, task_id: TaskId) -> bool:
        docket = self._known.get(task_id)
        return docket is not None and not docket.is_spoilt

    async def _read(self, tasks: Sequence[TaskId]) -> None:
        """Derive tasks from the log, each for itself."""
        found = await self.session.run(
            lambda connection: LogReader(connection).events_of_tasks(tasks, END)
        )
        answers = await self.answers(tasks)
        for task_id, rows in found.items():
            made = self.isolation.attempt(task_id, partial(self._derived, task_id, rows))
            if isinstance(made, Crash):
                continue
            docket = self._known.setdefault(task_id, made)
            docket.restore(made)
            docket.answers.update(answers.get(task_id, {}))

    def _derived(self, task_id: TaskId, rows: Iterable[LogRow]) -> Docket:
        return Docket.open(task_id, self.governance, (row.event() for row in rows))

    def _next_rows(self, connection: Connection) -> tuple[Sequence[LogRow], Standing]:
        """Return rows, and a standing that is no older: what comes after a word is read with it."""
        rows = LogReader(connection).read(self.reach.seq, limit=PAGE)
        return rows, Signing(connection).standing()

    def _find(self, connection: Connection, now_ms: int) -> None:
        projections, log = ProjectionReader(connection), LogReader(connection)
        self.reach.read_to(min(projections.cursors().values(), default=START))
        found: Sequence[TaskId] = ()
        while found := projections.unfinished_tasks(
            now_ms, after=found[-1] if found else b"", limit=PAGE
        ):
            for task_id in found:
                self.agenda.mark(task_id)
        seq = START
        while rows := log.governance_events(seq, limit=PAGE):
            for row in rows:
                self.governance.add(row.event())
            seq = last_seq(rows, seq)

    async def _begin_anew(self, changes: Changes) -> None:
        """Have the tasks read again that have events which statements are about.

        What is said of a node may be said of this one: then there is more to do, or less, anywhere.
        """
        if changes.nodes:
            self.mark_all()
        for task_id in await self.session.run(
            lambda connection: LogReader(connection).tasks_about(changes.events, changes.nodes)
        ):
            if task_id in self._known:
                self._known[task_id].is_spoilt = True
            self.agenda.mark(task_id)

    def _learn(self, rows: Sequence[LogRow]) -> Changes:
        changes = NOTHING
        for row in rows:
            if row.kind in GOVERNANCE_KINDS:
                changes |= self._learn_governance(row.event())
            elif row.task_id is not None:
                docket = self._known.get(row.task_id)
                if docket is None:
                    self.agenda.mark(row.task_id)
                elif not docket.knows(row.event_id):
                    self.attempt(docket, partial(_learn_row, docket, row))
                    self.agenda.mark(row.task_id)
        return changes

    def _learn_governance(self, event: Event) -> Changes:
        changes = self.governance.add(event)
        for docket in self._known.values() if changes.versions else ():
            self.attempt(docket, partial(docket.governance_changed, changes.versions))
            self.agenda.mark(docket.task_id)
        return changes


def _learn_row(docket: Docket, row: LogRow) -> None:
    docket.learn((row.event(),))
