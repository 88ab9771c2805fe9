"""How a table of rows is described: its columns, its key, and what makes its rows of a state.

A row is a tuple in the order of its table's columns, of integers, text, byte strings, booleans and
None.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

import attrs

from wattswarm.kernel.state import TaskState

Row: TypeAlias = "tuple[int | str | bytes | bool | None, ...]"
Rows: TypeAlias = "Mapping[str, tuple[Row, ...]]"
Make: TypeAlias = Callable[[TaskState], Iterator[Row]]


class ColumnType(enum.StrEnum):
    """What a column holds; a nullable one may hold None instead."""

    UINT = "uint"
    INT = "int"
    TEXT = "text"
    BYTES = "bytes"
    BOOL = "bool"


@attrs.frozen
class Column:
    """One column of a table."""

    name: str
    type: ColumnType
    is_nullable: bool = False


@attrs.frozen
class TableShape:
    """The columns of a table, and the names of those that are its primary key, which come first."""

    of: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.of)


@attrs.frozen
class Table:
    """A table of a task's group, and what makes its rows."""

    name: str
    shape: TableShape
    make: Make


def shape(columns: str, key: int) -> TableShape:
    """Return the shape of `name type` pairs; the first `key` columns are the primary key."""
    made: list[Column] = []
    for column in columns.split(","):
        name, kind = column.split()
        made.append(Column(name, ColumnType(kind.rstrip("?")), kind.endswith("?")))
    return TableShape(tuple(made), tuple(column.name for column in made[:key]))


def table(name: str, columns: str, key: int, make: Make) -> Table:
    """Return a table; see `shape`."""
    return Table(name, shape(columns, key), make)


def codes_text(codes: Iterable[int]) -> str:
    """Return reason codes as a column holds them: numbers with commas between them."""
    return ",".join(map(str, codes))
