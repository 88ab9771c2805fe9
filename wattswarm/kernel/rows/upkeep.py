"""Rows of failures, attempts anew, and what was said about whether a task is worked on."""

from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.control import control_hash
from wattswarm.kernel.rows.table import Row, codes_text, table
from wattswarm.kernel.state import TaskState


def _errors(state: TaskState) -> Iterator[Row]:
    for error in state.errors.values():
        claim = state.claims[error.claim]
        yield (
            state.task_id,
            error.event_id,
            error.claim,
            error.author,
            claim.executor,
            claim.role.value,
            claim.label.epoch,
            claim.attempt,
            error.created_at,
            error.reason,
            codes_text(error.reason_codes),
            error.message,
        )


def _retries(state: TaskState) -> Iterator[Row]:
    for retry in state.retries.values():
        yield (
            state.task_id,
            retry.event_id,
            retry.author,
            retry.label.epoch,
            retry.label.pin,
            retry.from_attempt,
            retry.run_at,
            retry.created_at,
            retry.reason,
        )


def _controls(state: TaskState) -> Iterator[Row]:
    for control in state.backers.keys() | state.commanded.keys():
        yield (
            state.task_id,
            control_hash(state.network_id, state.task_id, control),
            control.word.value,
            control.control_no,
            control.reason,
            control in state.commanded,
            state.backers.get(control, 0),
            state.is_backed(control),
        )


TABLES: Final = (
    table(
        "errors",
        "task_id bytes, error_id bytes, claim_id bytes, author bytes, executor text, role text,"
        "epoch uint, attempt uint, created_at uint, reason text, reason_codes text, message text",
        2,
        _errors,
    ),
    table(
        "retries",
        "task_id bytes, retry_id bytes, author bytes, epoch uint, pin bytes, from_attempt uint,"
        "run_at uint, created_at uint, reason text?",
        2,
        _retries,
    ),
    table(
        "controls",
        "task_id bytes, control_id bytes, word text, control_no uint, reason text,"
        "is_creators bool, signers uint, is_backed bool",
        2,
        _controls,
    ),
)
