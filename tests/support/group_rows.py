"""Groups with made-up rows of the right shape, for tests of what stores them."""

import random
from collections.abc import Mapping

import attrs

from wattswarm.kernel.ids import EventId
from wattswarm.kernel.rows import TABLES, Column, ColumnType, Row, Rows, TableShape
from wattswarm.store.tables import GOVERNANCE_TABLES, GroupRows, governance_group, task_group

TEXTS = ("", "a", "naïve", "x" * 300, "tab\tand\nline", "\\N", '"quoted"', "漢字 𝄞")


def task(
    number: int,
    *,
    seed: int = 0,
    scope: str | None = "node:a",
    rows_max: int = 4,
    **fields: int | str | bytes | bool | None,
) -> GroupRows:
    """Return a task's group; the same arguments give the same rows. `fields` are of `tasks`."""
    rng = random.Random(f"{number} {seed}")
    task_id = EventId(number.to_bytes(4, "big") * 8)
    made: dict[str, tuple[Row, ...]] = {
        name: _rows(rng, shape, task_id, rng.randrange(rows_max + 1))
        for name, shape in TABLES.items()
    }
    made["tasks"] = (_task_row(rng, task_id, scope, fields),)
    return task_group(task_id, scope, made)


def governance(*, seed: int = 0) -> GroupRows:
    """Return the group of a network's governance."""
    rng = random.Random(seed)
    rows = {name: _rows(rng, shape, None, 3) for name, shape in GOVERNANCE_TABLES.items()}
    return governance_group("local:test", rows)


def with_rows(group: GroupRows, rows: Rows) -> GroupRows:
    """Return the group with some of its tables replaced; its digest stays."""
    changed = task_group(EventId(group.group_id), group.scope, {**group.rows, **rows})
    return attrs.evolve(changed, digest=group.digest)


def _task_row(
    rng: random.Random,
    task_id: bytes,
    scope: str | None,
    fields: Mapping[str, int | str | bytes | bool | None],
) -> Row:
    shape = TABLES["tasks"]
    row = dict(zip(shape.columns, _row(rng, shape, task_id), strict=True))
    standing = "missing" if scope is None else "effective"
    is_known = scope is not None
    row |= {"scope": scope, "standing": standing, "is_final": False, "control": None}
    row |= {"created_at": 1_000 if is_known else None, "expires_at": 9_000 if is_known else None}
    row |= fields
    return tuple(row.values())


def _rows(
    rng: random.Random, shape: TableShape, task_id: bytes | None, count: int
) -> tuple[Row, ...]:
    found = {
        row[: len(shape.key)]: row for row in (_row(rng, shape, task_id) for _ in range(count))
    }
    return tuple(found[key] for key in sorted(found, key=repr))


def _row(rng: random.Random, shape: TableShape, task_id: bytes | None) -> Row:
    values = [_value(rng, column) for column in shape.of]
    if task_id is not None:
        values[0] = task_id
    return tuple(values)


def _value(rng: random.Random, column: Column) -> int | str | bytes | bool | None:
    if column.is_nullable and rng.random() < 0.3:
        return None
    match column.type:
        case ColumnType.UINT:
            return rng.choice((0, 1, 70_000, 2**40, 2**53 - 1))
        case ColumnType.INT:
            return rng.choice((0, 1, -1_000, 2**53 - 1, -(2**53 - 1)))
        case ColumnType.TEXT:
            return rng.choice(TEXTS)
        case ColumnType.BYTES:
            return rng.randbytes(32)
        case ColumnType.BOOL:
            return rng.random() < 0.5
