"""Rows of what a task's creator said about work that was handed in."""

from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.rows.table import Row, table
from wattswarm.kernel.state import TaskState


def _completions(state: TaskState) -> Iterator[Row]:
    for said in state.completions.values():
        yield (
            state.task_id,
            said.event_id,
            said.candidate,
            said.created_at,
            said.is_approved,
            said.is_retry_requested,
            said.reason,
        )


def _settlements(state: TaskState) -> Iterator[Row]:
    for paid in state.settlements.values():
        yield (state.task_id, paid.event_id, paid.claim, paid.created_at, paid.receipt)


TABLES: Final = (
    table(
        "completions",
        "task_id bytes, completion_id bytes, candidate_id bytes, created_at uint,"
        "is_approved bool, is_retry_requested bool, reason text?",
        2,
        _completions,
    ),
    table(
        "settlements",
        "task_id bytes, settlement_id bytes, claim_id bytes, created_at uint, receipt text?",
        2,
        _settlements,
    ),
)
