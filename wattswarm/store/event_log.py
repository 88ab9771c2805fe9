"""The writer of the log: the only code that inserts into it.

One thread, one connection. A batch is one transaction: it checks the writer's term and holds the
head, leaves out what is known, numbers the rest without gaps, continues the chain, keeps the
sign-locks and grows the time-tries. So a writer that was replaced cannot write, whatever it
believes, and a crash at any point leaves a whole batch or nothing of it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import attrs
import psycopg

from wattswarm.kernel import chain, radix_trie, time_trie
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import Digest, EventId, NodeId, Seq
from wattswarm.kernel.radix_trie import Delta
from wattswarm.store.append_plan import AppendPlan, LockName, plan_append, signed_elsewhere
from wattswarm.store.connection import Connection, Database, Purpose, translated
from wattswarm.store.errors import Fenced, StoreError, StoreUnavailable
from wattswarm.store.lane_tries import LaneTries
from wattswarm.store.log_record import Appended, Entry, Group, Head, Unstorable
from wattswarm.store.queries import load
from wattswarm.store.signing import FREE, Signing, Standing

EVENT_LOG: Final = load("event_log")

POINTS: Final = (
    "before_begin",
    "after_fence",
    "after_dedupe",
    "after_insert",
    "after_trie",
    "before_commit",
    "after_commit",
)
"""Where a fault may strike: the names that `point` is called with, in order."""

AFTER_ALARM: Final = "after_alarm"
"""One more, which only a clone or a restored backup brings a writer to."""

POISON: Final = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
)
"""What the database says to an event that it will never take."""

LaneName: TypeAlias = tuple[str, str]


def _no_fault(_name: str) -> None:
    return


def _no_alarm(_event: Event) -> None:
    return


@attrs.define
class LogWriter:
    """Appends to the log, one batch at a time; owned by one thread.

    Args:
        database: Migrated. point: Called at each of `POINTS`; what it raises ends the batch there.
        own: This node: when somebody brings an event of its key that the log does not hold, signing
            is stopped for good before the event is taken. None: nothing is looked for.
        alarm: Is told of such an event, in the thread of `append`.
    """

    database: Database
    point: Callable[[str], None] = _no_fault
    own: NodeId | None = None
    alarm: Callable[[Event], None] = _no_alarm
    _connection: Connection | None = attrs.field(default=None, init=False)
    _term: int | None = attrs.field(default=None, init=False)
    _lanes: dict[LaneName, int] = attrs.field(factory=dict[LaneName, int], init=False)
    _tries: LaneTries = attrs.field(factory=LaneTries, init=False)

    def open(self) -> Head:
        """Take the log over: end the session of the writer before us, raise the term, read the
        head.

        Raises:
            StoreUnavailable: The server does not answer, or the other writer does not go away.
        """
        self.close()
        connection = self.database.connect_bare("wattswarm:log:starting")
        try:
            with translated():
                head = self._take_over(connection)
                self._lanes = _read_lanes(connection)
                self._tries.load(connection)
                self.database.configure(connection, Purpose.LOG)
        except BaseException:
            connection.close()
            raise
        self._connection, self._term = connection, head.term
        return head

    def close(self) -> None:
        """End the session; the locks fall with it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def append(self, groups: Sequence[Group]) -> Appended:
        """Have every group of the batch in the log, or an answer why it is not.

        Appending an event that is there already is an answer, not an error: after a lost commit the
            same batch is appended again, and nothing is stored twice. A lost session is replaced by
            the next call.

        Args:
            groups: In order; at most 512 events or 1 MiB in all.

        Raises:
            Fenced: Another writer has the log; nothing was written.
            StoreFull: Nothing was written.
            StoreUnavailable: Nothing was written, unless `is_commit_unknown`.
        """
        connection = self._connected()
        try:
            return self._append(connection, groups)
        except StoreUnavailable as error:
            self.close()
            self._raise_if_replaced(error)
            raise
        except BaseException:
            self._abandon(connection)
            raise

    def probe(self) -> None:
        """Return when a transaction that writes has committed: the disk has room again.

        Raises:
            StoreFull, StoreUnavailable, Fenced: As `append`.
        """
        connection = self._connected()
        with translated():
            written = connection.execute(EVENT_LOG["probe"], {"term": self._term})
        if written.rowcount != 1:
            raise self._fenced()

    def _append(self, connection: Connection, groups: Sequence[Group]) -> Appended:
        try:
            return self._transact(connection, groups)
        except POISON as error:
            self._abandon(connection)
            if len(groups) == 1:
                head = self._transact(connection, ()).head
                return Appended((Unstorable(str(error).strip().partition("\n")[0]),), head)
        # One group spoils the batch; halving finds it in a few tries and stores all others.
        half = len(groups) // 2
        left = self._append(connection, groups[:half])
        right = self._append(connection, groups[half:])
        return Appended((*left.outcomes, *right.outcomes), right.head)

    def _transact(self, connection: Connection, groups: Sequence[Group]) -> Appended:
        self.point("before_begin")
        with translated():
            head, plan = self._begin(connection, groups)
            if isinstance(plan, Event):
                self._stop_signing(connection, plan, groups[0][0].received_at)
                return self._transact(connection, groups)
            if plan.is_empty:
                connection.execute(EVENT_LOG["rollback"])
                return Appended(plan.outcomes, head)
            head, lanes, deltas = self._write(connection, head, plan)
        self.point("before_commit")
        with translated(is_commit=True):
            connection.execute(EVENT_LOG["commit"])
        self._lanes.update(lanes)
        self._tries.keep(deltas)
        self.point("after_commit")
        return Appended(plan.outcomes, head)

    def _stop_signing(self, connection: Connection, event: Event, at_ms: int) -> None:
        """Have it on the disk that nothing is signed, before the event is taken that shows why."""
        connection.execute(EVENT_LOG["rollback"])
        Signing(connection).suspect(event.event_id, at_ms)
        self.alarm(event)
        self.point(AFTER_ALARM)

    def _begin(
        self, connection: Connection, groups: Sequence[Group]
    ) -> tuple[Head, AppendPlan | Event]:
        """Open the transaction, holding the head, and decide what the batch adds.

        Where an event shows that somebody else signs with this node's key, that is returned.
        """
        entries = [entry for group in groups for entry in group]
        locks = [lock for entry in entries for lock in entry.locks]
        names = {"kinds": [lock.kind for lock in locks], "keys": [lock.key for lock in locks]}
        with connection.pipeline():
            connection.execute(EVENT_LOG["begin"])
            fence = connection.execute(EVENT_LOG["fence"], {"term": self._term}, binary=True)
            ids = [entry.event.event_id for entry in entries]
            known = connection.execute(EVENT_LOG["known"], {"ids": ids}, binary=True)
            held = connection.execute(EVENT_LOG["held"], names, binary=True) if locks else ()
        head = self._head(fence.fetchone())
        self.point("after_fence")
        positions = {EventId(event_id): Seq(seq) for event_id, seq in known}
        standing = self._standing(connection, entries)
        found = signed_elsewhere(groups, positions, self.own, standing)
        if found is not None and not standing.is_stopped:
            return head, found
        plan = plan_append(
            groups, last_seq=head.seq, known=positions, held=_held(held), standing=standing
        )
        self.point("after_dedupe")
        return head, plan

    def _standing(self, connection: Connection, entries: Sequence[Entry]) -> Standing:
        """Return whether this node may sign; not asked where nothing in a batch is of its key."""
        is_ours = any(entry.is_own or entry.event.author == self.own for entry in entries)
        return Signing(connection).standing() if is_ours else FREE

    def _write(
        self, connection: Connection, head: Head, plan: AppendPlan
    ) -> tuple[Head, Mapping[LaneName, int], Mapping[int, Delta]]:
        """Write everything but the commit; return the head after it and what to keep then."""
        events = [entry.event for entry in plan.added]
        chains = chain.links(head.chain, (event.event_id for event in events))
        lanes = self._new_lanes(events)
        lane_nos = [{**self._lanes, **lanes}[_lane(event)] for event in events]
        deltas = self._tries.grow(connection, _keys(lane_nos, events))
        if lanes:
            connection.execute(EVENT_LOG["insert_lanes"], _lane_columns(lanes))
        if events:
            columns = _event_columns(plan.added, lane_nos, chains)
            added = connection.execute(
                EVENT_LOG["insert_events"], {"last_seq": head.seq, **columns}
            )
            assert added.rowcount == len(events), (added.rowcount, len(events))
        self.point("after_insert")
        after = attrs.evolve(
            head, seq=Seq(head.seq + len(events)), chain=chains[-1] if chains else head.chain
        )
        with connection.pipeline():
            _write_tries(connection, deltas)
            if plan.locks:
                connection.execute(EVENT_LOG["insert_locks"], _lock_columns(plan))
            connection.execute(
                EVENT_LOG["advance"],
                {"last_seq": after.seq, "chain": after.chain, "term": after.term},
            )
        self.point("after_trie")
        return after, lanes, deltas

    def _new_lanes(self, events: Iterable[Event]) -> Mapping[LaneName, int]:
        names = dict.fromkeys(_lane(event) for event in events)
        missing = [name for name in names if name not in self._lanes]
        return {name: number for number, name in enumerate(missing, len(self._lanes) + 1)}

    def _head(self, row: tuple[int, bytes, bytes] | None) -> Head:
        if row is None or self._term is None:
            raise self._fenced()
        seq, last, feed_epoch = row
        return Head(seq=Seq(seq), chain=Digest(last), term=self._term, feed_epoch=feed_epoch)

    def _connected(self) -> Connection:
        if self._connection is None:
            if self._term is not None:
                self._raise_if_replaced(None)
            self.open()
        assert self._connection is not None
        return self._connection

    def _abandon(self, connection: Connection) -> None:
        """Give the transaction up; nothing is to be forgotten, caches change after commits only."""
        try:
            connection.execute(EVENT_LOG["rollback"])
        except psycopg.Error:
            self.close()

    def _take_over(self, connection: Connection) -> Head:
        self.database.configure(connection, Purpose.OWNER)
        key = {"key": self.database.lock_key(connection.info.dbname, "log")}
        connection.execute(EVENT_LOG["limit_waiting"])
        connection.execute(EVENT_LOG["end_predecessor"], key)
        connection.execute(EVENT_LOG["take_lock"], key)
        row = connection.execute(EVENT_LOG["next_term"], binary=True).fetchone()
        assert row is not None
        seq, last, term, feed_epoch = row
        connection.execute(EVENT_LOG["show_term"], {"term": str(term)})
        return Head(seq=Seq(seq), chain=Digest(last), term=term, feed_epoch=feed_epoch)

    def _raise_if_replaced(self, cause: StoreError | None) -> None:
        """Raise `Fenced` when the log can be asked and says that it has another writer."""
        try:
            with self.database.connect(Purpose.READER) as connection, translated():
                row = connection.execute(EVENT_LOG["current_term"]).fetchone()
        except StoreUnavailable:
            return
        if row is not None and row[0] != self._term:
            raise self._fenced(row[0]) from cause

    def _fenced(self, current_term: int | None = None) -> Fenced:
        self.close()
        return Fenced(term=self._term or 0, current_term=current_term)


