"""The invariants of docs/invariants.md, each as a check over what a node left behind.

A check says how many things it looked at and, in sentences, which of them do not hold. It believes
no actor: it reads the tables, the journals of the executors, the processes and the files.
"""

import enum
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.actors.rebuilding import Rebuilder
from wattswarm.chaos.calls import Call
from wattswarm.kernel.execution import execution_id
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import EventId, Seq, TaskId, short
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import derive
from wattswarm.store.audit import Write
from wattswarm.store.connection import Connection, Database
from wattswarm.store.log_reader import GOVERNANCE_KINDS, START, LogReader, last_seq
from wattswarm.store.log_record import LogRow
from wattswarm.store.log_verify import verify_log
from wattswarm.store.projection_reader import ProjectionReader

PAGE: Final = 1_024
SHOWN_MAX: Final = 20
"""Violations that are told in words; all are counted."""


class Invariant(enum.StrEnum):
    """What must hold, by its number in docs/invariants.md."""

    ACKNOWLEDGED = "I1 nothing acknowledged is missing"
    LOG = "I2 the log verifies"
    ONCE = "I3 no event stands twice"
    PROJECTIONS = "I4 projections equal their rebuild"
    COMMITTED = "I5 nothing is executed from what was not committed"
    WRITER = "I6 only the holder of the term writes"
    OUTCOMES = "I7 at most one outcome, which never changes"
    CALLS = "I8 no executor is called again for a stored answer"
    LEFTOVERS = "I9 nothing is left behind"
    ALIVE = "the node never gives up, and no message is buried"


@attrs.frozen
class Check:
    """How one invariant fared: what was looked at, and what does not hold."""

    invariant: Invariant
    checked: int
    violations: tuple[str, ...] = ()


Acknowledged = Mapping[EventId, Seq | None]
"""Events that were acknowledged, with the position that was told, if one was."""

Outcome = Mapping[TaskId, EventId]
"""The candidate that was seen to be final, by task."""


@attrs.frozen
class Log:
    """The whole log as it stands, read once, with its tasks derived from scratch."""

    rows: tuple[LogRow, ...]
    tasks: Mapping[TaskId, TaskState]

    @classmethod
    def read(cls, connection: Connection, network_id: str) -> "Log":
        """Read it all."""
        rows = tuple(_rows(LogReader(connection)))
        return cls(rows, dict(_derived(rows, network_id)))


def check_acknowledged(log: Log, acknowledged: Acknowledged) -> Check:
    """I1: every event that was answered for is in the log, at the position that was told."""
    found = {row.event_id: row.seq for row in log.rows}
    wrong = [
        f"event {short(event_id)} was acknowledged at {seq} and is at {found.get(event_id)}"
        for event_id, seq in acknowledged.items()
        if event_id not in found or (seq is not None and found[event_id] != seq)
    ]
    return Check(Invariant.ACKNOWLEDGED, len(acknowledged), tuple(wrong))


def check_log(connection: Connection) -> Check:
    """I2: numbers, ids, signatures, chain and tries are right."""
    found = verify_log(connection)
    wrong = () if found.flaw is None else (f"{found.flaw.code}: {found.flaw.message}",)
    return Check(Invariant.LOG, found.checked, wrong)


def check_once(log: Log) -> Check:
    """I3: no event id has two rows."""
    times = Counter(row.event_id for row in log.rows)
    wrong = [f"event {short(name)} stands {n} times" for name, n in times.items() if n > 1]
    return Check(Invariant.ONCE, len(log.rows), tuple(wrong))


def check_projections(database: Database, network_id: str, connection: Connection) -> Check:
    """I4: the live tables equal a rebuild, at the end of the log and with nothing quarantined."""
    rebuilt = Rebuilder(database, network_id, _no_progress).run(is_verify_only=True)
    live = ProjectionReader(connection).derived()
    wrong = [f"scope {scope} differs from its rebuild" for scope in rebuilt.differing]
    if rebuilt.compared is None:
        wrong.append("live and rebuilt tables were never at one position")
    head = LogReader(connection).head().seq
    if live.seq != head:
        wrong.append(f"the projections stand at {live.seq}, the log at {head}")
    wrong += [f"a group is quarantined: {item}" for item in live.quarantined]
    return Check(Invariant.PROJECTIONS, rebuilt.groups, tuple(wrong))


