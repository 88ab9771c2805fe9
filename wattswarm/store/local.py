"""Facts of this node alone: settings, submissions, executors, their answers, dead letters.

Each class reads and writes one table through a connection that somebody else owns
(`Purpose.LOCAL`), on that one's thread. Every call is a transaction of its own: when it returns, it
is on the disk.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import attrs
from psycopg.types.json import Json as JsonParameter

from wattswarm.store.connection import Connection, translated
from wattswarm.store.queries import load

LOCAL: Final = load("local")

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@attrs.frozen
class Settings:
    """Small facts by name."""

    connection: Connection

    def get(self, name: str) -> bytes | None:
        """Return the value of a name, or None."""
        with translated():
            row = self.connection.execute(LOCAL["get_setting"], {"name": name}).fetchone()
        return None if row is None else row[0]

    def put(self, name: str, value: bytes) -> None:
        """Have this value for the name."""
        with translated():
            self.connection.execute(LOCAL["put_setting"], {"name": name, "value": value})

    def keep(self, name: str, value: bytes) -> bytes:
        """Have this value for the name unless there is one; return the one there is."""
        with translated():
            self.connection.execute(LOCAL["keep_setting"], {"name": name, "value": value})
        kept = self.get(name)
        assert kept is not None, name
        return kept


@attrs.frozen
class Submission:
    """What was signed for an idempotency key: digest of the request, event as on the wire."""

    request_digest: bytes
    event: bytes


@attrs.frozen
class Submissions:
    """Events by idempotency key, kept before they are appended.

    A caller that asks again with the same key gets the same event appended, which stores it once;
    so neither a crash between the two nor a lost answer makes a second task.
    """

    connection: Connection

    def keep(self, key: str, submission: Submission, at_ms: int) -> Submission:
        """Have this submission for the key unless there is one; return the one there is."""
        values = {"key": key, **attrs.asdict(submission), "at_ms": at_ms}
        with translated():
            self.connection.execute(LOCAL["keep_submission"], values)
        kept = self.get(key)
        assert kept is not None, key
        return kept

    def get(self, key: str) -> Submission | None:
        """Return what was submitted with a key, or None."""
        with translated():
            row = self.connection.execute(LOCAL["get_submission"], {"key": key}).fetchone()
        return None if row is None else Submission(*row)

    def forget(self, before_ms: int) -> int:
        """Forget keys that were used before a date; return how many."""
        with translated():
            query = LOCAL["forget_submissions"]
            return self.connection.execute(query, {"before_ms": before_ms}).rowcount


@attrs.frozen
class Executors:
    """The registry of executors: a JSON object for each, by name."""

    connection: Connection

    def all(self) -> tuple[Json, ...]:
        """Return the records of all executors, in the order of their names."""
        with translated():
            rows = self.connection.execute(LOCAL["all_executors"]).fetchall()
        return tuple(record for (record,) in rows)

    def put(self, name: str, record: Mapping[str, Json]) -> None:
        """Have this record for the name."""
        values = {"name": name, "record": JsonParameter(record)}
        with translated():
            self.connection.execute(LOCAL["put_executor"], values)

    def remove(self, name: str) -> bool:
        """Have no executor of this name; return whether there was one."""
        with translated():
            return self.connection.execute(LOCAL["remove_executor"], {"name": name}).rowcount > 0


@attrs.frozen(kw_only=True)
class Execution:
    """What an executor answered, under the id of the execution; the form is the dispatcher's."""

    execution_id: bytes
    task_id: bytes
    executor: str
    answer: bytes


