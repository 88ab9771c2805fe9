"""The event log and what is derived from it."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import trio

from wattswarm.actors.foreign import parcels
from wattswarm.actors.messages import Ingest, Rebuild, Rebuilt
from wattswarm.actors.runtime.errors import ActorError
from wattswarm.actors.runtime.ref import Ref
from wattswarm.kernel.archive import Whole, read
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import Seq
from wattswarm.kernel.limits import BATCH_EVENTS_MAX
from wattswarm.kernel.scope_digest import whole_digest
from wattswarm.operations.derivation import Governing
from wattswarm.operations.event_view import event_page, judged_view
from wattswarm.operations.failing import of_actor_error
from wattswarm.operations.ingestion import Ingestion
from wattswarm.operations.judging import judged
from wattswarm.operations.naming import find_event
from wattswarm.operations.reading import projected_seq
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_verify import Flaw, Verification, verify_log
from wattswarm.store.pool import Reads
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.log import (
    Digests,
    EventPage,
    EventView,
    Ingested,
    LogFault,
    LogHead,
    Replayed,
    ScopeDigest,
    Verified,
)

REBUILDER: Final = "projection_rebuilder"
VERIFIER: Final = "verifier"
REBUILD_S: Final = 6 * 3_600.0
INGEST_S: Final = 120.0


@attrs.define(eq=False, kw_only=True)
class Log:
    """`LogOperations` over the store, the verifier and the rebuilder.

    Attributes:
        progress: What long work is in hand, and how far it is, in words.
    """

    reads: Reads
    governing: Governing
    database: Database
    ref: Callable[[str], Ref[Any]]
    network_id: str
    is_ingest_enabled: bool
    progress: dict[str, str] = attrs.field(factory=dict[str, str], init=False)

    async def log_head(self) -> LogHead:
        """Return where the log ends."""
        return await self.reads.run(_head)

    async def events(self, *, after: int, limit: int) -> EventPage:
        """Return events in the order of the log."""

        def page(connection: Connection) -> EventPage:
            reader = LogReader(connection)
            rows = reader.read(Seq(after), limit=limit + 1)
            return event_page(rows, limit, reader.head().seq)

        return await self.reads.run(page)

    async def event(self, name: str) -> EventView | Rejection:
        """Return one event, with what became of it."""

        def look(connection: Connection) -> EventView | Rejection:
            found = find_event(connection, name)
            if isinstance(found, Rejection):
                return found
            return judged_view(found, judged(connection, found, self.governing))

        return await self.reads.run(look)

    async def digests(self) -> Digests:
        """Return the digests of all scopes, of one moment."""
        return await self.reads.run(_digests)

    # --- long work ------------------------------------------------------------------------------

    async def verify_log(self) -> Verified:
        """Check the whole log in a thread, with a session of its own; ends early when cancelled."""
        began = trio.current_time()
        try:
            found, event_id = await trio.to_thread.run_sync(self._verify)
        finally:
            self.progress.pop("log verify", None)
        return Verified(
            ok=found.is_sound,
            events=found.checked,
            head_seq=found.head.seq,
            chain=found.head.chain.hex(),
            duration_ms=_since(began),
            fault=None if found.flaw is None else _fault(found.flaw, event_id),
        )

    def _verify(self) -> tuple[Verification, str]:
        def tell(checked: int, total: int) -> None:
            trio.from_thread.check_cancelled()
            self.progress["log verify"] = f"{checked} of {total} events"

        with self.database.connect(Purpose.READER, name="wattswarm:verify") as connection:
            found = verify_log(connection, tell)
            seq = None if found.flaw is None else found.flaw.seq
            row = None if seq is None else LogReader(connection).at(seq)
            return found, "" if row is None else row.event_id.hex()

    async def replay_log(self, *, verify: bool) -> Replayed | Rejection:
        """Rebuild the projections beside the live ones; compare, or swap them in."""
        began = trio.current_time()
        self.progress["log replay"] = "begun"
        try:
            request = Rebuild(is_verify_only=verify)
            rebuilt = await self.ref(REBUILDER).ask(request, deadline_s=REBUILD_S)
        except ActorError as error:
            return of_actor_error(error)
        finally:
            self.progress.pop("log replay", None)
        return await self._replayed(rebuilt, _since(began))

    async def _replayed(self, rebuilt: Rebuilt, duration_ms: int) -> Replayed:
        derived = await self.reads.run(lambda connection: ProjectionReader(connection).derived())
        return Replayed(
            events=rebuilt.seq,
            groups=rebuilt.groups,
            duration_ms=duration_ms,
            digest=rebuilt.digest.hex(),
            verified=rebuilt.is_compared,
            equal=not rebuilt.differing if rebuilt.is_compared else None,
            differing_scopes=rebuilt.differing,
            quarantined=tuple(item.group_id.hex() for item in derived.quarantined),
        )

    async def ingest(self, archive: bytes) -> Ingested | Rejection:
        """Append the authentic events of an archive; a part of it may be in when this fails.

        Nothing of it is, when it cannot be taken apart to its end. Giving it again is safe.
        """
        if not self.is_ingest_enabled:
            return Rejection(
                code="ingest_disabled",
                message="this node takes no archives: set ingest.enabled and start it again",
            )
        try:
            events, whole = await trio.to_thread.run_sync(read, archive)
        except Malformed as error:
            return Rejection(code="malformed", message=str(error), details={"rule": error.code})
        if whole.network_id != self.network_id:
            return foreign_archive(whole.network_id, self.network_id)
        return await self._bring(events, whole)

    async def _bring(self, events: Sequence[bytes], whole: Whole) -> Ingested | Rejection:
        made = Ingestion()
        try:
            for request in parcels(events, events_max=BATCH_EVENTS_MAX):
                answer = await self.ref(VERIFIER).ask(Ingest(request), deadline_s=INGEST_S)
                made.count(request, answer)
        except ActorError as error:
            return of_actor_error(error)
        return made.view((await self.log_head()).seq, intact=whole.is_intact)


def foreign_archive(network_id: str, own: str) -> Rejection:
    """Return the refusal of an archive of another network."""
    return Rejection(
        code="wrong_network",
        message=f"the archive is of network {network_id}, and this node is of {own}",
    )


def _head(connection: Connection) -> LogHead:
    head = LogReader(connection).head()
    return LogHead(
        seq=head.seq,
        chain=head.chain.hex(),
        writer_term=head.term,
        projected_seq=projected_seq(connection),
    )


def _digests(connection: Connection) -> Digests:
    derived = ProjectionReader(connection).derived()
    scopes = tuple(
        ScopeDigest(scope=name, digest=scope.digest.hex(), groups=scope.groups)
        for name, scope in sorted(derived.scopes.items())
    )
    return Digests(
        digest=whole_digest({name: s.digest for name, s in derived.scopes.items()}).hex(),
        projected_seq=derived.seq,
        head_seq=LogReader(connection).head().seq,
        scopes=scopes,
    )


def _fault(flaw: Flaw, event_id: str) -> LogFault:
    return LogFault(seq=flaw.seq or 0, event_id=event_id, code=flaw.code, message=flaw.message)


def _since(began_s: float) -> int:
    return int((trio.current_time() - began_s) * 1_000)
