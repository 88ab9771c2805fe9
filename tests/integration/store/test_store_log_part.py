"""Parts of a log, page by page: together what was asked for, and governance with it."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.log_events import event, singles
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.store.connection import Database, Purpose
from wattswarm.store.event_log import LogWriter
from wattswarm.store.log_part import ROWS, LogPart
from wattswarm.store.log_reader import GOVERNANCE_KINDS, LogReader

TASK = EventId(b"\x07" * 32)
COUNT = 3 * ROWS + 5


def made(number: int) -> Event:
    """Return events of a task, of another scope, and now and then of governance."""
    if number % 50 == 0:
        kind = GOVERNANCE_KINDS[number // 50 % len(GOVERNANCE_KINDS)]
        return event(number, kind=kind, scope="global")
    if number % 3:
        return event(number, task_id=TASK)
    return event(number, scope="node:b")


EVENTS = [made(number) for number in range(COUNT)]


@pytest.fixture
def log(database: Database) -> Iterator[LogReader]:
    writer = LogWriter(database)
    writer.open()
    for at in range(0, COUNT, 500):
        writer.append(singles(EVENTS[at : at + 500]))
    writer.close()
    with database.connect(Purpose.READER) as connection:
        yield LogReader(connection)


def read(log: LogReader, part: LogPart) -> list[bytes]:
    """Return the wires of all pages of a part; none is larger than it may be."""
    found: list[bytes] = []
    after: Seq | None = part.after
    while after is not None:
        rows, after = part.page(log, after)
        assert len(rows) <= ROWS
        found += [row.to_wire() for row in rows]
    return found


def is_of_governance(number: int) -> bool:
    return number % 50 == 0


def wires(after: int, up_to: int, fits: Callable[[int], bool]) -> list[bytes]:
    return [EVENTS[number].to_wire() for number in range(after, up_to) if fits(number)]


@pytest.mark.parametrize("bounds", [(0, COUNT), (0, ROWS), (7, 7), (100, 101), (ROWS, COUNT - 1)])
def test_a_part_is_what_lies_between_and_fits(log: LogReader, bounds: tuple[int, int]) -> None:
    after, up_to = bounds
    part = LogPart(after=Seq(after), up_to=Seq(up_to))
    assert read(log, part) == wires(after, up_to, lambda _: True)
    of_scope = LogPart(after=Seq(after), up_to=Seq(up_to), scope="node:b")
    assert read(log, of_scope) == wires(
        after, up_to, lambda number: is_of_governance(number) or number % 3 == 0
    )
    of_task = LogPart(after=Seq(after), up_to=Seq(up_to), task_id=TASK)
    assert read(log, of_task) == wires(
        after, up_to, lambda number: is_of_governance(number) or number % 3 != 0
    )
