"""How the server reads: by an index, also by plans that were made while all tables were empty."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pytest

from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.queries import load

PLACEHOLDER = re.compile(rb"%\((\w+)\)[sbt]")

ASKED_OFTEN = {
    ("log_reader", "read"): {"sel_events_pkey"},
    ("log_reader", "read_task"): {"sel_events_by_task"},
    ("log_reader", "read_tasks"): {"sel_events_by_task"},
    ("log_reader", "read_governance"): {"sel_events_of_governance"},
    ("event_log", "held"): {"own_locks_pkey"},
    ("merit", "answers"): {"knowledge_by_question"},
    ("merit", "comparable"): {"knowledge_newest"},
    ("merit", "named"): {"knowledge_by_decision"},
}
"""Queries of every task's life, with the indexes that they go by."""

LARGE = {"sel_events", "own_locks", "knowledge", "reuse_rejections", "evidence"}


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect(Purpose.READER) as connection:
        yield connection


def generic_plan(connection: Connection, query: bytes) -> Mapping[str, Any]:
    """Return the plan of a query for whatever values it is given."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(query)))
    numbered = PLACEHOLDER.sub(lambda found: b"$%d" % (names.index(found[1]) + 1), query)
    row = connection.execute(b"explain (generic_plan, format json) " + numbered).fetchone()
    assert row is not None
    found = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    return cast("Mapping[str, Any]", found[0]["Plan"])


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in cast("Sequence[Mapping[str, Any]]", plan.get("Plans", ())):
        yield from nodes(part)


@pytest.mark.parametrize("asked", ASKED_OFTEN, ids="/".join)
def test_what_is_asked_often_reads_no_more_than_it_answers(
    connection: Connection, asked: tuple[str, str]
) -> None:
    part, name = asked
    plan = generic_plan(connection, load(part)[name])
    read_whole = {
        each.get("Relation Name") for each in nodes(plan) if each["Node Type"] == "Seq Scan"
    }
    assert not read_whole & LARGE
    used = {each["Index Name"] for each in nodes(plan) if "Index Name" in each}
    assert {index for index in used if index.startswith(("sel_", "own_", "knowledge_"))} == (
        ASKED_OFTEN[asked]
    )
