"""Reading SQL files: named queries, numbered migrations."""

import pytest

from wattswarm.store.migrate import migrations
from wattswarm.store.queries import FOLDER, load, script

NAMES = sorted(path.stem for path in (FOLDER / "queries").glob("*.sql"))


@pytest.mark.parametrize("name", NAMES)
def test_every_query_has_a_name_and_a_body(name: str) -> None:
    queries = load(name)
    assert queries
    assert all(query and key.isidentifier() for key, query in queries.items())


def test_migrations_are_numbered_from_one_without_gaps() -> None:
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_query_is_what_stands_below_its_name() -> None:
    assert load("event_log")["commit"] == b"commit"
    assert b"create table cursors" in script("derived")
