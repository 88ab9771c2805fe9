"""From rows of the log to rows of projections, for one shard of the tasks.

What it holds is a cache: the machine of a task that is not in memory is made again from the log.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

import attrs

from wattswarm.actors.runtime.boundary import Crash, attempt
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import NOTHING, Changes, Governance
from wattswarm.kernel.hashing import keyed
from wattswarm.kernel.ids import Digest, EventId, NodeId, Seq, TaskId
from wattswarm.kernel.rows import rows
from wattswarm.kernel.task import TaskMachine, derive
from wattswarm.store.log_reader import GOVERNANCE_KINDS
from wattswarm.store.log_record import LogRow
from wattswarm.store.projections import Quarantined
from wattswarm.store.tables import GroupRows, governance_group, task_group

MACHINES_MAX: Final = 4_096
"""Tasks that are kept derived: those that are being worked on are among the last that changed."""

History: TypeAlias = Callable[[Collection[TaskId], Seq], Mapping[TaskId, Sequence[LogRow]]]
"""Reads all rows of tasks up to a position."""

Touched: TypeAlias = Callable[[Collection[EventId], Collection[NodeId], Seq], Collection[TaskId]]
"""Reads which tasks have some events, or events of some authors, up to a position."""

Pinned: TypeAlias = Callable[[Collection[Digest]], Collection[TaskId]]
"""Reads which tasks wait for governance versions to become valid."""


@attrs.frozen
class Derived:
    """What some rows of the log come to: groups to be replaced, and groups that failed."""

    groups: tuple[GroupRows, ...]
    quarantined: tuple[Quarantined, ...]


@attrs.define(kw_only=True)
class Deriver:
    """Derives one shard; blocks while it reads, so it is called in a thread.

    Args:
        shard_key: 32 bytes of this node's own, so that nobody can aim tasks at one shard.
        history, pinned, touched: How it reads what it has not in memory.
    """

    network_id: str
    shard: int
    shards: int
    shard_key: bytes = attrs.field(repr=False)
    history: History
    pinned: Pinned
    touched: Touched
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
        changed, is_governance_new = self._sort(batch, before)
        missing = [task_id for task_id in changed if task_id not in self._machines]
        past: Mapping[TaskId, Sequence[LogRow]] = self.history(missing, before) if missing else {}
        groups: list[GroupRows] = []
        quarantined: list[Quarantined] = []
        if is_governance_new and self.shard == 0:
            groups.append(governance_group(self.network_id, self._governance.rows()))
        for task_id, news in changed.items():
            made = attempt(partial(self._group, task_id, (*past.get(task_id, ()), *news)))
            if isinstance(made, Crash):
                self._machines.pop(task_id, None)
                quarantined.append(Quarantined(task_id, end, made.sentence))
            else:
                groups.append(made)
        self._forget()
        return Derived(tuple(groups), tuple(quarantined))

    def _sort(
        self, batch: Sequence[LogRow], before: Seq
    ) -> tuple[Mapping[TaskId, Sequence[LogRow]], bool]:
        """Return the rows of each task of this shard, and whether there is news of governance."""
        changed: dict[TaskId, list[LogRow]] = {}
        changes = NOTHING
        is_governance_new = False
        for row in batch:
            if row.kind in GOVERNANCE_KINDS:
                changes |= self._governance.add(row.event())
                is_governance_new = True
            elif row.task_id is not None and self.is_ours(row.task_id):
                changed.setdefault(row.task_id, []).append(row)
        for task_id in self._concerned(changes, before):
            if self.is_ours(task_id):
                changed.setdefault(task_id, [])
        return changed, is_governance_new

    def _concerned(self, changes: Changes, before: Seq) -> Iterator[TaskId]:
        """Yield the tasks that governance changes something for.

        Those with events that a statement is about are derived from scratch: what is effective may
        not be any more.
        """
        if changes.versions:
            for task_id, machine in self._machines.items():
                if machine.governance_changed(changes.versions):
                    yield task_id
            yield from self.pinned(changes.versions)
        if changes.events or changes.nodes:
            for task_id in self.touched(changes.events, changes.nodes, before):
                self._machines.pop(task_id, None)
                yield task_id

    def is_ours(self, task_id: TaskId) -> bool:
        """Tell whether a task belongs to this shard."""
        if self.shards == 1:
            return True
        return int.from_bytes(keyed(self.shard_key, task_id)[:8], "big") % self.shards == self.shard

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
