"""The SQL of projections has the tables that the kernel describes: names, columns, types, keys."""

import re

import pytest

from wattswarm.store.connection import Database, Purpose
from wattswarm.store.log_reader import GOVERNANCE_KINDS
from wattswarm.store.projections import TABLE_QUERIES
from wattswarm.store.queries import FOLDER, load
from wattswarm.store.tables import ALL_TABLES, SQL_TYPES

COLUMNS = b"""
select column_name, udt_name, is_nullable = 'YES', collation_name
from information_schema.columns
where table_schema = 'derived' and table_name = %s
order by ordinal_position
"""

KEY = b"""
select array_agg(attname order by place)
from pg_index, unnest(indkey) with ordinality as part (number, place)
join pg_attribute on attnum = number
where indrelid = to_regclass(%s) and attrelid = indrelid and indisprimary
"""


@pytest.mark.parametrize("table", ALL_TABLES)
def test_a_table_is_the_one_that_the_kernel_describes(database: Database, table: str) -> None:
    shape = ALL_TABLES[table]
    with database.connect(Purpose.READER) as connection:
        columns = connection.execute(COLUMNS, (table,)).fetchall()
        key = connection.execute(KEY, (f"derived.{table}",)).fetchone()
    assert [(name, type_, nullable) for name, type_, nullable, _ in columns] == [
        (column.name, SQL_TYPES[column.type], column.is_nullable) for column in shape.of
    ]
    assert {order for _, type_, _, order in columns if type_ == "text"} <= {"C"}
    assert key == (list(shape.key),)


@pytest.mark.parametrize("table", ALL_TABLES)
def test_a_table_is_read_in_the_order_of_its_columns_and_key(table: str) -> None:
    shape, query = ALL_TABLES[table], TABLE_QUERIES[f"rows_of_{table}"].decode()
    found = re.match(r"select (.*) from (\w+).* order by (.*)", query)
    assert found is not None
    assert tuple(found[1].split(", ")) == shape.columns
    assert found[2] == table
    assert tuple(found[3].split(", ")) == shape.key


def test_every_query_of_the_tables_is_of_a_table() -> None:
    wanted = {f"{what}_{table}" for table in ALL_TABLES for what in ("delete", "copy", "rows_of")}
    assert set(TABLE_QUERIES) == wanted


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "queries").glob("*.sql")), ids=lambda path: path.name
)
def test_every_query_is_used(path: object) -> None:
    name = str(path).rpartition("/")[2].removesuffix(".sql")
    sources = "".join(source.read_text() for source in FOLDER.parent.glob("*.py"))
    unused = [query for query in load(name) if f'"{query}"' not in sources]
    if name == "tables":
        assert len(unused) == len(TABLE_QUERIES)  # their names are made from those of the tables
    else:
        assert unused == []


def test_the_kinds_of_governance_are_those_of_their_index() -> None:
    kinds = ", ".join(f"'{kind}'" for kind in GOVERNANCE_KINDS)
    assert f"event_kind in ({kinds})" in load("log_reader")["read_governance"].decode()
    assert f"event_kind in ({kinds})" in (FOLDER / "migrations" / "0003_statements.sql").read_text()
