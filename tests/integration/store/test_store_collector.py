"""Collecting artifacts: what nothing names goes when it is old, and nothing else does."""

import os
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from tests.support.group_rows import task
from tests.support.log_events import KEY, NETWORK, START_MS, group
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.store.artifact_names import NO_TASK, ArtifactNames
from wattswarm.store.artifacts import SCHEME, ArtifactStore
from wattswarm.store.collector import Collected, Collector, Retention
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.event_log import LogWriter
from wattswarm.store.local import Execution, Executions, Submission, Submissions
from wattswarm.store.log_reader import LogReader
from wattswarm.store.projections import Projections

DAY_MS = 86_400_000
NOW_MS = START_MS + 100 * DAY_MS
TASK = EventId(b"\xf7" * 32)


def nothing() -> None:
    """Go on."""


@attrs.define
class Place:
    """A node's artifacts, log and facts."""

    database: Database
    store: ArtifactStore
    reader: Connection
    local: Connection

    def put(self, body: bytes, *, age_days: int = 50) -> str:
        """Return the digest of a body that was stored some days ago."""
        digest = self.store.put(body, "text/plain").digest
        name = digest.removeprefix(SCHEME)
        at_s = (NOW_MS - age_days * DAY_MS) / 1_000
        os.utime(self.store.folder / name[:2] / name, (at_s, at_s))
        return digest

    def append(self, *events: Event) -> None:
        """Have events in the log."""
        writer = LogWriter(self.database)
        writer.open()
        try:
            writer.append([group(each) for each in events])
        finally:
            writer.close()

    def end(self, number: int, *, days_ago: int) -> EventId:
        """Have the projections say that a task has expired, and return its id."""
        ended = task(number, mode="one_shot", expires_at=NOW_MS - days_ago * DAY_MS)
        writer = Projections(self.database)
        try:
            at = writer.cursor("tasks", 0)
            writer.advance("tasks", 0, expected=at, seq=Seq(at + 1), groups=[ended])
        finally:
            writer.close()
        return EventId(ended.group_id)

    def collect(
        self, *, is_dry: bool = False, ended: int | None = None, answers: int | None = None
    ) -> Collected:
        """Collect, keeping what is unnamed for a day, and the rest for these days."""
        collector = Collector(
            store=self.store,
            reader=self.reader,
            local=self.local,
            retention=Retention(
                keep_unnamed_ms=DAY_MS,
                keep_ended_ms=None if ended is None else ended * DAY_MS,
                keep_answers_ms=None if answers is None else answers * DAY_MS,
            ),
            pause=nothing,
        )
        return collector.collect(NOW_MS, is_dry=is_dry)

    def has(self, digest: str) -> bool:
        """Tell whether an artifact is stored."""
        return self.store.described(digest) is not None


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    store = ArtifactStore(tmp_path / "artifacts")
    with (
        database.connect(Purpose.READER) as reader,
        database.connect(Purpose.LOCAL) as local,
    ):
        yield Place(database, store, reader, local)


def naming(*digests: str, task_id: EventId | None = None, number: int = 0) -> Event:
    """Return an event in which digests stand somewhere."""
    draft = Draft(
        kind="SOMETHING_NEW",
        scope="node:a",
        lane_class=LaneClass.WORK,
        task_id=task_id,
        epoch=0,
        created_at=START_MS + number,
        payload={"number": number, "deep": [{"where": f"see {digest}."} for digest in digests]},
    )
    return draft.sign(NETWORK, KEY)


def answer(task_id: bytes, digest: str, *, number: int = 1) -> Execution:
    return Execution(
        execution_id=bytes([number]) * 32, task_id=task_id, executor="x", answer=digest.encode()
    )


def test_what_nothing_names_goes_when_it_is_old(place: Place) -> None:
    old, young = place.put(b"old"), place.put(b"young", age_days=0)
    named = place.put(b"named")
    place.append(naming(named))
    found = place.collect()
    assert (found.unnamed, found.ended, found.digests) == (1, 0, (old,))
    assert found.bytes == 3
    assert not place.has(old)
    assert place.has(young)
    assert place.has(named)
    assert place.collect() == attrs.evolve(found, unnamed=0, bytes=0, digests=())


