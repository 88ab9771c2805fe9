"""A task's state as rows: what projections store, and what digests are made of.

A row is a tuple in the order of its table's columns, of unsigned integers, text, byte strings,
booleans and None; a table's rows come in the order of their keys. Rows are a function of the set of
events: no position in the log, no time of arrival, no sentence and no body is in them.

Events whose scope is not their task's have verdicts for display, but are in no digest and no count:
a node that does not subscribe to that scope does not have them.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import attrs
import cbor2

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.control import control_hash
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import Commit, Vote
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Effective, Ignored, Verdict, Waiting

Row: TypeAlias = "tuple[int | str | bytes | bool | None, ...]"
Rows: TypeAlias = "Mapping[str, tuple[Row, ...]]"


class ColumnType(enum.StrEnum):
    """What a column holds; a nullable one may hold None instead."""

    UINT = "uint"
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


def _shape(columns: str, *, key: int) -> TableShape:
    """Return the shape of `name type` pairs; the first `key` columns are the primary key."""
    made: list[Column] = []
    for column in columns.split(","):
        name, kind = column.split()
        made.append(Column(name, ColumnType(kind.rstrip("?")), kind.endswith("?")))
    return TableShape(tuple(made), tuple(column.name for column in made[:key]))


TABLES: Final[Mapping[str, TableShape]] = {
    "tasks": _shape(
        "task_id bytes, standing text, scope text?, creator bytes?, created_at uint?, pin bytes?,"
        "name text?, task_type text?, mode text?, expires_at uint?, quorum_threshold uint?,"
        "epoch uint, attempt uint, events uint, effective uint, candidates uint, results uint,"
        "approvals uint, rejections uint, errors uint, decided_candidate bytes?,"
        "decision_id bytes?, is_final bool, final_candidate bytes?, is_disputed bool,"
        "control text?",
        key=1,
    ),
    "claims": _shape(
        "task_id bytes, claim_id bytes, author bytes, role text, executor text, epoch uint,"
        "pin bytes, attempt uint, created_at uint, lease_end uint, renewals uint, approved bool?,"
        "released_at uint?",
        key=2,
    ),
    "candidates": _shape(
        "task_id bytes, candidate_id bytes, author bytes, executor text, claim_id bytes,"
        "epoch uint, pin bytes, attempt uint, created_at uint, output_digest text,"
        "output_size_bytes uint, output_mime text, approvals uint, rejections uint,"
        "summary text?, reuse_of bytes?",
        key=2,
    ),
    "evidence": _shape(
        "task_id bytes, event_id bytes, position uint, candidate_id bytes, digest text,"
        "size_bytes uint, mime text, is_own_list bool",
        key=3,
    ),
    "confirmations": _shape(
        "task_id bytes, confirmation_id bytes, candidate_id bytes, digest text, author bytes,"
        "claim_id bytes, proof bytes, created_at uint",
        key=2,
    ),
    "results": _shape(
        "task_id bytes, result_id bytes, candidate_id bytes, claim_id bytes, author bytes,"
        "executor text, epoch uint, pin bytes, attempt uint, created_at uint, status text,"
        "score_bp uint, reason_codes text, provider text, model text",
        key=2,
    ),
    "votes": _shape(
        "task_id bytes, vote_id bytes, form text, author bytes, candidate_id bytes,"
        "result_id bytes, commit_id bytes?, epoch uint, pin bytes, attempt uint, created_at uint,"
        "vote text?, listed_by uint?, is_counted bool",
        key=2,
    ),
    "decisions": _shape(
        "task_id bytes, decision_id bytes, author bytes, candidate_id bytes, epoch uint, pin bytes,"
        "attempt uint, created_at uint, approvals uint, rejections uint, reveals uint,"
        "confirmations uint, summary text?",
        key=2,
    ),
    "finality": _shape(
        "task_id bytes, epoch uint, pin bytes, candidate_id bytes, signer bytes,"
        "decision_id bytes, signature bytes",
        key=6,
    ),
    "outcomes": _shape(
        "task_id bytes, epoch uint, pin bytes, candidate_id bytes, signers uint, threshold uint,"
        "is_disputed bool",
        key=3,
    ),
    "errors": _shape(
        "task_id bytes, error_id bytes, claim_id bytes, author bytes, executor text, role text,"
        "epoch uint, attempt uint, created_at uint, reason text, reason_codes text, message text",
        key=2,
    ),
    "retries": _shape(
        "task_id bytes, retry_id bytes, author bytes, epoch uint, pin bytes, from_attempt uint,"
        "run_at uint, created_at uint, reason text?",
        key=2,
    ),
    "controls": _shape(
        "task_id bytes, control_id bytes, word text, control_no uint, reason text,"
        "is_creators bool, signers uint, is_backed bool",
        key=2,
    ),
    "completions": _shape(
        "task_id bytes, completion_id bytes, candidate_id bytes, created_at uint,"
        "is_approved bool, is_retry_requested bool, reason text?",
        key=2,
    ),
    "settlements": _shape(
        "task_id bytes, settlement_id bytes, claim_id bytes, created_at uint, receipt text?",
        key=2,
    ),
    "verdicts": _shape(
        "task_id bytes, event_id bytes, event_kind text, author bytes, created_at uint,"
        "verdict text, code text?, awaited text?, name bytes?, epoch uint?, attempt uint?",
        key=2,
    ),
}
"""The tables of a task's group. Reason codes are text: numbers with commas between them."""

