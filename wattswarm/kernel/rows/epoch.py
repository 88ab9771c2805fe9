"""Rows of a task's epochs, and of the signatures that end them."""

from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.records import Label
from wattswarm.kernel.rows.table import Row, table
from wattswarm.kernel.state import TaskState


def _epochs(state: TaskState) -> Iterator[Row]:
    for label, attempt in state.attempts.items():
        yield (state.task_id, *label, state.opened_at(label), attempt)


def _epoch_ends(state: TaskState) -> Iterator[Row]:
    for (label, next_pin), signers in state.ending.items():
        following = Label(label.epoch + 1, next_pin)
        yield (state.task_id, *label, next_pin, signers, state.is_open(following))


TABLES: Final = (
    table(
        "epochs", "task_id bytes, epoch uint, pin bytes, opened_at uint, attempt uint", 3, _epochs
    ),
    table(
        "epoch_ends",
        "task_id bytes, epoch uint, pin bytes, next_pin bytes, signers uint, is_quorate bool",
        4,
        _epoch_ends,
    ),
)
