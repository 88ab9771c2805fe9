"""What projections promise, in memory and in PostgreSQL alike."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

import attrs
import pytest

from tests.support.board_events import SAMPLES, said
from tests.support.group_rows import governance, task, with_rows
from wattswarm.kernel import board
from wattswarm.kernel.event import Event
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.kernel.payloads.board import BoardPayload
from wattswarm.kernel.rows import TABLES, Row, Rows
from wattswarm.kernel.scope_digest import scope_digest
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.errors import PositionConflict
from wattswarm.store.memory_projections import (
    MemoryProjectionReader,
    MemoryProjections,
    MemorySet,
    MemoryShadow,
)
from wattswarm.store.projection_reader import ProjectionReader, TaskCursor
from wattswarm.store.projections import Projections, Quarantined
from wattswarm.store.shadow import Shadow
from wattswarm.store.tables import GroupRows, board_group, task_group

Writer: TypeAlias = Projections | MemoryProjections
ZERO = Seq(0)


@attrs.frozen
class Voiding:
    """Voids everything."""

    def voids(self, event: Event) -> str | None:
        return "revoked" if event.event_id else None


def board_event(payload: BoardPayload, scope: str) -> GroupRows:
    """Return the group of an event of the board."""
    made = said(payload, scope=scope)
    return board_group(made.event_id, scope, board.rows(made))


def unknown_task(name: bytes) -> GroupRows:
    """Return the group of a task that some event names and nobody has made."""
    row = (name, *task(1, scope=None).rows["tasks"][0][1:])
    return task_group(EventId(name), None, {**dict.fromkeys(TABLES, ()), "tasks": (row,)})


class Store:
    """Projections under test."""

    def __init__(self, database: Database | None) -> None:
        self.memory = MemorySet()
        self.database = database
        self.writers: list[Writer] = []
        self.connection: Connection | None = None
        self.reader: ProjectionReader | MemoryProjectionReader = MemoryProjectionReader(self.memory)
        self.shadow: Shadow | MemoryShadow = MemoryShadow(self.memory)
        if database is not None:
            self.connection = database.connect(Purpose.READER)
            self.reader = ProjectionReader(self.connection)
            self.shadow = Shadow(database)

    def writer(self) -> Writer:
        made: Writer = MemoryProjections(self.memory)
        if self.database is not None:
            made = Projections(self.database)
        return self.keep(made)

    def keep(self, made: Writer) -> Writer:
        self.writers.append(made)
        return made

    def close(self) -> None:
        for writer in self.writers:
            writer.close()
        if self.connection is not None:
            self.connection.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    is_memory = request.param == "memory"
    made = Store(None if is_memory else request.getfixturevalue("database"))
    yield made
    made.close()


def put(writer: Writer, *groups: GroupRows, shard: int = 0) -> None:
    """Replace groups, moving the cursor of a shard by one."""
    at = writer.cursor("tasks", shard)
    writer.advance("tasks", shard, expected=at, seq=Seq(at + 1), groups=groups)


def by_key(rows: Rows) -> dict[str, list[Row]]:
    """Return rows in the order of their keys, as the store gives them."""
    return {name: sorted(found, key=lambda row: row[:6]) for name, found in rows.items()}


def check_task(store: Store, group: GroupRows) -> None:
    found = store.reader.task(EventId(group.group_id))
    assert {name: sorted(map(repr, rows)) for name, rows in found.items()} == {
        name: sorted(map(repr, rows)) for name, rows in group.rows.items()
    }


def test_a_shard_that_has_not_begun_is_at_zero(store: Store) -> None:
    assert store.writer().cursor("tasks", 3) == 0
    assert store.reader.derived().seq == 0
    assert store.reader.derived().scopes == {}


def test_the_rows_of_a_group_come_back_as_they_were(store: Store) -> None:
    groups = [task(number) for number in range(20)]
    put(store.writer(), *groups)
    for group in groups:
        check_task(store, group)
    assert store.reader.task(EventId(b"?" * 32)) == dict.fromkeys(TABLES, ())


def test_replacing_a_group_leaves_nothing_of_its_old_rows(store: Store) -> None:
    writer = store.writer()
    put(writer, task(1, seed=1), task(2, seed=1))
    for seed in range(2, 8):
        put(writer, task(1, seed=seed))
        check_task(store, task(1, seed=seed))
        check_task(store, task(2, seed=1))


def test_a_new_writer_replaces_what_another_one_wrote(store: Store) -> None:
    put(store.writer(), task(1, seed=1))
    put(store.writer(), task(1, seed=2))
    check_task(store, task(1, seed=2))


def test_a_group_of_which_one_table_changed_is_right_in_all_tables(store: Store) -> None:
    writer, before = store.writer(), task(1, rows_max=6)
    put(writer, before)
    after = with_rows(before, {"votes": task(1, seed=9, rows_max=6).rows["votes"], "claims": ()})
    put(writer, after)
    check_task(store, after)


def test_the_cursor_moves_with_the_rows(store: Store) -> None:
    writer = store.writer()
    writer.advance("tasks", 0, expected=ZERO, seq=Seq(10), groups=[task(1)])
    writer.advance("tasks", 1, expected=ZERO, seq=Seq(7))
    writer.advance("tasks", 0, expected=Seq(10), seq=Seq(12))
    assert writer.cursor("tasks", 0) == 12
    found = store.reader.derived()
    assert found.seq == 7
    assert found.cursors == {("tasks", 0): 12, ("tasks", 1): 7}


def test_a_cursor_that_is_elsewhere_refuses_rows_and_all(store: Store) -> None:
    one, two = store.writer(), store.writer()
    one.advance("tasks", 0, expected=ZERO, seq=Seq(10), groups=[task(1, seed=1)])
    with pytest.raises(PositionConflict) as caught:
        two.advance("tasks", 0, expected=Seq(9), seq=Seq(11), groups=[task(1, seed=2)])
    assert (caught.value.expected, caught.value.actual) == (9, 10)
    with pytest.raises(PositionConflict):
        two.advance("tasks", 0, expected=ZERO, seq=Seq(11), groups=[task(1, seed=2)])
    check_task(store, task(1, seed=1))
    two.advance("tasks", 0, expected=two.cursor("tasks", 0), seq=Seq(11), groups=[task(1, seed=2)])
    check_task(store, task(1, seed=2))


def test_governance_is_a_group_of_its_own(store: Store) -> None:
    writer = store.writer()
    put(writer, governance(seed=1), task(1))
    put(writer, governance(seed=2))
    assert by_key(store.reader.governance()) == by_key(governance(seed=2).rows)
    check_task(store, task(1))
    assert set(store.reader.derived().scopes) == {"global", "node:a"}


def test_the_digest_of_a_scope_is_that_of_its_groups(store: Store) -> None:
    writer = store.writer()
    groups = [task(number, scope=f"group:{number % 2}") for number in range(150)]
    put(writer, *groups[:70])
    put(writer, *groups[70:], task(200, scope=None))
    found = store.reader.derived().scopes
    assert list(found) == ["group:0", "group:1"]
    for scope, of in found.items():
        pairs = sorted(
            (group.group_id, group.digest)
            for group in groups
            if group.scope == scope and group.digest is not None
        )
        assert of.digest == scope_digest(scope, pairs)
        assert of.groups == 75


def test_a_task_moves_into_its_scope_when_its_creation_arrives(store: Store) -> None:
    writer = store.writer()
    put(writer, task(1, scope=None))
    assert store.reader.derived().scopes == {}
    assert store.reader.tasks(0, limit=10) == ()
    put(writer, task(1, scope="node:a"))
    assert list(store.reader.derived().scopes) == ["node:a"]
    assert len(store.reader.tasks(0, limit=10)) == 1


def test_the_order_in_which_groups_were_written_does_not_show(store: Store) -> None:
    writer = store.writer()
    groups = [task(number, seed=3) for number in range(90)]
    put(writer, *(task(number, seed=1) for number in range(90)))
    put(writer, *reversed(groups))
    digests = store.reader.derived().scopes
    shadow = store.keep(store.shadow.create())
    for group in groups:
        put(shadow, group)
    assert store.shadow.derived().scopes == digests


def test_a_quarantined_group_keeps_its_rows_until_it_is_derived_again(store: Store) -> None:
    writer, group = store.writer(), task(1)
    put(writer, group)
    bad = Quarantined(group.group_id, Seq(2), "ValueError: our bug")
    writer.advance("tasks", 0, expected=Seq(1), seq=Seq(2), quarantined=[bad])
    assert store.reader.derived().quarantined == (bad,)
    check_task(store, group)
    worse = attrs.evolve(bad, seq=Seq(3), error="again")
    writer.advance("tasks", 0, expected=Seq(2), seq=Seq(3), quarantined=[worse])
    assert store.reader.derived().quarantined == (worse,)
    put(writer, task(1, seed=2))
    assert store.reader.derived().quarantined == ()


def test_a_rebuild_is_swapped_in_whole(store: Store) -> None:
    live = store.writer()
    put(live, task(1, seed=1), task(2, seed=1))
    shadow = store.keep(store.shadow.create())
    put(shadow, task(1, seed=2))
    check_task(store, task(1, seed=1))
    assert store.shadow.derived().cursors == {("tasks", 0): 1}
    shadow.close()
    store.shadow.swap({("tasks", 0): Seq(5), ("tasks", 1): Seq(5)})
    check_task(store, task(1, seed=2))
    assert store.reader.find_tasks(task(2).group_id.hex()) == ()
    assert store.reader.derived().cursors == {("tasks", 0): 5, ("tasks", 1): 5}
    with pytest.raises(PositionConflict) as caught:
        live.advance("tasks", 0, expected=Seq(1), seq=Seq(2))
    assert caught.value.actual == 5
    put(live, task(2, seed=3))
    check_task(store, task(2, seed=3))


def test_a_rebuild_can_be_given_up_and_begun_again(store: Store) -> None:
    for _attempt in range(2):
        shadow = store.keep(store.shadow.create())
        assert shadow.cursor("tasks", 0) == 0
        put(shadow, task(1))
        shadow.close()
    store.shadow.discard()
    store.shadow.discard()
    assert store.reader.find_tasks("0") == ()


def test_tasks_are_listed_newest_first_page_by_page(store: Store) -> None:
    groups = [task(number, created_at=1_000 + number // 3) for number in range(20)]
    put(store.writer(), *groups)
    wanted = sorted(
        ((1_000 + number // 3, group.group_id) for number, group in enumerate(groups)), reverse=True
    )
    found: list[tuple[int, bytes]] = []
    before: TaskCursor | None = None
    while page := store.reader.tasks(0, limit=7, before=before):
        found.extend((line.created_at, line.task_id) for line in page)
        before = TaskCursor(page[-1].created_at, page[-1].task_id)
    assert found == wanted


def verdict_of_creation(group: GroupRows, code: str) -> GroupRows:
    columns = TABLES["verdicts"].columns
    values = dict.fromkeys(columns) | {
        "task_id": group.group_id,
        "event_id": group.group_id,
        "event_kind": "TASK_CREATED",
        "author": bytes(32),
        "created_at": 1,
        "verdict": "ignored",
        "code": code,
    }
    row: Row = tuple(values[column] for column in columns)
    return with_rows(group, {"verdicts": (row,)})


def test_each_task_is_shown_with_the_word_for_its_state(store: Store) -> None:
    ignored = [task(number, standing="ignored") for number in (5, 6)]
    groups = [
        task(1, expires_at=100),
        task(2, expires_at=99),
        task(3, is_final=True, expires_at=1),
        task(4, standing="waiting"),
        verdict_of_creation(ignored[0], "unsupported_rules"),
        verdict_of_creation(ignored[1], "bad_field"),
        task(7, expires_at=99, control="stopped"),
        task(8, expires_at=100, control="suspended"),
        task(9, expires_at=100, control="killed"),
        task(10, expires_at=100, control="resumed"),
    ]
    put(store.writer(), *groups)
    words = {line.task_id[3]: line.word for line in store.reader.tasks(100, limit=10)}
    assert words == {
        1: "open",
        2: "expired",
        3: "final",
        4: "pending",
        5: "unsupported",
        6: "void",
        7: "stopped",
        8: "suspended",
        9: "killed",
        10: "open",
    }
    assert store.reader.task_counts(100) == Counter(words.values())
    for word in words.values():
        shown = {line.task_id[3] for line in store.reader.tasks(100, limit=10, state=word)}
        assert shown == {number for number, its in words.items() if its == word}
    assert store.reader.unfinished_tasks(100, limit=9) == (groups[0].group_id, groups[9].group_id)
    assert store.reader.unfinished_tasks(100, after=groups[9].group_id, limit=9) == ()


def test_tasks_are_over_when_they_expired_and_cannot_be_opened_anew(store: Store) -> None:
    groups = [
        task(1, mode="one_shot", expires_at=99),
        task(2, mode="one_shot", expires_at=100),
        task(3, mode="continuous", expires_at=99),
        task(4, mode="continuous", expires_at=99, control="killed"),
        task(5, mode="one_shot", expires_at=99, standing="ignored"),
        task(6, mode="one_shot", expires_at=99, standing="ignored", is_final=True),
        task(7, mode="one_shot", expires_at=99),
        task(8, scope=None),
    ]
    put(store.writer(), *groups)
    names = [EventId(group.group_id) for group in groups]
    asked = [*names[:6], names[7], EventId(bytes(32))]
    assert store.reader.tasks_over(asked, 100) == {names[0], names[3], names[5]}


def test_tasks_can_be_narrowed_by_type_and_scope(store: Store) -> None:
    groups = [
        task(1, task_type="a", scope="node:x"),
        task(2, task_type="b", scope="node:x"),
        task(3, task_type="a", scope="node:y"),
    ]
    put(store.writer(), *groups)

    def numbers(*, task_type: str | None = None, scope: str | None = None) -> list[int]:
        lines = store.reader.tasks(0, limit=9, task_type=task_type, scope=scope)
        return sorted(line.task_id[3] for line in lines)

    assert numbers(task_type="a") == [1, 3]
    assert numbers(scope="node:x") == [1, 2]
    assert numbers(task_type="a", scope="node:y") == [3]
    assert numbers(task_type="c") == []


def test_a_line_shows_what_the_row_says(store: Store) -> None:
    decided, final = bytes([1]) * 32, bytes([2]) * 32
    fields = {"name": "n", "task_type": "t", "epoch": 1, "attempt": 2, "candidates": 3}
    group = task(1, **fields, decided_candidate=decided, final_candidate=None)
    put(store.writer(), group, task(2, decided_candidate=decided, final_candidate=final))
    two, one = store.reader.tasks(0, limit=2)
    assert (one.name, one.task_type, one.epoch, one.attempt, one.candidates) == ("n", "t", 1, 2, 3)
    assert (one.decided, two.decided) == (decided, final)


def test_tasks_are_found_by_a_prefix_of_their_id(store: Store) -> None:
    groups = [task(number) for number in (0x11111111, 0x11111112, 0x22222222)]
    put(store.writer(), *groups)
    assert store.reader.find_tasks("2") == (groups[2].group_id,)
    assert store.reader.find_tasks("1") == (groups[0].group_id, groups[1].group_id)
    assert store.reader.find_tasks("11111112") == (groups[1].group_id,)
    assert store.reader.find_tasks("3") == ()


def test_a_digest_tells_apart_what_differs_in_one_value() -> None:
    one, two = task(1, seed=1), task(1, seed=2)
    assert one.digest != two.digest
    assert governance(seed=1).digest != governance(seed=2).digest
    assert digest(Context.DIGEST) != one.digest


def test_the_board_is_in_the_digest_of_the_scope_that_each_event_states(store: Store) -> None:
    writer = store.writer()
    groups = [board_event(payload, scope) for scope in ("node:a", "group:b") for payload in SAMPLES]
    put(writer, *groups, task(1, scope="node:a"))
    put(writer, *groups[:3])
    found = store.reader.derived().scopes
    assert {scope: of.groups for scope, of in found.items()} == {
        "group:b": len(SAMPLES),
        "node:a": len(SAMPLES) + 1,
    }
    pairs = sorted((each.group_id, each.digest) for each in groups if each.scope == "group:b")
    assert found["group:b"].digest == scope_digest("group:b", pairs)


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_naming_what_is_no_task_as_a_task_changes_nothing_about_it(
    store: Store, is_one_batch: bool
) -> None:
    writer = store.writer()
    others = [board_event(SAMPLES[0], "global"), governance()]
    put(writer, *others)
    wanted = store.reader.derived().scopes
    posing = [unknown_task(each.owner) for each in others]
    if is_one_batch:
        put(writer, *posing, *others)
    else:
        put(writer, *posing)
    assert store.reader.derived().scopes == wanted
    assert by_key(store.reader.governance()) == by_key(others[1].rows)


def test_a_voided_event_of_the_board_leaves_a_verdict_and_comes_back(store: Store) -> None:
    writer = store.writer()
    made = said(SAMPLES[0])
    before = board_group(made.event_id, made.scope, board.rows(made))
    voided = board_group(made.event_id, made.scope, board.rows(made, Voiding()))
    put(writer, before)
    digests = [store.reader.derived().scopes]
    for group in (voided, before):
        put(writer, group)
        digests.append(store.reader.derived().scopes)
    assert digests[0] == digests[2] != digests[1]