FOREIGN: Final = "wrong_scope"
NO_GROUP: Final = digest(Context.DIGEST)
_CODE_COLUMN: Final = TABLES["verdicts"].columns.index("code")
_STANDING_COLUMN: Final = TABLES["tasks"].columns.index("standing")
_EMPTY: Final = cbor2.dumps(())
_ALL: Final = cbor2.dumps((0,) * len(TABLES))[:1]
"""The head of an array of all tables: one byte, for there are fewer than 24."""
_NAMED: Final = {name: cbor2.dumps((name, 0))[:-1] for name in sorted(TABLES)}
"""The beginning of each pair of a table's name and rows, in the order of the names."""


class Standing(enum.StrEnum):
    """What has become of the task's TASK_CREATED."""

    EFFECTIVE = "effective"
    WAITING = "waiting"
    IGNORED = "ignored"
    MISSING = "missing"


def rows(state: TaskState) -> Rows:
    """Return all rows of a task, for every table of `TABLES`."""
    # Keys stand first in a row and are unique, so that comparing never goes beyond them.
    return {name: tuple(sorted(make(state))) for name, make in _MAKERS.items()}


def encoded(group: Rows) -> Mapping[str, bytes]:
    """Return the rows of each table as canonical CBOR; without maps, any CBOR of them is that."""
    return {name: cbor2.dumps(made) if made else _EMPTY for name, made in group.items()}


def group_digest(group: Rows, tables: Mapping[str, bytes] | None = None) -> Digest:
    """Return the digest of a task's rows, or `NO_GROUP` of one that is in no digest.

    It covers the tables in the order of their names, each with its rows in the order of their keys,
    as canonical CBOR. A task whose TASK_CREATED is missing is in none: nobody knows its scope.

    Args:
        tables: What `encoded` makes of the rows, where that is known.
    """
    if any(row[_STANDING_COLUMN] == Standing.MISSING.value for row in group["tasks"]):
        return NO_GROUP
    parts = {**(encoded(group) if tables is None else tables)}
    if any(row[_CODE_COLUMN] == FOREIGN for row in group["verdicts"]):
        verdicts = [row for row in group["verdicts"] if row[_CODE_COLUMN] != FOREIGN]
        parts["verdicts"] = cbor2.dumps(verdicts)
    assert parts.keys() == _NAMED.keys(), parts.keys()
    covered = [piece for name, head in _NAMED.items() for piece in (head, parts[name])]
    return digest(Context.DIGEST, b"".join((_ALL, *covered)))


def standing(state: TaskState) -> Standing:
    """Return what has become of the task's TASK_CREATED."""
    match state.verdict(state.task_id):
        case Ignored():
            return Standing.IGNORED
        case Waiting():
            return Standing.WAITING
        case _:
            return Standing.EFFECTIVE if state.is_effective else Standing.MISSING