@attrs.frozen
class Executions:
    """Answers of executors, by execution id: what was paid for is not bought twice."""

    connection: Connection

    def answer(self, execution_id: bytes) -> bytes | None:
        """Return the stored answer, or None."""
        with translated():
            query, values = LOCAL["get_answer"], {"execution_id": execution_id}
            row = self.connection.execute(query, values, binary=True).fetchone()
        return None if row is None else row[0]

    def answers_of_tasks(
        self, task_ids: Collection[bytes]
    ) -> Mapping[bytes, Mapping[bytes, bytes]]:
        """Return the stored answers of each of these tasks that has any, by execution id."""
        found: dict[bytes, dict[bytes, bytes]] = {}
        with translated():
            query, values = LOCAL["get_answers"], {"task_ids": list(task_ids)}
            rows = self.connection.execute(query, values, binary=True).fetchall()
        for task_id, execution_id, answer in rows:
            found.setdefault(task_id, {})[execution_id] = answer
        return found

    def store(self, executions: Sequence[Execution]) -> None:
        """Keep answers for good, all or none; one that is stored already stays as it is."""
        values = {
            "execution_ids": [each.execution_id for each in executions],
            "task_ids": [each.task_id for each in executions],
            "executors": [each.executor for each in executions],
            "answers": [each.answer for each in executions],
        }
        with translated():
            self.connection.execute(LOCAL["store_answers"], values)

    def tasks(self, *, after: bytes, limit: int) -> tuple[bytes, ...]:
        """Return the next tasks after one that have stored answers, by id."""
        values = {"after": after, "limit": limit}
        with translated():
            rows = self.connection.execute(LOCAL["answered_tasks"], values, binary=True).fetchall()
        return tuple(task_id for (task_id,) in rows)

    def count(self, task_ids: Collection[bytes]) -> int:
        """Return how many answers are stored for some tasks."""
        values = {"task_ids": list(task_ids)}
        with translated():
            row = self.connection.execute(LOCAL["count_answers"], values).fetchone()
        assert row is not None
        return row[0]

    def forget(self, task_ids: Collection[bytes]) -> int:
        """Have no answers for these tasks; return how many there were."""
        values = {"task_ids": list(task_ids)}
        with translated():
            return self.connection.execute(LOCAL["forget_answers"], values).rowcount


class Letter(Protocol):
    """A message that crashed its actor too often: what the actor runtime says about it."""

    @property
    def actor(self) -> str: ...
    @property
    def message_id(self) -> int: ...
    @property
    def sender(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def crashes(self) -> int: ...
    @property
    def error(self) -> str: ...
    @property
    def traceback(self) -> str: ...
    @property
    def at_ms(self) -> int: ...


@attrs.frozen(kw_only=True)
class StoredLetter:
    """A dead letter as it is kept."""

    letter_id: int
    actor: str
    message_id: int
    sender: str
    message: str
    body: bytes = attrs.field(repr=False)
    crashes: int
    error: str
    traceback: str = attrs.field(repr=False)
    at_ms: int


LETTER_FIELDS: Final = tuple(field.name for field in attrs.fields(StoredLetter))


@attrs.frozen
class DeadLetters:
    """Dead letters, the newest of them."""

    connection: Connection

    def keep(self, letter: Letter, *, kept_max: int) -> int:
        """Keep a letter, dropping the oldest of more than `kept_max`; return its number."""
        values = {name: getattr(letter, name) for name in LETTER_FIELDS[1:]}
        with translated(), self.connection.transaction():
            row = self.connection.execute(LOCAL["keep_letter"], values).fetchone()
            self.connection.execute(LOCAL["drop_oldest_letters"], {"kept_max": kept_max})
        assert row is not None
        return row[0]

    def letters(
        self, *, limit: int, before_id: int | None = None, actor: str | None = None
    ) -> tuple[StoredLetter, ...]:
        """Return the newest letters, or those before one; of one actor, if named."""
        values = {"limit": limit, "before_id": before_id, "actor": actor}
        with translated():
            rows = self.connection.execute(LOCAL["letters"], values).fetchall()
        return tuple(_letter(row) for row in rows)

    def count(self) -> int:
        """Return how many letters there are."""
        with translated():
            row = self.connection.execute(LOCAL["count_letters"]).fetchone()
        assert row is not None
        return row[0]

    def letter(self, letter_id: int) -> StoredLetter | None:
        """Return one letter, or None."""
        with translated():
            row = self.connection.execute(LOCAL["letter"], {"letter_id": letter_id}).fetchone()
        return None if row is None else _letter(row)

    def remove(self, letter_id: int) -> bool:
        """Have no letter of this number; return whether there was one."""
        with translated():
            query = LOCAL["remove_letter"]
            return self.connection.execute(query, {"letter_id": letter_id}).rowcount > 0


def _letter(row: Sequence[Any]) -> StoredLetter:
    return StoredLetter(**dict(zip(LETTER_FIELDS, row, strict=True)))
