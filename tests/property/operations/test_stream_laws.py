"""The live stream's order: whoever resumes after the last id that it saw has missed nothing."""

from collections.abc import Iterator

import attrs
from hypothesis import given
from hypothesis import strategies as st

from tests.support.log_events import START_MS, event
from wattswarm.kernel.ids import EventId, Seq, TaskId
from wattswarm.operations.unfolding import Unfolding
from wattswarm.store.log_record import LogRow
from wattswarm.surface.stream import EventNews, News, TaskNews

TASKS = tuple(EventId(bytes([number]) * 32) for number in range(4))


def row(seq: int, task_id: TaskId | None) -> LogRow:
    made = event(seq, task_id=task_id)
    return LogRow(
        seq=Seq(seq),
        event_id=made.event_id,
        scope=made.scope,
        lane_class=made.lane_class,
        created_at=made.created_at,
        received_at=START_MS,
        author=made.author,
        task_id=task_id,
        kind=made.kind,
        signature=made.signature,
        chain=made.event_id,
        body=made.body,
    )


@attrs.frozen
class Look:
    """How many rows are read, and how far the projections are, of what the log has."""

    rows: int
    projected_percent: int


looks = st.lists(st.builds(Look, st.integers(0, 9), st.integers(0, 100)), min_size=1, max_size=12)
logs = st.lists(st.none() | st.sampled_from(TASKS), max_size=40)


def told(log: list[LogRow], after: int, plan: list[Look]) -> Iterator[News]:
    """Yield what a stream tells in some looks, and then until it is settled."""
    unfolding = Unfolding(Seq(after))
    projected = Seq(0)
    for look in [*plan, *[Look(len(log), 100)] * 2]:
        limit = min(look.rows, unfolding.room)
        rows = [each for each in log if each.seq > unfolding.read_seq][:limit]
        projected = max(projected, Seq(len(log) * look.projected_percent // 100))
        due = unfolding.due(rows, projected)
        words = dict.fromkeys(due, "open")
        yield from unfolding.tell(rows, projected, words)
    assert unfolding.is_settled


def mark(news: News) -> int | None:
    """Return the seq after which a client resumes once it saw this, as the API sends it."""
    match news:
        case TaskNews(seq=seq) | EventNews(seq=seq, task_id=None):
            return seq
        case _:
            return None


@given(logs, looks)
def test_every_event_is_told_once_and_every_task_at_its_last(
    tasks: list[TaskId | None], plan: list[Look]
) -> None:
    log = [row(seq, task_id) for seq, task_id in enumerate(tasks, 1)]
    news = list(told(log, 0, plan))
    events = [item.seq for item in news if isinstance(item, EventNews)]
    assert sorted(events) == [each.seq for each in log]
    for task_id in set(tasks) - {None}:
        assert task_id is not None
        last = max(each.seq for each in log if each.task_id == task_id)
        moved = [
            item.seq
            for item in news
            if isinstance(item, TaskNews) and item.task_id == task_id.hex()
        ]
        assert moved[-1] == last
    marks = [seq for item in news if (seq := mark(item)) is not None]
    assert marks == sorted(marks)


@given(logs, looks, looks, st.integers(0, 200))
def test_resuming_at_any_point_loses_no_event_and_no_task(
    tasks: list[TaskId | None], plan: list[Look], later: list[Look], cut: int
) -> None:
    log = [row(seq, task_id) for seq, task_id in enumerate(tasks, 1)]
    first = list(told(log, 0, plan))[:cut]
    last = max((seq for item in first if (seq := mark(item)) is not None), default=0)
    news = [*first, *told(log, last, later)]
    events = {item.seq for item in news if isinstance(item, EventNews)}
    assert events == {each.seq for each in log}
    for each in log:
        if each.task_id is not None:
            name = each.task_id.hex()
            assert any(
                isinstance(item, TaskNews) and item.task_id == name and item.seq >= each.seq
                for item in news
            )