# --- one function per table -----------------------------------------------------------------------


def _task(state: TaskState) -> Iterator[Row]:
    is_known = state.scope is not None
    terms = state.contract
    final = None if state.label is None else state.outcome(state.label)
    decision = state.decision
    approvals, rejections = (0, 0) if decision is None else _counts(state)[decision.candidate]
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
        None if terms is None else terms.expires_at,
        None if terms is None else terms.quorum_threshold,
        1,
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


def _counts(state: TaskState) -> Mapping[EventId, tuple[int, int]]:
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
    counts = _counts(state)
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
            *counts[candidate.event_id],
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
            _codes(result.reason_codes),
            result.provider,
            result.model,
        )


def _votes(state: TaskState) -> Iterator[Row]:
    for commit in state.commits.values():
        listed_by = state.listed.get(commit.event_id, 0)
        is_counted = commit.event_id in state.counted
        yield _vote(state, commit, "commit", None, None, listed_by, is_counted=is_counted)
    for vote in state.votes.values():
        form = "plain" if vote.commit is None else "reveal"
        is_counted = vote.name in state.counted
        yield _vote(state, vote, form, vote.commit, vote.ballot, None, is_counted=is_counted)


def _vote(
    state: TaskState,
    vote: Commit | Vote,
    form: str,
    commit_id: EventId | None,
    ballot: Ballot | None,
    listed_by: int | None,
    *,
    is_counted: bool,
) -> Row:
    return (
        state.task_id,
        vote.event_id,
        form,
        vote.author,
        vote.subject.candidate,
        vote.result,
        commit_id,
        vote.subject.label.epoch,
        vote.subject.label.pin,
        vote.subject.attempt,
        vote.created_at,
        None if ballot is None else ballot.value,
        listed_by,
        is_counted,
    )


def _decisions(state: TaskState) -> Iterator[Row]:
    for decision in state.decisions.values():
        yield (
            state.task_id,
            decision.event_id,
            decision.author,
            decision.candidate,
            decision.label.epoch,
            decision.label.pin,
            decision.attempt,
            decision.created_at,
            decision.approvals,
            decision.rejections,
            len(decision.reveals),
            len(decision.confirmations),
            decision.summary,
        )


def _finality(state: TaskState) -> Iterator[Row]:
    for seal, signature in state.seals.items():
        of = (state.task_id, seal.label.epoch, seal.label.pin, seal.candidate)
        yield (*of, seal.signer, seal.decision, signature)


def _outcomes(state: TaskState) -> Iterator[Row]:
    for outcome in state.outcomes:
        of = (state.task_id, outcome.label.epoch, outcome.label.pin, outcome.candidate)
        yield (*of, outcome.signers, outcome.threshold, outcome.is_disputed)


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
            _codes(error.reason_codes),
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


def _verdicts(state: TaskState) -> Iterator[Row]:
    for event_id, verdict in state.verdicts.items():
        event = state.pending[event_id][0].event
        of = (state.task_id, event_id, event.kind, event.author, event.created_at)
        yield (*of, *_verdict(verdict))


def _verdict(verdict: Verdict) -> Row:
    match verdict:
        case Effective():
            return ("effective", None, None, None, None, None)
        case Ignored():
            return ("ignored", verdict.code, None, verdict.of, None, None)
        case Waiting():
            need = verdict.for_[0]
            return ("waiting", None, need.on.value, need.name, need.epoch, need.attempt)


def _codes(codes: Iterable[int]) -> str:
    return ",".join(map(str, codes))


_MAKERS: Final[Mapping[str, Callable[[TaskState], Iterator[Row]]]] = {
    "tasks": _task,
    "claims": _claims,
    "candidates": _candidates,
    "evidence": _evidence,
    "confirmations": _confirmations,
    "results": _results,
    "votes": _votes,
    "decisions": _decisions,
    "finality": _finality,
    "outcomes": _outcomes,
    "errors": _errors,
    "retries": _retries,
    "controls": _controls,
    "completions": _completions,
    "settlements": _settlements,
    "verdicts": _verdicts,
}
assert _MAKERS.keys() == TABLES.keys(), "a table without a maker, or the reverse"
