"""The artifact store as an operator sees it: what is there, who names it, and what may go.

One collection runs at a time. The periodic one is the same as the one that is asked for; what fails
in it is told in the node's log, and the next one begins anew.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import attrs
import trio

from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.settings import ArtifactsSection
from wattswarm.kernel.errors import Rejection, WattSwarmError
from wattswarm.operations.bodies import find_digest
from wattswarm.store.artifact_names import NO_TASK, ArtifactNames
from wattswarm.store.artifacts import SCHEME, ArtifactStore, StoredArtifact
from wattswarm.store.collector import Collector, Retention
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.log_reader import LogReader
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.artifact import (
    ArtifactLine,
    ArtifactPage,
    ArtifactRecord,
    ArtifactsCollected,
    ArtifactsVerified,
)
from wattswarm.surface.words import when

PAGE: Final = 512
LISTED_MAX: Final = 100

T = TypeVar("T")


def retention(settings: ArtifactsSection) -> Retention:
    """Return what the settings say; 0 stands for no end."""
    return Retention(
        keep_unnamed_ms=settings.keep_unnamed_ms,
        keep_ended_ms=settings.keep_ended_ms or None,
        keep_answers_ms=settings.keep_answers_ms or None,
    )


@attrs.define(eq=False, kw_only=True)
class Artifacts:
    """`ArtifactOperations` over the store and the names in the log."""

    database: Database
    store: ArtifactStore
    settings: ArtifactsSection
    clock: Clock
    log: Logger
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def artifacts(self, *, cursor: str | None, limit: int) -> ArtifactPage | Rejection:
        """Return stored artifacts, by digest."""
        page = await trio.to_thread.run_sync(
            lambda: self.store.stored(after=cursor or "", limit=limit + 1)
        )
        tasks_of = await self._with_names(
            lambda names, _: names.tasks_of([_bytes(each.digest) for each in page])
        )
        return ArtifactPage(
            items=tuple(_line(each, tasks_of) for each in page[:limit]),
            next=page[limit - 1].digest if len(page) > limit else None,
        )

    async def artifact_record(self, name: str) -> ArtifactRecord | Rejection:
        """Return what is known of one artifact."""
        return await self._with_names(lambda names, reader: self._record(names, reader, name))

    def _record(
        self, names: ArtifactNames, reader: Connection, name: str
    ) -> ArtifactRecord | Rejection:
        digest = find_digest(self.store, name)
        if isinstance(digest, Rejection):
            return digest
        found = self.store.described(digest)
        if found is None:
            return Rejection(code="not_found", message=f"{digest} was removed a moment ago")
        key = _bytes(digest)
        tasks = names.tasks_naming(key, limit=LISTED_MAX)
        return ArtifactRecord(
            digest=digest,
            size_bytes=found.size_bytes,
            stored_at=when(found.modified_ms),
            mime=ProjectionReader(reader).artifact_mime(digest),
            named=bool(names.tasks_of([key])),
            tasks=tuple(task_id.hex() for task_id in tasks),
        )

    async def verify_artifacts(self) -> ArtifactsVerified:
        """Read every stored body and compare it with its name; nothing is removed."""
        began = trio.current_time()
        count, size_bytes, damaged = await trio.to_thread.run_sync(self._verify)
        return ArtifactsVerified(
            ok=not damaged,
            artifacts=count,
            bytes=size_bytes,
            damaged=tuple(damaged[:LISTED_MAX]),
            duration_ms=_since(began),
        )

    def _verify(self) -> tuple[int, int, list[str]]:
        count = size_bytes = 0
        damaged: list[str] = []
        after = ""
        while page := self.store.stored(after=after, limit=PAGE):
            for each in page:
                trio.from_thread.check_cancelled()
                # One that was collected meanwhile is gone, and not damaged.
                if not self.store.is_sound(each.digest) and self.store.described(each.digest):
                    damaged.append(each.digest)
            count, after = count + len(page), page[-1].digest
            size_bytes += sum(each.size_bytes for each in page)
        return count, size_bytes, damaged

    # --- collecting -----------------------------------------------------------------------------

    async def collect_artifacts(self, *, dry_run: bool) -> ArtifactsCollected:
        """Remove what nothing names and what has been kept long enough, or tell what would go."""
        began = trio.current_time()
        now_ms = self.clock.wall_ms()
        found = await self._with_sessions(
            lambda reader, local: self._collector(reader, local).collect(now_ms, is_dry=dry_run)
        )
        return ArtifactsCollected(
            dry_run=dry_run,
            unnamed=found.unnamed,
            ended=found.ended,
            bytes=found.bytes,
            answers=found.answers,
            digests=found.digests,
            complete=found.is_complete,
            duration_ms=_since(began),
        )

    def _collector(self, reader: Connection, local: Connection) -> Collector:
        return Collector(
            store=self.store,
            reader=reader,
            local=local,
            retention=retention(self.settings),
            pause=trio.from_thread.check_cancelled,
        )

    async def run(self) -> None:
        """Collect from time to time, until cancelled."""
        if not self.settings.collect_every_ms:
            return
        while True:
            await trio.sleep(self.settings.collect_every_ms / 1_000)
            try:
                found = await self.collect_artifacts(dry_run=False)
            except WattSwarmError as error:
                self.log.warning("artifacts were not collected", reason=str(error))
            else:
                self._tell(found)

    def _tell(self, found: ArtifactsCollected) -> None:
        removed = found.unnamed + found.ended
        if removed or found.answers:
            self.log.info(
                "artifacts collected", artifacts=removed, bytes=found.bytes, answers=found.answers
            )

    # --- sessions -------------------------------------------------------------------------------

    async def _with_names(self, work: Callable[[ArtifactNames, Connection], T]) -> T:
        """Return what `work` makes of the names, once they are known to the end of the log."""

        def follow(reader: Connection, local: Connection) -> T:
            names = ArtifactNames(local)
            names.follow(LogReader(reader), trio.from_thread.check_cancelled)
            return work(names, reader)

        return await self._with_sessions(follow)

    async def _with_sessions(self, work: Callable[[Connection, Connection], T]) -> T:
        """Return what `work` returns in a thread, one at a time, with sessions of its own: it may
        take long, and the node's other reads and facts are not to wait for it.
        """

        def run() -> T:
            with (
                self.database.connect(Purpose.READER, name="wattswarm:artifacts") as reader,
                self.database.connect(Purpose.LOCAL, name="wattswarm:artifacts") as local,
            ):
                return work(reader, local)

        async with self._turn:
            return await trio.to_thread.run_sync(run)


def _bytes(digest: str) -> bytes:
    return bytes.fromhex(digest.removeprefix(SCHEME))


def _line(stored: StoredArtifact, tasks_of: Mapping[bytes, frozenset[bytes]]) -> ArtifactLine:
    tasks = tasks_of.get(_bytes(stored.digest))
    return ArtifactLine(
        digest=stored.digest,
        size_bytes=stored.size_bytes,
        stored_at=when(stored.modified_ms),
        named=tasks is not None,
        tasks=len((tasks or frozenset()) - {NO_TASK}),
    )


def _since(began_s: float) -> int:
    return int((trio.current_time() - began_s) * 1_000)