def _lane(event: Event) -> LaneName:
    return event.scope, event.lane_class.value


def _read_lanes(connection: Connection) -> dict[LaneName, int]:
    rows = connection.execute(EVENT_LOG["lanes"], binary=True)
    return {(scope, lane_class): lane_no for lane_no, scope, lane_class in rows}


def _held(rows: Iterable[tuple[str, bytes, bytes]]) -> Mapping[LockName, bytes]:
    return {(kind, key): value for kind, key, value in rows}


def _keys(lane_nos: Sequence[int], events: Sequence[Event]) -> Mapping[int, Sequence[bytes]]:
    keys: dict[int, list[bytes]] = defaultdict(list)
    for lane_no, event in zip(lane_nos, events, strict=True):
        keys[lane_no].append(time_trie.key(event.created_at, event.event_id))
    return keys


def _event_columns(
    added: Sequence[Entry], lane_nos: Sequence[int], chains: Sequence[Digest]
) -> Mapping[str, Sequence[object]]:
    events = [entry.event for entry in added]
    return {
        "event_ids": [event.event_id for event in events],
        "lane_nos": list(lane_nos),
        "created_ats": [event.created_at for event in events],
        "received_ats": [entry.received_at for entry in added],
        "authors": [event.author for event in events],
        "task_ids": [event.group_task for event in events],
        "kinds": [event.kind for event in events],
        "signatures": [event.signature for event in events],
        "chains": list(chains),
        "bodies": [event.body for event in events],
    }


