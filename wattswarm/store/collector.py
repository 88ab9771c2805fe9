"""Removes artifacts that nothing names, and what is kept of tasks that are long over.

Nothing here is needed to be whole: a collection that ends half-way, by a crash or an order, has
removed some of what may go, and the next one finds the rest. What is put while it goes on is
younger than anything that it may remove, and the age is asked again at the moment of removal.

An artifact goes when its file is older than `keep_unnamed_ms`, and either nothing names it, or all
that name it are tasks that were over `keep_ended_ms` ago. Answers of executors name artifacts too:
what was stored may be about to be signed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs

from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.store.artifact_names import ArtifactNames
from wattswarm.store.artifacts import SCHEME, ArtifactStore, StoredArtifact
from wattswarm.store.connection import Connection
from wattswarm.store.local import Executions, Submissions
from wattswarm.store.log_reader import LogReader
from wattswarm.store.projection_reader import ProjectionReader

PAGE: Final = 512
SUBMISSIONS_KEPT_MS: Final = 7 * 86_400_000
"""An idempotency key that was used this long ago is a new one."""

DOOMED_MAX: Final = 10_000
"""Artifacts that one collection removes at most; the next one takes the rest."""

NAMED_MAX: Final = 100
"""Digests in a report."""


@attrs.frozen(kw_only=True)
class Retention:
    """How long what is kept; None: for good."""

    keep_unnamed_ms: int
    keep_ended_ms: int | None
    keep_answers_ms: int | None


@attrs.frozen(kw_only=True)
class Collected:
    """What a collection removed, or would have.

    `unnamed` and `ended` are artifacts, by why they went; `answers` are those of executors;
    `is_complete` is False when more could have gone.
    """

    unnamed: int
    ended: int
    bytes: int
    answers: int
    digests: tuple[str, ...]
    is_complete: bool


@attrs.frozen
class _Doomed:
    """An artifact that may go, and the tasks that name it, all of which are over."""

    artifact: StoredArtifact
    tasks: frozenset[bytes]


@attrs.frozen(kw_only=True)
class Collector:
    """One collection; blocks, and is called in a thread.

    Args:
        reader, local: Sessions for reading the log and the projections, and for this node's facts.
        pause: Called often; what it raises ends the collection.
    """

    store: ArtifactStore
    reader: Connection
    local: Connection
    retention: Retention
    pause: Callable[[], None]

    def collect(self, now_ms: int, *, is_dry: bool) -> Collected:
        """Return what was removed, or with `is_dry` what would be; answers first, since they name
        artifacts.
        """
        answers = self._forget_answers(now_ms, is_dry=is_dry)
        if not is_dry:
            Submissions(self.local).forget(now_ms - SUBMISSIONS_KEPT_MS)
        names = ArtifactNames(self.local)
        names.follow(LogReader(self.reader), self.pause)
        before_ms = now_ms - self.retention.keep_unnamed_ms
        doomed = self._doomed(names, now_ms, before_ms)
        is_complete = len(doomed) < DOOMED_MAX
        self._spare(doomed, names)
        gone = [each for each in doomed.values() if is_dry or self._remove(each, before_ms)]
        return Collected(
            unnamed=sum(not each.tasks for each in gone),
            ended=sum(bool(each.tasks) for each in gone),
            bytes=sum(each.artifact.size_bytes for each in gone),
            answers=answers,
            digests=tuple(each.artifact.digest for each in gone[:NAMED_MAX]),
            is_complete=is_complete,
        )

    # --- answers --------------------------------------------------------------------------------

    def _forget_answers(self, now_ms: int, *, is_dry: bool) -> int:
        """Forget the answers for tasks that were over long ago; return how many."""
        if self.retention.keep_answers_ms is None:
            return 0
        before_ms = now_ms - self.retention.keep_answers_ms
        executions = Executions(self.local)
        forgotten = 0
        for tasks in self._answered(executions):
            over = list(self._over(tasks, before_ms))
            count = executions.count if is_dry else executions.forget
            forgotten += count(over)
        return forgotten

    def _answered(self, executions: Executions) -> Iterator[Sequence[bytes]]:
        after = b""
        while tasks := executions.tasks(after=after, limit=PAGE):
            self.pause()
            yield tasks
            after = tasks[-1]

    def _over(self, tasks: Iterable[bytes], before_ms: int) -> frozenset[TaskId]:
        """Return those of the tasks that had ended before a date."""
        named = [EventId(task_id) for task_id in tasks if task_id]
        return ProjectionReader(self.reader).tasks_over(named, before_ms) if named else frozenset()

    # --- artifacts ------------------------------------------------------------------------------

    def _doomed(self, names: ArtifactNames, now_ms: int, before_ms: int) -> dict[bytes, _Doomed]:
        """Return what may go by its age and by the log, by digest."""
        doomed: dict[bytes, _Doomed] = {}
        for page in self._pages():
            old = {
                bytes.fromhex(each.digest.removeprefix(SCHEME)): each
                for each in page
                if each.modified_ms < before_ms
            }
            tasks_of = names.tasks_of(old)
            over = self._long_over(frozenset[bytes]().union(*tasks_of.values()), now_ms)
            for digest, artifact in old.items():
                tasks = tasks_of.get(digest, frozenset())
                if tasks <= over and len(doomed) < DOOMED_MAX:
                    doomed[digest] = _Doomed(artifact, tasks)
            if len(doomed) == DOOMED_MAX:
                break
        return doomed

    def _pages(self) -> Iterator[Sequence[StoredArtifact]]:
        after = ""
        while page := self.store.stored(after=after, limit=PAGE):
            self.pause()
            yield page
            after = page[-1].digest

    def _long_over(self, tasks: frozenset[bytes], now_ms: int) -> frozenset[bytes]:
        if self.retention.keep_ended_ms is None:
            return frozenset()
        return frozenset(self._over(tasks, now_ms - self.retention.keep_ended_ms))

    def _spare(self, doomed: dict[bytes, _Doomed], names: ArtifactNames) -> None:
        """Take out what something that was stored names that is not over with the artifact."""
        if not doomed:
            return
        for task_id, digests in names.pending(self.pause):
            for digest in digests & doomed.keys():
                if task_id not in doomed[digest].tasks:
                    del doomed[digest]

    def _remove(self, doomed: _Doomed, before_ms: int) -> bool:
        self.pause()
        return self.store.remove(doomed.artifact.digest, before_ms=before_ms)
