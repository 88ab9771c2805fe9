"""Governance in memory, shared by its finalizers: operations over it without a database or disk.

Each finalizer has a log of its own, with its sign-locks; what one appends all know at once.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar, cast

import attrs

from wattswarm.actors.messages import Append, Appended, AppendRefused
from wattswarm.actors.runtime.world import RealClock
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import decode
from wattswarm.kernel.governance import (
    Governance,
    Role,
    Version,
    draft_update,
    genesis,
    network_id_of,
)
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.signature import KeyPair
from wattswarm.operations.amending import Amending
from wattswarm.operations.governance import GovernanceBooks
from wattswarm.operations.naming import as_task_id, pick
from wattswarm.operations.speech import Pen
from wattswarm.operations.stating import Stating
from wattswarm.operations.targets import EventTarget
from wattswarm.store.log_record import Entry, LockRefused, Stored
from wattswarm.store.memory_log import MemoryLog, MemoryLogWriter

if TYPE_CHECKING:
    from wattswarm.operations.derivation import Governing
    from wattswarm.store.pool import Reads

T = TypeVar("T")

NO_CONNECTION: Final = None
KEYS: Final = tuple(KeyPair.from_seed(bytes([number]) * 32) for number in range(1, 4))
EVENTS: Final = {
    EventId(b"\xe1" * 32): "TASK_CLAIMED",
    EventId(b"\xe1\xe2" * 16): "CANDIDATE_PROPOSED",
    EventId(b"\xe3" * 32): "DECISION_FINALIZED",
}
"""The events of some task, by their kinds."""

RECORD: Final = genesis(KEYS[0].node_id, members={key.node_id: frozenset(Role) for key in KEYS[1:]})


@attrs.frozen
class Clock(RealClock):
    """A clock that shows one time."""

    now_ms: int = 1_780_000_000_000

    def wall_ms(self) -> int:
        """Return that time."""
        return self.now_ms


@attrs.define
class InMemory:
    """What the operations read governance from: `Reads` and `Governing` in one."""

    known: Governance

    async def run(self, read: Callable[[None], T]) -> T:
        """Read at once."""
        return read(NO_CONNECTION)

    def decide(self, _connection: None, ask: Callable[[Governance], T]) -> T:
        """Return what `ask` makes of governance."""
        return ask(self.known)


@attrs.frozen
class OwnLog:
    """One finalizer's log, and what it knows of governance."""

    source: InMemory
    writer: MemoryLogWriter = attrs.field(factory=lambda: MemoryLogWriter(MemoryLog()))

    async def append(self, request: Append) -> Appended | AppendRefused:
        """Append events with their locks, as the log's writer does."""
        events = [decode(wire, network_id=self.source.known.network_id) for wire in request.events]
        group = [
            Entry(event=event, received_at=0, locks=request.locks if event is events[0] else ())
            for event in events
        ]
        answer = self.writer.append([group])
        match answer.outcomes[0]:
            case Stored(positions):
                for event in events:
                    self.source.known.add(event)
                return Appended(
                    seqs=tuple(each.seq for each in positions),
                    already=tuple(each.is_known for each in positions),
                    head=answer.head.seq,
                    term=1,
                )
            case LockRefused():
                return AppendRefused("lock_held", "this node has signed another")
            case other:
                raise AssertionError(other)


@attrs.frozen
class Finalizer:
    """One finalizer's operations, and its log."""

    key: KeyPair
    log: OwnLog
    writes: Amending
    states: Stating
    reads: GovernanceBooks

    @classmethod
    def of(cls, key: KeyPair, known: Governance) -> "Finalizer":
        """Return a finalizer that knows this governance."""
        source = InMemory(known)
        log, clock = OwnLog(source), Clock()
        reads, governing = cast("Reads", source), cast("Governing", source)
        pen = Pen(key=key, append=log.append, network_id=known.network_id)
        return cls(
            key=key,
            log=log,
            writes=Amending(reads=reads, governing=governing, pen=pen, clock=clock),
            states=Stating(reads=reads, governing=governing, pen=pen, clock=clock, find=find),
            reads=GovernanceBooks(reads=reads, governing=governing, me=key.node_id, clock=clock),
        )

    @property
    def known(self) -> Governance:
        """What this finalizer knows."""
        return self.log.source.known

    def forget(self, known: Governance) -> None:
        """Know no more than this; what was signed stays in the log, and locked."""
        self.log.source.known = known


def find(_connection: object, name: str) -> EventTarget | Rejection:
    """Return an event of `EVENTS` by a prefix, or any other by its whole id."""
    whole = as_task_id(name)
    if whole is not None:
        return EventTarget(whole, EVENTS.get(whole))
    found = pick(EVENTS, name, "event")
    return found if isinstance(found, Rejection) else EventTarget(found, EVENTS[found])


def known_from(record: Version, key: KeyPair) -> Governance:
    """Return governance that begins with a record."""
    known = Governance(network_id_of(record))
    known.add(draft_update(record, {}, 1).sign(known.network_id, key))
    return known


@attrs.define
class Council:
    """Three finalizers of one network, two of whom have to sign."""

    record: Version = RECORD
    known: Governance = attrs.field(
        default=attrs.Factory(lambda made: known_from(made.record, KEYS[0]), takes_self=True)
    )
    finalizers: list[Finalizer] = attrs.field(
        default=attrs.Factory(lambda made: _in_turn(made.record, made.known), takes_self=True)
    )
    """In the order in which they draft the first change."""

    @property
    def me(self) -> Finalizer:
        """Whose turn it is at first."""
        return self.finalizers[0]

    @property
    def other(self) -> Finalizer:
        """Who would be next."""
        return self.finalizers[1]


def _in_turn(record: Version, known: Governance) -> list[Finalizer]:
    keys = {key.node_id: key for key in KEYS}
    return [Finalizer.of(keys[node], known) for node in drafters(record.id, record.finalizers)]
