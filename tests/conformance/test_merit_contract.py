"""What is asked of many tasks at once, in memory and in PostgreSQL alike."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import pytest

from tests.support.group_rows import task, with_rows
from tests.support.scene import Scene, ref, scene
from wattswarm.kernel.ids import Digest, EventId, NodeId, Seq, TaskId
from wattswarm.kernel.knowledge import Question, question
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.reputation import AGREEMENT_UNITS
from wattswarm.kernel.rows import Row, rows
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.memory_merit import MemoryMeritReader
from wattswarm.store.memory_projections import MemoryProjections, MemorySet
from wattswarm.store.merit_reader import Comparable, MeritReader, PrecedentCursor, PrecedentLine
from wattswarm.store.projections import Projections
from wattswarm.store.tables import GroupRows, task_group

BIG = 2**53 - 1
LATER = 2**47
ASKED = Question("summarize", "blake3:" + "a" * 64, "blake3:" + "b" * 64, Digest(b"p" * 32))


@attrs.frozen
class Store:
    """Projections under test: their writer, and who reads what many tasks come to."""

    writer: Projections | MemoryProjections
    reader: MeritReader | MemoryMeritReader

    def put(self, *groups: GroupRows) -> None:
        """Replace groups."""
        at = self.writer.cursor("tasks", 0)
        self.writer.advance("tasks", 0, expected=at, seq=Seq(at + 1), groups=groups)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        held = MemorySet()
        yield Store(MemoryProjections(held), MemoryMeritReader(held))
        return
    database: Database = request.getfixturevalue("database")
    connection: Connection = database.connect(Purpose.READER)
    made = Store(Projections(database), MeritReader(connection))
    yield made
    made.writer.close()
    connection.close()


def empty(number: int, scope: str = "node:a") -> GroupRows:
    """Return a task of which only the row of the task itself is there."""
    made = task(number, scope=scope, rows_max=0)
    return with_rows(made, {name: () for name in made.rows if name != "tasks"})


def paid(
    number: int,
    node: int,
    stability: int,
    *,
    due_at: int = 10,
    model: str = "m",
    scope: str = "node:a",
    is_bad: bool = False,
) -> GroupRows:
    """Return a task in which one vote came to something."""
    group = empty(number, scope)
    row: Row = (
        group.group_id,
        1,
        bytes([node]) * 32,
        b"p" * 32,
        b"c" * 32,
        b"v" * 32,
        "prov",
        model,
        True,
        is_bad,
        due_at,
        stability,
        AGREEMENT_UNITS,
    )
    return with_rows(group, {"contributions": (row,)})


def precedent(
    number: int, *, decided_at: int = 100, asked: Question = ASKED, scope: str = "node:a"
) -> GroupRows:
    """Return a task that left a precedent; its decision is named by its number."""
    group = empty(number, scope)
    row: Row = (
        group.group_id,
        1,
        b"p" * 32,
        b"c" * 32,
        decision(number),
        scope,
        asked.task_type,
        asked.inputs,
        asked.schema,
        "vp.schema_only.v1",
        asked.policy,
        f"blake3:{number:064x}",
        5,
        "application/json",
        2,
        2,
        0,
        decided_at,
        False,
        "said",
        None,
    )
    return with_rows(group, {"knowledge": (row,)})


def decision(number: int) -> EventId:
    return EventId(number.to_bytes(32, "big"))


def rejection(
    number: int, of: int, rejections: int, *, scope: str = "node:a", output: int | None = None
) -> GroupRows:
    """Return a task whose verifiers rejected a repetition of a decision, or what was called one."""
    group = empty(number, scope)
    row: Row = (
        group.group_id,
        b"r" * 32,
        b"a" * 32,
        1,
        b"p" * 32,
        b"c" * 32,
        decision(of),
        scope,
        f"blake3:{of if output is None else output:064x}",
        200,
        rejections,
        "101",
    )
    return with_rows(group, {"reuse_rejections": (row,)})


def names(store: Store, **asked: Any) -> list[int]:
    """Return the numbers of the precedents that are found."""
    return numbers(store.reader.precedents(limit=100, **asked))


def answers(store: Store, scope: str = "node:a", **asked: Any) -> list[int]:
    """Return the numbers of the answers to the question."""
    return numbers(store.reader.answers(ASKED, scope, limit=100, **asked))


def comparable(store: Store, not_task: TaskId, **asked: Any) -> list[int]:
    """Return the numbers of the precedents that inputs are compared with."""
    asked = {"limit": 100, **asked}
    return numbers(store.reader.comparable("summarize", "node:a", not_task=not_task, **asked))


def numbers(found: Iterable[PrecedentLine | Comparable]) -> list[int]:
    return [int.from_bytes(each.decision, "big") for each in found]


# --- reputation -----------------------------------------------------------------------------------


def test_what_is_due_is_summed_and_what_is_not_stands_apart(store: Store) -> None:
    store.put(paid(1, 7, 100), paid(2, 7, -30), paid(3, 7, 5, due_at=50, is_bad=True))
    (line,) = store.reader.reputation(10, limit=9)
    assert (line.settled, line.stability, line.quality) == (2, 70, 2 * AGREEMENT_UNITS)
    assert (line.pending, line.pending_stability, line.pending_quality) == (1, 5, AGREEMENT_UNITS)
    assert (line.agreed, line.bad) == (3, 1)
    (before,) = store.reader.reputation(9, limit=9)
    assert (before.settled, before.stability) == (0, 0)
    (after,) = store.reader.reputation(50, limit=9)
    assert (after.stability, after.pending, after.pending_stability) == (75, 0, 0)


def test_sums_are_exact_and_in_no_order(store: Store) -> None:
    groups = [paid(number, 7, BIG) for number in range(40)] + [paid(50, 7, -1)]
    random.Random(1).shuffle(groups)
    store.put(*groups)
    (line,) = store.reader.reputation(LATER, limit=9)
    assert line.stability == 40 * BIG - 1


def test_each_scope_node_and_model_has_a_line_of_its_own(store: Store) -> None:
    store.put(
        paid(1, 8, 1),
        paid(2, 7, 2),
        paid(3, 7, 3, model="n"),
        paid(4, 7, 4, scope="group:b"),
        paid(5, 7, 5),
    )
    lines = store.reader.reputation(LATER, limit=9)
    assert [(line.key.scope, line.key.node[0], line.key.model) for line in lines] == [
        ("group:b", 7, "m"),
        ("node:a", 7, "m"),
        ("node:a", 7, "n"),
        ("node:a", 8, "m"),
    ]
    assert [line.stability for line in lines] == [4, 7, 3, 1]
    of_seven = store.reader.reputation(LATER, limit=9, node=NodeId(b"\x07" * 32), scope="node:a")
    assert [line.stability for line in of_seven] == [7, 3]
    first = store.reader.reputation(LATER, limit=2)
    rest = store.reader.reputation(LATER, limit=9, after=first[-1].key)
    assert (*first, *rest) == lines


# --- precedents -----------------------------------------------------------------------------------


def test_precedents_are_found_newest_first_and_page_by_page(store: Store) -> None:
    store.put(*(precedent(number, decided_at=number // 2) for number in range(1, 8)))
    assert names(store) == [7, 6, 5, 4, 3, 2, 1]
    page = store.reader.precedents(limit=3)
    last = page[-1]
    cursor = PrecedentCursor(last.decided_at, last.task_id, last.epoch)
    assert names(store, before=cursor) == [4, 3, 2, 1]
    assert answers(store, until_ms=2) == [3, 2, 1]


def test_only_equal_questions_are_exact(store: Store) -> None:
    store.put(
        precedent(1),
        precedent(2, asked=attrs.evolve(ASKED, inputs="blake3:" + "c" * 64)),
        precedent(3, asked=attrs.evolve(ASKED, schema="blake3:" + "c" * 64)),
        precedent(4, asked=attrs.evolve(ASKED, policy=Digest(b"q" * 32))),
        precedent(5, asked=attrs.evolve(ASKED, task_type="other")),
        precedent(6, scope="group:b"),
    )
    assert answers(store) == [1]
    assert answers(store, "group:b") == [6]
    assert names(store, task_type="summarize", scope="node:a") == [4, 3, 2, 1]
    assert answers(store, not_task=EventId(precedent(1).group_id)) == []


def test_the_newest_sound_precedents_of_other_tasks_are_compared(store: Store) -> None:
    store.put(
        *(precedent(number, decided_at=number) for number in range(1, 6)),
        precedent(6, asked=attrs.evolve(ASKED, task_type="other")),
        precedent(7, scope="group:b"),
        rejection(20, 4, 2),
    )
    own = EventId(precedent(2).group_id)
    assert comparable(store, own) == [5, 3, 1]
    assert comparable(store, own, limit=2) == [5, 3]
    assert comparable(store, own, until_ms=5) == [3, 1]
    (first, *_) = store.reader.comparable("summarize", "node:a", limit=9, not_task=own)
    assert (first.task_id, first.decided_at) == (precedent(5).group_id, 5)


def test_precedents_are_found_by_their_decisions(store: Store) -> None:
    store.put(*(precedent(number, decided_at=number) for number in range(1, 5)))
    store.put(precedent(9, scope="group:b"), rejection(20, 3, 2))
    found = store.reader.named([decision(1), decision(3), decision(9)], "node:a")
    assert numbers(found) == [3, 1]
    assert [line.is_deprecated for line in found] == [True, False]
    assert store.reader.named([], "node:a") == ()


@pytest.mark.parametrize(("rejections", "is_deprecated"), [(1, False), (2, True), (3, True)])
def test_as_many_rejecters_as_the_quorum_deprecate(
    store: Store, rejections: int, is_deprecated: bool
) -> None:
    store.put(precedent(1), rejection(2, 1, rejections))
    (line,) = store.reader.precedents(limit=9)
    assert (line.is_deprecated, line.is_sound) == (is_deprecated, not is_deprecated)


def test_what_is_said_in_another_scope_deprecates_nothing(store: Store) -> None:
    store.put(precedent(1), rejection(2, 1, 9, scope="group:b"))
    (line,) = store.reader.precedents(limit=9, scope="node:a")
    assert line.is_sound


def test_what_gives_another_output_is_no_repetition_and_deprecates_nothing(store: Store) -> None:
    store.put(precedent(1), rejection(2, 1, 9, output=7))
    (line,) = store.reader.precedents(limit=9)
    assert line.is_sound
    assert store.reader.rejected_outputs([line], "node:a") == ()


def test_rejected_outputs_are_those_of_the_precedents_that_are_asked_about(store: Store) -> None:
    store.put(precedent(1), precedent(5), rejection(2, 1, 1), rejection(3, 1, 1))
    store.put(rejection(4, 9, 1), rejection(6, 1, 1, output=0))
    lines = store.reader.precedents(limit=9)
    assert store.reader.rejected_outputs(lines, "node:a") == (f"blake3:{1:064x}",)
    assert store.reader.rejected_outputs(lines, "group:b") == ()


# --- what a real task leaves ----------------------------------------------------------------------


def played() -> Scene:
    """Return a final task with one vote for and one against its answer."""
    stage = scene(threshold=2)
    candidate = stage.propose(stage.claim(Work.PROPOSE), evidence=[ref(7), ref(6), ref(7)])
    holder = stage.claim(Work.VERIFY, 1, executor="holder")
    confirmed = [stage.confirm(holder, candidate, ref(n).digest, 1) for n in (6, 7)]
    votes = [
        stage.vote(stage.find(stage.claim(Work.VERIFY, by), candidate, by, status=status), by, said)
        for by, status, said in (
            (1, Status.PASSED, Ballot.APPROVE),
            (2, Status.FAILED, Ballot.REJECT),
        )
    ]
    stage.seal(candidate, stage.decide(candidate, votes, confirmed), [0, 1, 2])
    return stage


def test_a_final_task_pays_its_verifiers_and_is_found_again(store: Store) -> None:
    stage = played()
    state = stage.state
    store.put(task_group(state.task_id, state.scope, rows(state)))
    lines = {line.key.node: line for line in store.reader.reputation(LATER, limit=9)}
    assert lines[stage.cast[1].node_id].stability > 0
    assert lines[stage.cast[2].node_id].quality == -AGREEMENT_UNITS
    (line,) = store.reader.answers(question(state.terms), state.scope or "", limit=9)
    assert (line.task_id, line.is_sound) == (state.task_id, True)
    assert line.evidence == (ref(6).digest, ref(7).digest)
