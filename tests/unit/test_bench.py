"""The benches, in the small: what they are called, what they print, what they feed a node with."""

import json
import random
from collections.abc import Sequence

import pytest

from bench import __main__ as command
from bench import lifecycles, messaging, raw_messages, report
from bench.authoring import EVENTS_PER_TASK, Cast, author_events
from bench.deriving import check, derive_costs
from bench.ingest import Feed
from bench.long_task import AUTHORS, long_task
from bench.report import Result
from wattswarm.kernel.event import decode
from wattswarm.kernel.task import derive
from wattswarm.kernel.views import state_word

NOW_MS = 1_700_000_000_000
SEED = bytes(range(32))


def test_every_bench_can_be_loaded_and_run() -> None:
    for name in command.BENCHES:
        assert callable(command.load(name))


def test_the_document_of_a_bench_has_the_form_that_machines_read() -> None:
    rows = [
        Result(metric="a_per_s", value=1234.56789, unit="1/s", baseline=2_000.0, n=7),
        Result(metric="b_ms", value=1.5, unit="ms"),
    ]
    document = json.loads(report.document("some", rows))
    assert set(document) == {"bench", "versions", "load", "results"}
    assert document["bench"] == "some"
    assert {"python", "wattswarm", "trio"} <= document["versions"].keys()
    assert len(document["load"]) == 3
    assert document["results"] == [
        {
            "metric": "a_per_s",
            "value": 1234.57,
            "unit": "1/s",
            "baseline": 2_000.0,
            "ratio": 0.617284,
            "n": 7,
        },
        {"metric": "b_ms", "value": 1.5, "unit": "ms", "baseline": None, "ratio": None, "n": 1},
    ]


def test_the_table_of_a_bench_says_what_was_compared() -> None:
    said = report.table("some", [Result(metric="a_ms", value=3.0, unit="ms", baseline=2.0)])
    assert "a_ms" in said
    assert "1.500 × baseline 2.0" in said


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    values = [*map(float, range(1, 101))]
    random.Random(5).shuffle(values)
    assert report.percentile(values, share) == expected


def test_every_authored_event_takes_effect_and_every_task_ends_whatever_the_weaving() -> None:
    events = [decode(wire) for wire in author_events(SEED, 80, now_ms=NOW_MS, processes=1)]
    assert len(events) == 3 * EVENTS_PER_TASK
    assert all(event.is_genuine() and event.created_at <= NOW_MS for event in events)
    governance = Cast.of(SEED).governance()
    for task_id in {event.group_task for event in events}:
        assert task_id is not None
        about = [event for event in events if event.group_task == task_id]
        state = derive(task_id, about, governance)
        assert not state.pending
        assert state_word(state, NOW_MS) == "final"


@pytest.mark.parametrize("size", [1, 20, 200, 333])
def test_every_event_of_a_long_task_takes_effect_wherever_it_is_cut(size: int) -> None:
    told = long_task(size)
    assert len(told.events) == size
    assert all(event.is_genuine() for event in told.events)
    assert size < 300 or len({event.author for event in told.events}) == AUTHORS
    check(told)


def test_the_costs_of_deriving_are_measured_under_their_names() -> None:
    found = derive_costs(events_timed=100)
    assert _metrics(found) == [
        "derive_event_us_20",
        "derive_event_us_200",
        "derive_event_us_2000",
        "derive_growth",
    ]
    assert all(row.value > 0 for row in found)


def test_a_log_of_a_million_events_is_measured_only_when_asked_for() -> None:
    assert lifecycles.sizes(None) == [1_000, 100_000]
    assert lifecycles.sizes(1_000_000) == [1_000, 100_000, 1_000_000]
    assert lifecycles.sizes(1_000) == [1_000]
    assert lifecycles.sizes(54) == [54]
    assert [*map(lifecycles.name, (1_000, 1_000_000, 54))] == [
        "lifecycles_per_s_1e3",
        "lifecycles_per_s_1e6",
        "lifecycles_per_s_54",
    ]


def test_the_authors_of_a_filled_log_hand_the_roles_back_to_the_node() -> None:
    cast = Cast.of(SEED)
    governance = cast.governance()
    for event in lifecycles.hand_back(cast, NOW_MS):
        assert governance.add(event)
    head = governance.head()
    assert head is not None
    assert head.finalizers == {cast.founder.node_id}
    assert cast.founder.node_id != cast.authors[0].node_id


def test_a_feed_that_slows_down_is_not_flat() -> None:
    feed = Feed(began=0.0, taken=100)
    feed.marks = [(taken, taken / 10) for taken in range(1, 101)]
    assert feed.flatness() == pytest.approx(1.0)
    feed.marks = [(taken, taken**2 / 100) for taken in range(1, 101)]
    assert feed.flatness() < 0.1


async def test_messages_inside_a_process_are_measured_under_their_names() -> None:
    found = await messaging.inside(tells=200, asks=20)
    assert _metrics(found) == [
        "tell_inprocess_per_s",
        "ask_inprocess_p50_us",
        "ask_inprocess_p99_us",
    ]
    assert all(row.value > 0 and row.ratio for row in found)


async def test_raw_messages_between_processes_arrive() -> None:
    assert raw_messages.pair_rate(b"x" * 100, 10) > 0
    assert len(raw_messages.pair_round_trips_us(b"x" * 100, 3)) == 3


def _metrics(rows: Sequence[Result]) -> list[str]:
    return [row.metric for row in rows]