def _lane_columns(lanes: Mapping[LaneName, int]) -> Mapping[str, Sequence[object]]:
    return {
        "lane_nos": list(lanes.values()),
        "scopes": [scope for scope, _class in lanes],
        "classes": [lane_class for _scope, lane_class in lanes],
    }


def _lock_columns(plan: AppendPlan) -> Mapping[str, Sequence[object]]:
    return {
        "kinds": [lock.kind for lock, _seq in plan.locks],
        "keys": [lock.key for lock, _seq in plan.locks],
        "values": [lock.value for lock, _seq in plan.locks],
        "seqs": [seq for _lock, seq in plan.locks],
    }


def _write_tries(connection: Connection, deltas: Mapping[int, Delta]) -> None:
    pages = [
        (lane_no, prefix, radix_trie.encode_page(page))
        for lane_no, delta in deltas.items()
        for prefix, page in delta.pages.items()
    ]
    if pages:
        lane_nos, prefixes, encoded = map(list, zip(*pages, strict=True))
        connection.execute(
            EVENT_LOG["write_pages"],
            {"lane_nos": lane_nos, "prefixes": prefixes, "pages": encoded},
        )
    if deltas:
        connection.execute(
            EVENT_LOG["write_roots"],
            {
                "lane_nos": list(deltas),
                "counts": [delta.root.count for delta in deltas.values()],
                "digests": [delta.root.digest for delta in deltas.values()],
            },
        )