def test_a_dry_run_tells_and_removes_nothing(place: Place) -> None:
    old, ended = place.put(b"old"), place.end(1, days_ago=9)
    Executions(place.local).store([answer(ended, "text")])
    found = place.collect(is_dry=True, answers=5)
    assert (found.unnamed, found.answers) == (1, 1)
    assert place.has(old)
    assert Executions(place.local).answer(bytes([1]) * 32) is not None


def test_what_tasks_name_is_kept_for_good_unless_that_is_set(place: Place) -> None:
    task_id = place.end(1, days_ago=90)
    body = place.put(b"body")
    place.append(naming(body, task_id=task_id))
    assert place.collect().ended == 0
    assert place.collect(ended=100).ended == 0
    assert place.collect(ended=80).ended == 1
    assert not place.has(body)


def test_what_another_task_or_no_task_names_is_kept(place: Place) -> None:
    ended = place.end(1, days_ago=90)
    shared, spoken_of, own = place.put(b"shared"), place.put(b"spoken of"), place.put(b"own")
    place.append(
        naming(shared, spoken_of, own, task_id=ended),
        naming(shared, task_id=TASK, number=1),
        naming(spoken_of, number=2),
    )
    assert place.collect(ended=1).digests == (own,)


def test_what_is_about_to_be_signed_is_kept(place: Place) -> None:
    answered, submitted = place.put(b"answered"), place.put(b"submitted")
    Executions(place.local).store([answer(TASK, answered)])
    kept = Submission(request_digest=bytes(32), event=naming(submitted).to_wire())
    Submissions(place.local).keep("key", kept, NOW_MS)
    assert place.collect().unnamed == 0


def test_idempotency_keys_are_forgotten_after_a_week(place: Place) -> None:
    known = Submissions(place.local)
    for key, days in (("old", 8), ("new", 6)):
        known.keep(key, Submission(bytes(32), b"event"), NOW_MS - days * DAY_MS)
    place.collect(is_dry=True)
    assert known.get("old") is not None
    place.collect()
    assert (known.get("old"), known.get("new") is None) == (None, False)


def test_answers_are_forgotten_with_their_tasks_and_name_nothing_then(place: Place) -> None:
    ended, recent = place.end(1, days_ago=9), place.end(2, days_ago=3)
    old, young = place.put(b"old"), place.put(b"young")
    executions = Executions(place.local)
    executions.store([answer(ended, old), answer(recent, young, number=2)])
    executions.store([answer(TASK, "open", number=3)])
    found = place.collect(answers=7)
    assert (found.answers, found.digests) == (1, (old,))
    assert executions.tasks(after=b"", limit=9) == tuple(sorted((recent, TASK)))


def test_an_answer_that_is_kept_keeps_the_body_of_an_ended_task(place: Place) -> None:
    ended = place.end(1, days_ago=9)
    body = place.put(b"body")
    place.append(naming(body, task_id=ended))
    Executions(place.local).store([answer(TASK, body)])
    assert place.collect(ended=1).ended == 0


def test_the_log_is_read_for_names_once(place: Place) -> None:
    names, log = ArtifactNames(place.local), LogReader(place.reader)
    first, second = artifact_digest(b"1"), artifact_digest(b"2")
    place.append(naming(first))
    assert names.follow(log, nothing) == 1
    place.append(naming(first, second, task_id=TASK, number=1))
    assert names.follow(log, nothing) == names.read_up_to() == 2
    keys = [bytes.fromhex(digest.removeprefix(SCHEME)) for digest in (first, second)]
    assert names.tasks_of([*keys, bytes(32)]) == {
        keys[0]: {NO_TASK, TASK},
        keys[1]: {TASK},
    }
    assert names.tasks_naming(keys[0], limit=9) == (TASK,)


def test_a_collection_that_is_ended_half_way_is_taken_up_again(place: Place) -> None:
    bodies = [place.put(bytes([number])) for number in range(4)]
    place.append(*(naming(artifact_digest(b"x"), number=number) for number in range(3)))
    steps = 0

    def stop() -> None:
        nonlocal steps
        steps += 1
        if steps == 7:
            raise InterruptedError

    collector = Collector(
        store=place.store,
        reader=place.reader,
        local=place.local,
        retention=Retention(keep_unnamed_ms=DAY_MS, keep_ended_ms=None, keep_answers_ms=None),
        pause=stop,
    )
    with pytest.raises(InterruptedError):
        collector.collect(NOW_MS, is_dry=False)
    left = sum(map(place.has, bodies))
    assert 0 < left < 4
    assert place.collect().unnamed == left
