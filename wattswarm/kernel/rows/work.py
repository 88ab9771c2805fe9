"""Rows of the work on a task: places, answers, evidence, and what verifiers found."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.rows.table import Row, codes_text, table
from wattswarm.kernel.state import TaskState


def counts(state: TaskState) -> Mapping[EventId, tuple[int, int]]:
    """Return the counted approvals and rejections of each candidate, of its best attempt."""
    best: dict[EventId, tuple[int, int]] = dict.fromkeys(state.candidates, (0, 0))
    for subject, _ in state.tally:
        counts = (state.approvals(subject), state.rejections(subject))
        best[subject.candidate] = max(best[subject.candidate], counts)
    return best


def _claims(state: TaskState) -> Iterator[Row]:
    needs_approval = state.contract is not None and state.contract.allocator is Allocator.CREATOR
    for claim in state.claims.values():
        lease = state.leases[claim.event_id]
        yield (
            state.task_id,
            claim.event_id,
            claim.author,
            claim.role.value,
            claim.executor,
            claim.label.epoch,
            claim.label.pin,
            claim.attempt,
            claim.created_at,
            lease.end,
            lease.renewals,
            claim.event_id in state.approved if needs_approval else None,
            state.released.get(claim.event_id),
        )


def _candidates(state: TaskState) -> Iterator[Row]:
    votes = counts(state)
    for candidate in state.candidates.values():
        yield (
            state.task_id,
            candidate.event_id,
            candidate.author,
            candidate.executor,
            candidate.claim,
            candidate.label.epoch,
            candidate.label.pin,
            candidate.attempt,
            candidate.created_at,
            candidate.output.digest,
            candidate.output.size_bytes,
            candidate.output.mime,
            *votes[candidate.event_id],
            candidate.summary,
            candidate.reuse_of,
        )


def _evidence(state: TaskState) -> Iterator[Row]:
    for candidate in state.candidates.values():
        name = candidate.event_id
        yield from _references(state, name, name, candidate.evidence, is_own=True)
    for added in state.additions.values():
        yield from _references(state, added.event_id, added.candidate, added.evidence, is_own=False)


def _references(
    state: TaskState,
    event_id: EventId,
    candidate: EventId,
    evidence: Iterable[ArtifactRef],
    *,
    is_own: bool,
) -> Iterator[Row]:
    for position, ref in enumerate(evidence):
        place = (state.task_id, event_id, position, candidate)
        yield (*place, ref.digest, ref.size_bytes, ref.mime, is_own)


def _confirmations(state: TaskState) -> Iterator[Row]:
    for each in state.confirmations.values():
        yield (
            state.task_id,
            each.event_id,
            each.candidate,
            each.digest,
            each.author,
            each.claim,
            each.proof,
            each.created_at,
        )


def _results(state: TaskState) -> Iterator[Row]:
    for result in state.results.values():
        yield (
            state.task_id,
            result.event_id,
            result.candidate,
            result.claim,
            result.author,
            result.executor,
            result.label.epoch,
            result.label.pin,
            result.attempt,
            result.created_at,
            result.status.value,
            result.score_bp,
            codes_text(result.reason_codes),
            result.provider,
            result.model,
        )


TABLES: Final = (
    table(
        "claims",
        "task_id bytes, claim_id bytes, author bytes, role text, executor text, epoch uint,"
        "pin bytes, attempt uint, created_at uint, lease_end uint, renewals uint, approved bool?,"
        "released_at uint?",
        2,
        _claims,
    ),
    table(
        "candidates",
        "task_id bytes, candidate_id bytes, author bytes, executor text, claim_id bytes,"
        "epoch uint, pin bytes, attempt uint, created_at uint, output_digest text,"
        "output_size_bytes uint, output_mime text, approvals uint, rejections uint,"
        "summary text?, reuse_of bytes?",
        2,
        _candidates,
    ),
    table(
        "evidence",
        "task_id bytes, event_id bytes, position uint, candidate_id bytes, digest text,"
        "size_bytes uint, mime text, is_own_list bool",
        3,
        _evidence,
    ),
    table(
        "confirmations",
        "task_id bytes, confirmation_id bytes, candidate_id bytes, digest text, author bytes,"
        "claim_id bytes, proof bytes, created_at uint",
        2,
        _confirmations,
    ),
    table(
        "results",
        "task_id bytes, result_id bytes, candidate_id bytes, claim_id bytes, author bytes,"
        "executor text, epoch uint, pin bytes, attempt uint, created_at uint, status text,"
        "score_bp uint, reason_codes text, provider text, model text",
        2,
        _results,
    ),
)
