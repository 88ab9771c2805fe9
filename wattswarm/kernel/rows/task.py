"""The row of the task itself, and the verdicts on its events that have no effect."""

import enum
from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.rows.table import Row, table
from wattswarm.kernel.rows.work import counts
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Ignored, Waiting


class Standing(enum.StrEnum):
    """What has become of the task's TASK_CREATED."""

    EFFECTIVE = "effective"
    WAITING = "waiting"
    IGNORED = "ignored"
    MISSING = "missing"


def standing(state: TaskState) -> Standing:
    """Return what has become of the task's TASK_CREATED."""
    match state.verdict(state.task_id):
        case Ignored():
            return Standing.IGNORED
        case Waiting():
            return Standing.WAITING
        case _:
            return Standing.EFFECTIVE if state.is_effective else Standing.MISSING


def _task(state: TaskState) -> Iterator[Row]:
    is_known = state.scope is not None
    terms = state.contract
    final = None if state.label is None else state.outcome(state.label)
    decision = state.decision
    approvals, rejections = (0, 0) if decision is None else counts(state)[decision.candidate]
    yield (
        state.task_id,
        standing(state).value,
        state.scope,
        state.creator if is_known else None,
        state.created_at if is_known else None,
        state.pin,
        None if terms is None else terms.name,
        None if terms is None else terms.task_type,
        None if terms is None else terms.mode.value,
        None if terms is None else state.ends_at,
        None if terms is None else terms.quorum_threshold,
        1 if state.label is None else state.label.epoch,
        state.attempt,
        state.events,
        len(state.effective),
        len(state.candidates),
        len(state.results),
        approvals,
        rejections,
        len(state.errors),
        None if decision is None else decision.candidate,
        None if decision is None else decision.event_id,
        final is not None,
        None if final is None else final.candidate,
        final is not None and final.is_disputed,
        None if state.control is None else state.control.word.value,
    )


def _verdicts(state: TaskState) -> Iterator[Row]:
    for event_id, verdict in state.verdicts.items():
        event = state.pending[event_id][0].event
        of = (state.task_id, event_id, event.kind, event.author, event.created_at)
        yield (*of, *_verdict(verdict))


def _verdict(verdict: Waiting | Ignored) -> Row:
    match verdict:
        case Ignored():
            return ("ignored", verdict.code, None, verdict.of, None, None)
        case Waiting():  # exhaustive
            need = verdict.for_[0]
            return ("waiting", None, need.on.value, need.name, need.epoch, need.attempt)


TABLES: Final = (
    table(
        "tasks",
        "task_id bytes, standing text, scope text?, creator bytes?, created_at uint?, pin bytes?,"
        "name text?, task_type text?, mode text?, expires_at uint?, quorum_threshold uint?,"
        "epoch uint, attempt uint, events uint, effective uint, candidates uint, results uint,"
        "approvals uint, rejections uint, errors uint, decided_candidate bytes?,"
        "decision_id bytes?, is_final bool, final_candidate bytes?, is_disputed bool,"
        "control text?",
        1,
        _task,
    ),
    table(
        "verdicts",
        "task_id bytes, event_id bytes, event_kind text, author bytes, created_at uint,"
        "verdict text, code text?, awaited text?, name bytes?, epoch uint?, attempt uint?",
        2,
        _verdicts,
    ),
)
