"""What a node said of a task that has no effect, or none any more.

What may be said once is not said again: a statement takes an event's effect away, and not the lock
on it. What an event without effect is about is told as far as what it names is known.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads import (
    DecisionCommitted,
    PlainVote,
    VerifierResultSubmitted,
    VoteCommit,
    VoteReveal,
)
from wattswarm.kernel.records import Subject
from wattswarm.kernel.rule import Entry
from wattswarm.kernel.state import TaskState

ONCE: Final = frozenset({DecisionCommitted.kind, VoteCommit.kind, PlainVote.kind, VoteReveal.kind})
"""The kinds of what a node says once."""

Said: TypeAlias = Mapping[NodeId, Sequence[Entry[Any]]]


def has_decided_in_vain(state: TaskState, me: NodeId) -> bool:
    """Tell whether a node made a decision in the newest epoch that has no effect."""
    return any(
        _is_decision_here(entry, state) for entry in _said(state, me, DecisionCommitted.kind)
    )


def has_voted_in_vain(state: TaskState, me: NodeId, subject: Subject) -> bool:
    """Tell whether a node cast or sealed a vote on a subject that has no effect."""
    return any(
        entry.event.epoch == subject.label.epoch and _is_vote_on(subject, entry.payload, state)
        for entry in _said(state, me, VoteCommit.kind, PlainVote.kind)
    )


def has_revealed_in_vain(state: TaskState, me: NodeId, commit: EventId) -> bool:
    """Tell whether a node revealed a commit without effect."""
    return any(_is_reveal_of(commit, entry.payload) for entry in _said(state, me, VoteReveal.kind))


def _said(state: TaskState, me: NodeId, *kinds: str) -> Iterator[Entry[Any]]:
    said: Said = state.view(("in_vain",), lambda: _in_vain(state))
    return (entry for entry in said.get(me, ()) if entry.event.kind in kinds)


def _in_vain(state: TaskState) -> Said:
    """Return what has no effect of the kinds that are said once, by author."""
    said: dict[NodeId, list[Entry[Any]]] = {}
    for entry, _ in state.pending.values():
        if entry.event.kind in ONCE:
            said.setdefault(entry.event.author, []).append(entry)
    return said


def _is_decision_here(entry: Entry[Any], state: TaskState) -> bool:
    """Tell whether a decision may be of the newest epoch, as far as its candidate is known."""
    match entry.payload:
        case DecisionCommitted(candidate=name) if name in state.candidates:
            return state.candidates[name].label == state.here
        case _:
            return entry.event.epoch == state.here.epoch


def _is_vote_on(subject: Subject, voted: object, state: TaskState) -> bool:
    """Tell whether a vote may be on a subject: its result may be void too."""
    match voted:
        case VoteCommit(result=name) | PlainVote(result=name):
            if name in state.results:
                return state.results[name].subject == subject
            return _is_result_on(subject.candidate, name, state)
        case _:
            return False


def _is_result_on(candidate: EventId, name: EventId, state: TaskState) -> bool:
    """Tell whether a result that has no effect is on a candidate."""
    match state.pending.get(name):
        case (Entry(payload=VerifierResultSubmitted() as found), _):
            return found.candidate == candidate
        case _:
            return False


def _is_reveal_of(commit: EventId, said: object) -> bool:
    match said:
        case VoteReveal(commit=name):
            return name == commit
        case _:
            return False
