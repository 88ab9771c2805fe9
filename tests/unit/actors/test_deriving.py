"""From rows of the log to rows of projections: what a change of governance derives anew."""

from collections.abc import Mapping, Sequence

import attrs
import pytest

from tests.support.board_events import SAMPLES, START_MS
from tests.support.scene import Scene, scene
from tests.unit.kernel.test_statements import carried, statement
from wattswarm.actors.deriving import Deriver
from wattswarm.kernel import board
from wattswarm.kernel.event import Draft, Event
from wattswarm.kernel.governance import draft_update, sign, successor
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.payloads.board import write
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState
from wattswarm.kernel.rows import Rows
from wattswarm.kernel.task import TaskMachine
from wattswarm.store.log_record import Entry
from wattswarm.store.memory_log import MemoryLog, MemoryLogReader

KIND, AUTHOR = 2, 3


@attrs.define
class Projected:
    """The rows of each group, as a deriver replaced them page by page."""

    log: MemoryLog
    page: int
    groups: dict[bytes, Rows] = attrs.field(factory=dict[bytes, Rows])

    def run(self) -> Mapping[bytes, Rows]:
        """Derive the whole log."""
        reader = MemoryLogReader(self.log)
        deriver = Deriver(
            network_id=self.log.rows[0].event().network_id,
            shard=0,
            shards=1,
            shard_key=b"",
            history=reader.events_of_tasks,
            pinned=lambda _: (),
            touched=reader.tasks_about,
            posted=reader.taskless_about,
        )
        seq = Seq(0)
        while batch := reader.read(seq, limit=self.page):
            derived = deriver.derive(batch)
            assert derived.quarantined == ()
            self.groups |= {group.group_id: group.rows for group in derived.groups}
            seq = batch[-1].seq
        return self.groups


def logged(events: Sequence[Event]) -> MemoryLog:
    """Return a log of these events."""
    log = MemoryLog()
    for event in events:
        log.add(Entry(event=event, received_at=0))
    return log


def story() -> tuple[Scene, list[Event]]:
    """Return a task, and a claim that is revoked, restored, and struck by a penalty."""
    stage = scene(3, threshold=2)
    claim = stage.claim(Work.PROPOSE, 2)
    stage.propose(claim, 2)
    stage.claim(Work.VERIFY, 1)
    said = [
        statement(stage, EventRevoked.kind, claim),
        statement(stage, EventRevoked.kind, claim, 2, StatementState.RESTORED),
        statement(stage, NodePenalized.kind, stage.cast[2].node_id),
    ]
    statements = [carried(stage, each, (0, 1)) for each in said]
    return stage, [stage.network.carrier, stage.task, *stage.said, *statements]


def verdicts(rows: Rows) -> Mapping[object, object]:
    """Return the codes of what has no effect."""
    return {row[1]: row[6] for row in rows["verdicts"]}


def test_statements_take_effect_on_tasks_that_were_derived_before() -> None:
    stage, events = story()
    task, (claim, candidate, _) = stage.task.event_id, [each.event_id for each in stage.said]
    expected: list[Mapping[EventId, str]] = [
        {},
        {claim: "revoked", candidate: "depends_on_revoked"},
        {},
        {claim: "penalized", candidate: "penalized"},
    ]
    for more, found in enumerate(expected):
        rows = Projected(logged(events[: 5 + more]), page=1).run()[task]
        assert verdicts(rows) == found, more


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_of_any_size_come_to_what_the_whole_comes_to(page: int) -> None:
    _, events = story()
    expected = Projected(logged(events), page=len(events)).run()
    for turned in (events, [events[0], *reversed(events[1:])]):
        assert Projected(logged(turned), page).run() == expected


def board_story() -> tuple[list[Event], list[Event]]:
    """Return what is said on the board, and statements about one event and about its author."""
    stage = scene(3, threshold=2)
    network_id = stage.network.network_id
    author = stage.cast[2]
    posted = [
        Draft(
            kind=payload.kind,
            scope="global",
            lane_class=board.KINDS[payload.kind].lane_class,
            task_id=None,
            epoch=0,
            created_at=START_MS + number,
            payload=write(payload),
        ).unsigned(network_id, author.node_id)
        for number, payload in enumerate(SAMPLES)
    ]
    name = posted[0].event_id
    said = [
        statement(stage, EventRevoked.kind, name),
        statement(stage, EventRevoked.kind, name, 2, StatementState.RESTORED),
        statement(stage, NodePenalized.kind, author.node_id),
    ]
    return [stage.network.carrier, *posted], [carried(stage, each, (0, 1)) for each in said]


def codes_on_board(groups: Mapping[bytes, Rows]) -> list[object]:
    """Return the codes of the events of the board that have no effect."""
    return [row[-1] for rows in groups.values() for row in rows.get("board_verdicts", ())]


def test_statements_take_effect_on_the_board_that_was_projected_before() -> None:
    posted, statements = board_story()
    for more, codes in enumerate([[], ["revoked"], [], ["penalized"] * len(SAMPLES)]):
        groups = Projected(logged([*posted, *statements[:more]]), page=1).run()
        assert codes_on_board(groups) == codes, more


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_the_board_is_the_same_whatever_the_order_and_the_pages(page: int) -> None:
    posted, statements = board_story()
    for said in (statements, statements[:2], statements[:1]):
        events = [*posted, *said]
        expected = Projected(logged(events), page=len(events)).run()
        for turned in (events, [events[0], *reversed(events[1:])], [*said, *posted]):
            assert Projected(logged(turned), page).run() == expected


def test_a_bug_at_news_of_governance_strikes_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, events = story()
    struck: list[TaskMachine] = []

    def strike(machine: TaskMachine, _pins: object) -> bool:
        struck.append(machine)
        raise ArithmeticError("a rule's bug")

    monkeypatch.setattr(TaskMachine, "governance_changed", strike)
    version = successor(stage.network.genesis, params={"x": 1})
    network_id = stage.network.network_id
    sigs = {key.node_id: sign(network_id, version, key) for key in stage.cast}
    carrier = draft_update(version, sigs, 1).unsigned(network_id, stage.cast[0].node_id)
    groups = Projected(logged([*events[:5], carrier]), page=1).run()
    assert len(struck) == 1
    assert verdicts(groups[stage.task.event_id]) == {}
