"""A rebuild of the derived tables from the log, beside the live ones: compare, and swap in.

Blocks; called in a thread by the node, and by commands that run without one. The live builder may
go on meanwhile: the two sets are compared at a position that both have reached.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import attrs

from wattswarm.actors.deriving import Derived as DerivedBatch
from wattswarm.actors.deriving import Deriver
from wattswarm.kernel.ids import Digest, Seq
from wattswarm.kernel.scope_digest import whole_digest
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.log_reader import START, LogReader
from wattswarm.store.projection_reader import Derived, ProjectionReader
from wattswarm.store.projections import Projections
from wattswarm.store.shadow import Shadow

NAME: Final = "rebuild"
PAGE: Final = 2_048
"""Longer than a live batch: a task of many events is then written once."""

COMPARE_TRIES_MAX: Final = 100
"""Looks at the live tables until all of their shards stand at one position."""


class Cancelled(Exception):
    """The rebuild was told to stop; the live tables are as they were."""


@attrs.frozen(kw_only=True)
class Rebuild:
    """What a rebuild came to.

    `differing` are the scopes in which the live tables did not equal the rebuilt ones at `compared`
    (None: they were never at one position, so nothing was compared).
    """

    seq: Seq
    scopes: Mapping[str, Digest]
    compared: Seq | None
    differing: tuple[str, ...]
    groups: int

    @property
    def digest(self) -> Digest:
        """One digest over all scopes."""
        return whole_digest(self.scopes)


@attrs.define
class Rebuilder:
    """One rebuild.

    Args:
        progress: Called with the position reached and the head, after each batch; what it raises
            ends the rebuild.
    """

    database: Database
    network_id: str
    progress: Callable[[Seq, Seq], None]
    _seq: Seq = attrs.field(init=False, default=START)

    def run(self, *, is_verify_only: bool) -> Rebuild:
        """Rebuild, compare, and swap unless only verifying.

        Raises:
            StoreUnavailable, StoreFull, LogDamaged: The live tables are as they were.
        """
        shadow = Shadow(self.database)
        projections = shadow.create()
        try:
            with (
                self.database.connect(Purpose.READER) as connection,
                shadow.connect() as rebuilt,
            ):
                deriver = self._deriver(connection, rebuilt)
                return self._run(connection, deriver, projections, shadow, is_verify_only)
        finally:
            projections.close()
            shadow.discard()

    def _run(
        self,
        connection: Connection,
        deriver: Deriver,
        projections: Projections,
        shadow: Shadow,
        is_verify_only: bool,
    ) -> Rebuild:
        live, log = ProjectionReader(connection), LogReader(connection)
        self._derive_to(min(live.cursors().values(), default=START), log, deriver, projections)
        seen = _at_one_position(live)
        if seen is not None:
            self._derive_to(seen.seq, log, deriver, projections)
        rebuilt = shadow.derived()
        differing = () if seen is None else _differing(seen, rebuilt)
        compared = None if seen is None else seen.seq
        if not is_verify_only:
            self._derive_to(log.head().seq, log, deriver, projections)
            rebuilt = shadow.derived()
            for name, shards in Counter(name for name, _ in live.cursors()).items():
                projections.share(name, shards)
            shadow.swap({})
        return Rebuild(
            seq=self._seq,
            scopes={scope: found.digest for scope, found in rebuilt.scopes.items()},
            compared=compared,
            differing=differing,
            groups=sum(found.groups for found in rebuilt.scopes.values()),
        )

    def _deriver(self, connection: Connection, rebuilt: Connection) -> Deriver:
        return Deriver(
            network_id=self.network_id,
            shard=0,
            shards=1,
            shard_key=b"",
            history=LogReader(connection).events_of_tasks,
            pinned=ProjectionReader(rebuilt).tasks_waiting_for,
            touched=LogReader(connection).tasks_about,
            posted=LogReader(connection).taskless_about,
        )

    def _derive_to(
        self, end: Seq, log: LogReader, deriver: Deriver, projections: Projections
    ) -> None:
        """Derive up to exactly `end`; one batch is written while the next is derived."""
        with ThreadPoolExecutor(1) as threads:
            writing: Future[None] | None = None
            while self._seq < end:
                batch = log.read(self._seq, limit=min(PAGE, end - self._seq))
                derived = deriver.derive(batch)
                if writing is not None:
                    writing.result()
                seq = batch[-1].seq
                writing = threads.submit(_write, projections, derived, self._seq, seq)
                self._seq = seq
                self.progress(self._seq, end)
            if writing is not None:
                writing.result()


def _write(projections: Projections, derived: DerivedBatch, expected: Seq, seq: Seq) -> None:
    projections.advance(
        NAME,
        0,
        expected=expected,
        seq=seq,
        groups=derived.groups,
        quarantined=derived.quarantined,
    )


def _at_one_position(live: ProjectionReader) -> Derived | None:
    """Return the live digests of a moment at which all shards stand at one position."""
    for _ in range(COMPARE_TRIES_MAX):
        seen = live.derived()
        if len(set(seen.cursors.values())) <= 1:
            return seen
    return None


def _differing(live: Derived, rebuilt: Derived) -> tuple[str, ...]:
    scopes = live.scopes.keys() | rebuilt.scopes.keys()
    found = sorted(scope for scope in scopes if live.scopes.get(scope) != rebuilt.scopes.get(scope))
    return tuple(found)
