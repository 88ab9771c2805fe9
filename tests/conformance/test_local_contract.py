"""What is promised of this node's own facts, in memory and in PostgreSQL alike."""

from collections.abc import Iterator
from typing import TypeAlias

import attrs
import pytest

from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.local import (
    DeadLetters,
    Execution,
    Executions,
    Executors,
    Settings,
    StoredLetter,
    Submission,
    Submissions,
)
from wattswarm.store.memory_local import (
    MemoryDeadLetters,
    MemoryExecutions,
    MemoryExecutors,
    MemorySettings,
    MemorySubmissions,
)

Local: TypeAlias = Connection | None


@pytest.fixture(params=["memory", "postgres"])
def local(request: pytest.FixtureRequest) -> Iterator[Local]:
    if request.param == "memory":
        yield None
        return
    database: Database = request.getfixturevalue("database")
    with database.connect(Purpose.LOCAL) as connection:
        yield connection


@pytest.fixture
def settings(local: Local) -> Settings | MemorySettings:
    return MemorySettings() if local is None else Settings(local)


@pytest.fixture
def submissions(local: Local) -> Submissions | MemorySubmissions:
    return MemorySubmissions() if local is None else Submissions(local)


@pytest.fixture
def executors(local: Local) -> Executors | MemoryExecutors:
    return MemoryExecutors() if local is None else Executors(local)


@pytest.fixture
def executions(local: Local) -> Executions | MemoryExecutions:
    return MemoryExecutions() if local is None else Executions(local)


@pytest.fixture
def letters(local: Local) -> DeadLetters | MemoryDeadLetters:
    return MemoryDeadLetters() if local is None else DeadLetters(local)


def test_a_setting_has_the_value_that_was_put_last(settings: Settings | MemorySettings) -> None:
    assert settings.get("cursor") is None
    settings.put("cursor", b"1")
    settings.put("cursor", b"\0\xff")
    assert settings.get("cursor") == b"\0\xff"


def test_a_setting_that_is_to_be_kept_is_the_first(settings: Settings | MemorySettings) -> None:
    assert settings.keep("node", b"a") == b"a"
    assert settings.keep("node", b"b") == b"a"


def test_of_two_submissions_with_a_key_the_first_is_kept(
    submissions: Submissions | MemorySubmissions,
) -> None:
    one, two = (Submission(bytes([number]) * 32, bytes([number])) for number in (1, 2))
    assert submissions.get("key") is None
    assert submissions.keep("key", one, at_ms=5) == one
    assert submissions.keep("key", two, at_ms=6) == one
    assert submissions.keep("other", two, at_ms=6) == two
    assert submissions.forget(before_ms=6) == 1
    assert submissions.get("key") is None
    assert submissions.get("other") == two


def test_executors_are_listed_by_name(executors: Executors | MemoryExecutors) -> None:
    assert executors.all() == ()
    for name in ("b", "a", "Z", "a-b"):
        executors.put(name, {"name": name, "task_types": ["x", "ä"], "profile": None})
    names = [record["name"] for record in executors.all() if isinstance(record, dict)]
    assert names == ["Z", "a", "a-b", "b"]
    executors.put("a", {"name": "a", "timeout_ms": 2**40, "headers": {"k": "v\0"}})
    assert executors.all()[1] == {"name": "a", "timeout_ms": 2**40, "headers": {"k": "v\0"}}
    assert executors.remove("a")
    assert not executors.remove("a")
    assert len(executors.all()) == 3


def execution(execution_id: bytes, task_id: bytes, answer: bytes) -> Execution:
    return Execution(execution_id=execution_id, task_id=task_id, executor="executor", answer=answer)


def test_an_answer_that_is_stored_stays(executions: Executions | MemoryExecutions) -> None:
    one, two = bytes([1]) * 32, bytes([2]) * 32
    assert executions.answer(one) is None
    executions.store([execution(one, two, b"\0answer")])
    executions.store([execution(one, two, b"another"), execution(bytes(32), two, b"")])
    assert executions.answer(one) == b"\0answer"
    assert executions.answer(two) is None


def test_the_answers_of_tasks_are_found_together(executions: Executions | MemoryExecutions) -> None:
    names = [bytes([number]) * 32 for number in range(5)]
    tasks = [bytes([100 + number]) * 32 for number in range(3)]
    for name, task in zip(names, (*tasks, *tasks), strict=False):
        executions.store([execution(name, task, b"answer " + name[:1])])
    assert executions.answers_of_tasks([tasks[0], tasks[2], bytes(32)]) == {
        tasks[0]: {names[0]: b"answer \0", names[3]: b"answer \3"},
        tasks[2]: {names[2]: b"answer \2"},
    }
    assert executions.answers_of_tasks([]) == {}


def test_the_answers_of_tasks_are_forgotten_together(
    executions: Executions | MemoryExecutions,
) -> None:
    names = [bytes([number]) * 32 for number in range(1, 6)]
    tasks = [bytes([100 + number]) * 32 for number in range(3)]
    for name, task in zip(names, (*tasks, *tasks), strict=False):
        executions.store([execution(name, task, b"answer")])
    assert executions.tasks(after=b"", limit=2) == tuple(tasks[:2])
    assert executions.tasks(after=tasks[1], limit=2) == (tasks[2],)
    assert executions.count([tasks[0], tasks[2], bytes(32)]) == 3
    assert executions.forget([tasks[0], tasks[2], bytes(32)]) == 3
    assert executions.forget([tasks[0]]) == 0
    assert executions.tasks(after=b"", limit=5) == (tasks[1],)
    assert executions.answer(names[1]) == b"answer"


def letter(number: int, actor: str = "a") -> StoredLetter:
    return StoredLetter(
        letter_id=0,
        actor=actor,
        message_id=2**60 + number,
        sender="b",
        message="Append",
        body=b"\0body",
        crashes=3,
        error="ValueError: no",
        traceback="Traceback …",
        at_ms=number,
    )


def test_letters_come_newest_first_page_by_page(letters: DeadLetters | MemoryDeadLetters) -> None:
    ids = [letters.keep(letter(number, "ab"[number % 2]), kept_max=10) for number in range(5)]
    kept = [
        attrs.evolve(letter(number, "ab"[number % 2]), letter_id=ids[number]) for number in range(5)
    ]
    assert letters.letters(limit=2) == tuple(reversed(kept[3:]))
    assert letters.letters(limit=9, before_id=ids[3]) == tuple(reversed(kept[:3]))
    assert letters.letters(limit=9, actor="b") == (kept[3], kept[1])
    assert letters.letter(ids[2]) == kept[2]
    assert letters.remove(ids[2])
    assert not letters.remove(ids[2])
    assert letters.letter(ids[2]) is None


def test_the_oldest_letters_go_when_there_are_too_many(
    letters: DeadLetters | MemoryDeadLetters,
) -> None:
    for number in range(6):
        letters.keep(letter(number), kept_max=3)
    assert [kept.at_ms for kept in letters.letters(limit=9)] == [5, 4, 3]
