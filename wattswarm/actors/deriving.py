"""From rows of the log to rows of projections, for one shard of the tasks and of the board.

What it holds is a cache: the machine of a task that is not in memory is made again from the log.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

import attrs

from wattswarm.actors.runtime.boundary import Crash, attempt
from wattswarm.kernel import board
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import NOTHING, Changes, Governance
from wattswarm.kernel.hashing import keyed
from wattswarm.kernel.ids import Digest, EventId, NodeId, Seq, TaskId
from wattswarm.kernel.rows import rows
from wattswarm.kernel.task import TaskMachine, derive
from wattswarm.store.log_reader import GOVERNANCE_KINDS
from wattswarm.store.log_record import LogRow
from wattswarm.store.projections import Quarantined
from wattswarm.store.tables import (
    BOARD_MARK,
    GroupRows,
    board_group,
    governance_group,
    task_group,
)

MACHINES_MAX: Final = 4_096
"""Tasks that are kept derived: those that are being worked on are among the last that changed."""

History: TypeAlias = Callable[[Collection[TaskId], Seq], Mapping[TaskId, Sequence[LogRow]]]
"""Reads all rows of tasks up to a position."""

Touched: TypeAlias = Callable[[Collection[EventId], Collection[NodeId], Seq], Collection[TaskId]]
"""Reads which tasks have some events, or events of some authors, up to a position."""

Posted: TypeAlias = Callable[
    [Collection[EventId], Collection[NodeId], Seq], Iterable[Sequence[LogRow]]
]
"""Reads pages of those of some events, and of events of some authors, that name no task."""

Pinned: TypeAlias = Callable[[Collection[Digest]], Collection[TaskId]]
"""Reads which tasks wait for governance versions to become valid."""


@attrs.frozen
class Derived:
    """What some rows of the log come to: groups to be replaced, and groups that failed.

    `tasks` are those among the groups that are tasks.
    """

    groups: tuple[GroupRows, ...]
    quarantined: tuple[Quarantined, ...]
    tasks: tuple[TaskId, ...] = ()


@attrs.frozen
class News:
    """What a batch is about: the new rows of each task of this shard, and rows of the board.

    Rows of the board are new, or older and spoken about by a statement.
    """

    tasks: Mapping[TaskId, Sequence[LogRow]]
    board: Sequence[LogRow]
    is_governance_new: bool


@attrs.define(kw_only=True)
class Deriver:
    """Derives one shard; blocks while it reads, so it is called in a thread.

    Args:
        shard_key: 32 bytes of this node's own, so that nobody can aim tasks at one shard.
        history, pinned, touched, posted: How it reads what it has not in memory.
    """

    network_id: str
    shard: int
    shards: int
    shard_key: bytes = attrs.field(repr=False)
    history: History
    pinned: Pinned
    touched: Touched
    posted: Posted
    _governance: Governance = attrs.field(init=False)
    _machines: OrderedDict[TaskId, TaskMachine] = attrs.field(
        init=False, factory=OrderedDict[TaskId, TaskMachine]
    )

    def __attrs_post_init__(self) -> None:
        self._governance = Governance(self.network_id)

    def learn_governance(self, events: Sequence[Event]) -> None:
        """Take in governance that lies before the first row to derive."""
        for event in events:
            self._governance.add(event)

    def derive(self, batch: Sequence[LogRow]) -> Derived:
        """Return what the next rows of the log change; they follow each other without a gap."""
        before, end = Seq(batch[0].seq - 1), batch[-1].seq
        news = self._sort(batch, before)
        missing = [task_id for task_id in news.tasks if task_id not in self._machines]
        past: Mapping[TaskId, Sequence[LogRow]] = self.history(missing, before) if missing else {}
        groups: list[GroupRows] = []
        quarantined: list[Quarantined] = []
        tasks: list[TaskId] = []
        if news.is_governance_new and self.shard == 0:
            groups.append(governance_group(self.network_id, self._governance.rows()))
        for task_id, fresh in news.tasks.items():
            made = attempt(partial(self._group, task_id, (*past.get(task_id, ()), *fresh)))
            if isinstance(made, Crash):
                self._machines.pop(task_id, None)
                quarantined.append(Quarantined(task_id, end, made.sentence))
            else:
                groups.append(made)
                tasks.append(task_id)
        for row in news.board:
            said = attempt(partial(self._said, row))
            if isinstance(said, Crash):
                quarantined.append(Quarantined(BOARD_MARK + row.event_id, end, said.sentence))
            else:
                groups.append(said)
        self._forget()
        return Derived(tuple(groups), tuple(quarantined), tuple(tasks))

    def _sort(self, batch: Sequence[LogRow], before: Seq) -> News:
        """Return the rows of this shard, and whether there is news of governance."""
        changed: dict[TaskId, list[LogRow]] = {}
        said: dict[EventId, LogRow] = {}
        changes = NOTHING
        is_governance_new = False
        for row in batch:
            if row.kind in GOVERNANCE_KINDS:
                changes |= self._governance.add(row.event())
                is_governance_new = True
            elif row.task_id is not None:
                if self.is_ours(row.task_id):
                    changed.setdefault(row.task_id, []).append(row)
            elif self._is_on_our_board(row):
                said[row.event_id] = row
        for task_id in self._concerned(changes, before):
            if self.is_ours(task_id):
                changed.setdefault(task_id, [])
        if changes.events or changes.nodes:
            for page in self.posted(changes.events, changes.nodes, before):
                said |= {row.event_id: row for row in page if self._is_on_our_board(row)}
        return News(changed, tuple(said.values()), is_governance_new)

    def _concerned(self, changes: Changes, before: Seq) -> Iterator[TaskId]:
        """Yield the tasks that governance changes something for.

        Those with events that a statement is about are derived from scratch: what is effective may
        not be any more. So are those in which a bug of ours strikes.
        """
        if changes.versions:
            for task_id, machine in [*self._machines.items()]:
                made = attempt(partial(machine.governance_changed, changes.versions))
                if isinstance(made, Crash):
                    del self._machines[task_id]
                if made:
                    yield task_id
            yield from self.pinned(changes.versions)
        if changes.events or changes.nodes:
            for task_id in self.touched(changes.events, changes.nodes, before):
                self._machines.pop(task_id, None)
                yield task_id

    def is_ours(self, name: EventId) -> bool:
        """Tell whether a task, or an event of the board, belongs to this shard."""
        if self.shards == 1:
            return True
        return int.from_bytes(keyed(self.shard_key, name)[:8], "big") % self.shards == self.shard

    def _is_on_our_board(self, row: LogRow) -> bool:
        return row.kind in board.KINDS and self.is_ours(row.event_id)

    def _said(self, row: LogRow) -> GroupRows:
        event = row.event()
        return board_group(event.event_id, event.scope, board.rows(event, self._governance))

    def afresh(self, task_id: TaskId, log: Sequence[LogRow]) -> GroupRows | Crash:
        """Return the group of a task from all of its rows of the log; nothing is remembered."""
        return attempt(partial(self._afresh, task_id, log))

    def _afresh(self, task_id: TaskId, log: Sequence[LogRow]) -> GroupRows:
        state = derive(task_id, (row.event() for row in log), self._governance)
        return task_group(task_id, state.scope, rows(state))

    def _group(self, task_id: TaskId, news: Sequence[LogRow]) -> GroupRows:
        machine = self._machines.get(task_id) or TaskMachine(task_id, self._governance)
        machine.add(row.event() for row in news)
        self._machines[task_id] = machine
        self._machines.move_to_end(task_id)
        state = machine.state
        return task_group(task_id, state.scope, rows(state))

    def _forget(self) -> None:
        while len(self._machines) > MACHINES_MAX:
            self._machines.popitem(last=False)
