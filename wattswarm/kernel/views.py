"""What is asked about a task at a moment: expiry, the word for its state, what to show.

Views take `now`; nothing that is derived from the log does. Expired means: not final, and may still
become final.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.allocation import Allocation, Place, PlaceState, allocation
from wattswarm.kernel.budget import usage
from wattswarm.kernel.contract import Mode
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import RETRY_BACKOFF_MS_MAX
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Ignored
from wattswarm.kernel.version import RULES_VERSION

__all__ = [
    "Allocation",
    "Place",
    "PlaceState",
    "VoteEquivocation",
    "allocation",
    "best_subject",
    "finality_equivocators",
    "going_word",
    "median_score_bp",
    "next_expiry",
    "run_at",
    "state_word",
    "summary",
    "vote_equivocations",
    "workable",
]

WORKABLE: Final = "open"
SUSPENDED: Final = ControlWord.SUSPENDED.value
LIVING: Final = frozenset({WORKABLE, "expired", *ControlWord} - {ControlWord.RESUMED})
"""The words of a task that took effect and is not final."""


def state_word(state: TaskState, now_ms: int) -> str:
    """Return the word for the state of a task: a key of `codes.WORDS`."""
    label = state.label
    if label is not None and state.outcome(label) is not None:
        return "final"
    if not state.is_effective:
        return _unborn_word(state)
    return _living_word(state, now_ms)


def going_word(state: TaskState, now_ms: int) -> str:
    """Return the word for a task as a whole: one of many epochs is not over when one of them is.

    What was said of it comes first then, and holds in all epochs.
    """
    if not (state.is_effective and state.terms.mode is Mode.CONTINUOUS):
        return state_word(state, now_ms)
    said = state.control
    if said is not None and said.word is not ControlWord.RESUMED:
        return said.word.value
    return _living_word(state, now_ms)


def _living_word(state: TaskState, now_ms: int) -> str:
    said = ControlWord.RESUMED if state.control is None else state.control.word
    if said in (ControlWord.KILLED, ControlWord.STOPPED):
        return said.value
    if now_ms > state.ends_at:
        return "expired"
    return said.value if said is ControlWord.SUSPENDED else WORKABLE


def _unborn_word(state: TaskState) -> str:
    match state.verdict(state.task_id):
        case Ignored(code="unsupported_rules"):
            return "unsupported"
        case Ignored():
            return "void"
        case _:
            return "pending"


def workable(state: TaskState, now_ms: int) -> bool:
    """Tell whether honest nodes work on the task: it is open, and its rules are known here."""
    version = None if state.label is None else state.version_of(state.label)
    if version is not None and version.rules_version != RULES_VERSION:
        return False
    return state_word(state, now_ms) == WORKABLE


def next_expiry(state: TaskState, now_ms: int) -> int | None:
    """Return when an open task will expire, in ms; None for one that is not open."""
    return state.ends_at if workable(state, now_ms) else None


def run_at(state: TaskState, attempt: int) -> int:
    """Return from when on an attempt is to be worked on, in ms: the earliest that a retry says.

    Clocks differ: once somebody has begun in time by his own, it is time for everybody. No retry
    has a longer rest than the longest back-off.
    """
    dates = [
        min(retry.run_at, retry.created_at + RETRY_BACKOFF_MS_MAX)
        for retry in state.retries.values()
        if retry.label == state.label and retry.from_attempt + 1 == attempt
    ]
    start_ms = min(dates, default=0)
    has_begun = any(
        claim.attempt == attempt and claim.label == state.label and claim.created_at >= start_ms
        for claim in state.claims.values()
    )
    return 0 if has_begun else start_ms


def median_score_bp(state: TaskState, candidate: EventId) -> int | None:
    """Return the median score of a candidate's results, rounded down; None without any."""
    return state.view(("median_scores",), lambda: _median_scores(state)).get(candidate)


def _median_scores(state: TaskState) -> Mapping[EventId, int]:
    scores: dict[EventId, list[int]] = {}
    for result in state.results.values():
        scores.setdefault(result.candidate, []).append(result.score_bp)
    return {candidate: _median(sorted(found)) for candidate, found in scores.items()}


def _median(ordered: Sequence[int]) -> int:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) // 2


