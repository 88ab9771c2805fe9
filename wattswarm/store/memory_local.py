"""Facts of a node in memory: the same answers as `local.py`, for tests and simulations."""

from collections.abc import Collection, Mapping, Sequence
from itertools import count

import attrs

from wattswarm.store.local import LETTER_FIELDS, Execution, Json, Letter, StoredLetter, Submission


@attrs.define
class MemorySettings:
    """As `Settings`."""

    values: dict[str, bytes] = attrs.field(factory=dict[str, bytes])

    def get(self, name: str) -> bytes | None:
        """Return the value of a name, or None."""
        return self.values.get(name)

    def put(self, name: str, value: bytes) -> None:
        """Have this value for the name."""
        self.values[name] = value

    def keep(self, name: str, value: bytes) -> bytes:
        """Have this value for the name unless there is one; return the one there is."""
        return self.values.setdefault(name, value)


@attrs.define
class MemorySubmissions:
    """As `Submissions`."""

    kept: dict[str, tuple[int, Submission]] = attrs.field(factory=dict[str, tuple[int, Submission]])

    def keep(self, key: str, submission: Submission, at_ms: int) -> Submission:
        """Have this submission for the key unless there is one; return the one there is."""
        return self.kept.setdefault(key, (at_ms, submission))[1]

    def get(self, key: str) -> Submission | None:
        """Return what was submitted with a key, or None."""
        found = self.kept.get(key)
        return None if found is None else found[1]

    def forget(self, before_ms: int) -> int:
        """Forget keys that were used before a date; return how many."""
        old = [key for key, (at_ms, _) in self.kept.items() if at_ms < before_ms]
        for key in old:
            del self.kept[key]
        return len(old)


@attrs.define
class MemoryExecutors:
    """As `Executors`."""

    records: dict[str, Json] = attrs.field(factory=dict[str, Json])

    def all(self) -> tuple[Json, ...]:
        """Return the records of all executors, in the order of their names."""
        return tuple(self.records[name] for name in sorted(self.records))

    def put(self, name: str, record: Mapping[str, Json]) -> None:
        """Have this record for the name."""
        self.records[name] = record

    def remove(self, name: str) -> bool:
        """Have no executor of this name; return whether there was one."""
        return self.records.pop(name, None) is not None


@attrs.define
class MemoryExecutions:
    """As `Executions`."""

    answers: dict[bytes, tuple[bytes, bytes]] = attrs.field(
        factory=dict[bytes, tuple[bytes, bytes]]
    )

    def answer(self, execution_id: bytes) -> bytes | None:
        """Return the stored answer, or None."""
        found = self.answers.get(execution_id)
        return None if found is None else found[1]

    def answers_of_tasks(
        self, task_ids: Collection[bytes]
    ) -> Mapping[bytes, Mapping[bytes, bytes]]:
        """Return the stored answers of each of these tasks that has any, by execution id."""
        found: dict[bytes, dict[bytes, bytes]] = {}
        for execution_id, (task_id, answer) in self.answers.items():
            if task_id in task_ids:
                found.setdefault(task_id, {})[execution_id] = answer
        return found

    def store(self, executions: Sequence[Execution]) -> None:
        """Keep answers for good, all or none; one that is stored already stays as it is."""
        for each in executions:
            self.answers.setdefault(each.execution_id, (each.task_id, each.answer))

    def tasks(self, *, after: bytes, limit: int) -> tuple[bytes, ...]:
        """Return the next tasks after one that have stored answers, by id."""
        found = sorted({task_id for task_id, _ in self.answers.values() if task_id > after})
        return tuple(found[:limit])

    def count(self, task_ids: Collection[bytes]) -> int:
        """Return how many answers are stored for some tasks."""
        return sum(task_id in task_ids for task_id, _ in self.answers.values())

    def forget(self, task_ids: Collection[bytes]) -> int:
        """Have no answers for these tasks; return how many there were."""
        count = self.count(task_ids)
        self.answers = {
            name: kept for name, kept in self.answers.items() if kept[0] not in task_ids
        }
        return count


@attrs.define
class MemoryDeadLetters:
    """As `DeadLetters`."""

    kept: dict[int, StoredLetter] = attrs.field(factory=dict[int, StoredLetter])
    _numbers: "count[int]" = attrs.field(factory=lambda: count(1))

    def keep(self, letter: Letter, *, kept_max: int) -> int:
        """Keep a letter, dropping the oldest of more than `kept_max`; return its number."""
        number = next(self._numbers)
        fields = {name: getattr(letter, name) for name in LETTER_FIELDS[1:]}
        self.kept[number] = StoredLetter(letter_id=number, **fields)
        for oldest in sorted(self.kept)[: max(0, len(self.kept) - kept_max)]:
            del self.kept[oldest]
        return number

    def letters(
        self, *, limit: int, before_id: int | None = None, actor: str | None = None
    ) -> tuple[StoredLetter, ...]:
        """Return the newest letters, or those before one; of one actor, if named."""
        found = (
            self.kept[number]
            for number in sorted(self.kept, reverse=True)
            if (before_id is None or number < before_id)
            and (actor is None or self.kept[number].actor == actor)
        )
        return tuple(found)[:limit]

    def count(self) -> int:
        """Return how many letters there are."""
        return len(self.kept)

    def letter(self, letter_id: int) -> StoredLetter | None:
        """Return one letter, or None."""
        return self.kept.get(letter_id)

    def remove(self, letter_id: int) -> bool:
        """Have no letter of this number; return whether there was one."""
        return self.kept.pop(letter_id, None) is not None
