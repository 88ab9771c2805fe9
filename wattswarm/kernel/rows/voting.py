"""Rows of votes, of decisions that rest on them, and of what is final."""

from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import Commit, Vote
from wattswarm.kernel.rows.table import Row, table
from wattswarm.kernel.state import TaskState


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


TABLES: Final = (
    table(
        "votes",
        "task_id bytes, vote_id bytes, form text, author bytes, candidate_id bytes,"
        "result_id bytes, commit_id bytes?, epoch uint, pin bytes, attempt uint, created_at uint,"
        "vote text?, listed_by uint?, is_counted bool",
        2,
        _votes,
    ),
    table(
        "decisions",
        "task_id bytes, decision_id bytes, author bytes, candidate_id bytes, epoch uint, pin bytes,"
        "attempt uint, created_at uint, approvals uint, rejections uint, reveals uint,"
        "confirmations uint, summary text?",
        2,
        _decisions,
    ),
    table(
        "finality",
        "task_id bytes, epoch uint, pin bytes, candidate_id bytes, signer bytes,"
        "decision_id bytes, signature bytes",
        6,
        _finality,
    ),
    table(
        "outcomes",
        "task_id bytes, epoch uint, pin bytes, candidate_id bytes, signers uint, threshold uint,"
        "is_disputed bool",
        3,
        _outcomes,
    ),
)