def best_subject(state: TaskState, label: Label, candidate: EventId) -> Subject:
    """Return the attempt in which most approvals of a candidate count; the newest of equals."""
    subjects = [
        Subject(label, attempt, candidate) for attempt in range(1, state.attempts.get(label, 1) + 1)
    ]
    return max(subjects, key=lambda each: (state.approvals(each), each.attempt))


@attrs.frozen
class VoteEquivocation:
    """A voter who said two things on one subject: reported, never subtracted."""

    subject: Subject
    voter: NodeId
    names: tuple[EventId, ...]


def vote_equivocations(state: TaskState) -> tuple[VoteEquivocation, ...]:
    """Return who committed, or voted plainly, more than once on one subject."""
    said: dict[tuple[Subject, NodeId], list[EventId]] = {}
    for commit in state.commits.values():
        said.setdefault((commit.subject, commit.author), []).append(commit.event_id)
    for vote in state.votes.values():
        if vote.commit is None:
            said.setdefault((vote.subject, vote.author), []).append(vote.event_id)
    return tuple(
        VoteEquivocation(subject, voter, tuple(sorted(names)))
        for (subject, voter), names in sorted(said.items())
        if len(names) > 1
    )


def finality_equivocators(state: TaskState) -> Mapping[tuple[Label, NodeId], tuple[EventId, ...]]:
    """Return who signed several candidates of one label, and which; `seals` has the proofs."""
    signed: dict[tuple[Label, NodeId], set[EventId]] = {}
    for seal in state.seals:
        signed.setdefault((seal.label, seal.signer), set()).add(seal.candidate)
    return {
        key: tuple(sorted(candidates))
        for key, candidates in sorted(signed.items())
        if len(candidates) > 1
    }


def summary(state: TaskState, now_ms: int) -> dict[str, object]:
    """Return a task at a moment as a JSON object: ids in hex, dates in ms since the Unix epoch."""
    terms, decision = state.contract, state.decision
    view = allocation(state, now_ms)
    return {
        "task_id": state.task_id.hex(),
        "state": state_word(state, now_ms),
        "scope": state.scope,
        "name": None if terms is None else terms.name,
        "task_type": None if terms is None else terms.task_type,
        "expires_at": None if terms is None else state.ends_at,
        "epoch": 1 if state.label is None else state.label.epoch,
        "attempt": state.attempt,
        "events": state.events,
        "places": [_place(place) for place in view.places],
        "usage": None if terms is None else attrs.asdict(usage(state, view)),
        "candidates": [_candidate(state, name) for name in sorted(state.candidates)],
        "errors": len(state.errors),
        "decision": None if decision is None else decision.event_id.hex(),
        "outcomes": [
            {
                "epoch": outcome.label.epoch,
                "candidate": outcome.candidate.hex(),
                "signers": outcome.signers,
                "threshold": outcome.threshold,
                "is_disputed": outcome.is_disputed,
            }
            for outcome in state.outcomes
        ],
    }


def _place(place: Place) -> dict[str, object]:
    return {
        "role": place.role.value,
        "state": place.state.value,
        "node": place.node.hex(),
        "executor": place.executor,
        "claim": place.claim.event_id.hex(),
        "lease_end": place.lease_end,
        "is_paid": place.is_paid,
    }


def _candidate(state: TaskState, name: EventId) -> dict[str, object]:
    candidate = state.candidates[name]
    subject = best_subject(state, candidate.label, name)
    return {
        "candidate": name.hex(),
        "node": candidate.author.hex(),
        "executor": candidate.executor,
        "attempt": candidate.attempt,
        "output": candidate.output.digest,
        "approvals": state.approvals(subject),
        "rejections": state.rejections(subject),
        "median_score_bp": median_score_bp(state, name),
        "votes": _ballots(state, (Ballot.APPROVE, Ballot.REJECT), subject),
    }


def _ballots(state: TaskState, ballots: Iterable[Ballot], subject: Subject) -> dict[str, int]:
    """Return how many revealed votes there are of each ballot, counted or not."""
    said = state.view(("ballots",), lambda: _all_ballots(state))
    return {ballot.value: said[subject, ballot] for ballot in ballots}


def _all_ballots(state: TaskState) -> Counter[tuple[Subject, Ballot]]:
    return Counter((vote.subject, vote.ballot) for vote in state.votes.values())