def check_committed(log: Log, calls: Sequence[Call]) -> Check:
    """I5: whatever an executor was asked stood in the log as a claim before it was asked."""
    since = _runs(log)
    wrong: list[str] = []
    for call in calls:
        claimed_ms = since.get(call.key)
        if claimed_ms is None:
            wrong.append(f"{call.executor} was asked to {call.call} for a claim not in the log")
        elif claimed_ms * 1_000_000 > call.at_ns:
            wrong.append(f"{call.executor} was asked to {call.call} before the claim was received")
    return Check(Invariant.COMMITTED, len(calls), tuple(wrong))


def check_writer(writes: Sequence[Write]) -> Check:
    """I6: every insert was by the session whose term was in force, and terms only rise."""
    wrong = [
        f"{write.session} wrote {write.first_seq}-{write.last_seq} under term {write.writer_term}"
        for write in writes
        if not write.is_by_holder
    ]
    highest = 0
    for write in writes:
        if write.writer_term < highest:
            wrong.append(f"term {write.writer_term} wrote {write.first_seq} after term {highest}")
        highest = max(highest, write.writer_term)
    return Check(Invariant.WRITER, sum(write.events for write in writes), tuple(wrong))


def check_outcomes(log: Log, seen: Outcome) -> Check:
    """I7: an epoch has one final candidate, each signer one, and what was seen final still is."""
    wrong = [sentence for state in log.tasks.values() for sentence in _outcome_faults(state)]
    for task_id, candidate in seen.items():
        state = log.tasks.get(task_id)
        outcomes = () if state is None else state.outcomes
        if candidate not in {outcome.candidate for outcome in outcomes}:
            wrong.append(f"the outcome of task {short(task_id)} was seen and has changed")
    return Check(Invariant.OUTCOMES, len(log.tasks) + len(seen), tuple(wrong))


def check_calls(calls: Sequence[Call], answered_ns: Mapping[str, int]) -> Check:
    """I8: no request came after the answer under its key was stored."""
    wrong = [
        f"{call.executor} was asked to {call.call} again, "
        f"{(call.at_ns - answered_ns[call.key]) / 1e6:.1f} ms after its answer was stored"
        for call in calls
        if call.key in answered_ns and call.at_ns > answered_ns[call.key]
    ]
    return Check(Invariant.CALLS, len(calls), tuple(wrong))


# --- within -------------------------------------------------------------------------------------


def _rows(log: LogReader) -> Iterator[LogRow]:
    seq = START
    while rows := log.read(seq, limit=PAGE):
        yield from rows
        seq = last_seq(rows, seq)


def _derived(rows: Sequence[LogRow], network_id: str) -> Iterator[tuple[TaskId, TaskState]]:
    governance = Governance(network_id)
    tasks: dict[TaskId, list[LogRow]] = defaultdict(list)
    for row in rows:
        if row.kind in GOVERNANCE_KINDS:
            governance.add(row.event())
        elif row.task_id is not None:
            tasks[row.task_id].append(row)
    for task_id, its_rows in tasks.items():
        yield task_id, derive(task_id, [row.event() for row in its_rows], governance)


def _runs(log: Log) -> Mapping[str, int]:
    """Return every run that a claim in the log stands for, and since when (ms)."""
    received = {row.event_id: row.received_at for row in log.rows}
    since: dict[str, int] = {}
    for state in log.tasks.values():
        for claim in state.claims.values():
            subjects = (None,) if claim.role is Work.PROPOSE else tuple(state.candidates)
            for candidate in subjects:
                key = execution_id(state.task_id, claim, candidate)
                at_ms = max(received[name] for name in (claim.event_id, candidate) if name)
                since[key] = min(at_ms, since.get(key, at_ms))
    return since


def _outcome_faults(state: TaskState) -> Iterator[str]:
    for outcome in state.outcomes:
        if outcome.is_disputed:
            yield f"task {short(state.task_id)} has two outcomes in epoch {outcome.label.epoch}"
    signed: defaultdict[tuple[object, bytes], set[EventId]] = defaultdict(set[EventId])
    for seal in state.seals:
        signed[seal.label, seal.signer].add(seal.candidate)
    for (_, signer), candidates in signed.items():
        if len(candidates) > 1:
            yield f"{short(signer)} signed {len(candidates)} outcomes of {short(state.task_id)}"


def _no_progress(_done: Seq, _end: Seq) -> None:
    return
