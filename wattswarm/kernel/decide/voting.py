"""Voting on what this node's own executors found: once per candidate and attempt.

A node approves when more of its results passed than failed, and rejects in the reverse case. When
to reveal binds honest nodes only: with enough commits in hand, or when waiting longer is in vain.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

import attrs

from wattswarm.kernel.allocation import Allocation, Place, PlaceState, allocation
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract import Independence
from wattswarm.kernel.decide.gate import Signings, draft, effective, locked, not_workable, refuse
from wattswarm.kernel.decide.in_vain import has_revealed_in_vain, has_voted_in_vain
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, NodeId, short
from wattswarm.kernel.limits import AHEAD_MS, SEEN_ITEMS_MAX, SETTLE_MS
from wattswarm.kernel.lock import LockKind, vote_key
from wattswarm.kernel.payloads import (
    Ballot,
    PlainVote,
    Status,
    VoteCommit,
    VoteReveal,
    Work,
)
from wattswarm.kernel.records import Commit, Result, Subject
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import Role
from wattswarm.kernel.vote import bound_fields, commit_hash, vote_salt


@attrs.frozen
class Finding:
    """What a node's results on one subject come to: its ballot, and the result that it rests on."""

    ballot: Ballot
    result: Result


def finding(state: TaskState, me: NodeId, subject: Subject) -> Finding | None:
    """Return the vote that a node's own results on a subject call for; None when they balance."""
    mine = [
        result
        for result in state.results.values()
        if result.author == me and result.subject == subject
    ]
    passed = [result for result in mine if result.status is Status.PASSED]
    failed = [result for result in mine if result.status is Status.FAILED]
    if len(passed) == len(failed):
        return None
    ballot, grounds = (
        (Ballot.APPROVE, passed) if len(passed) > len(failed) else (Ballot.REJECT, failed)
    )
    return Finding(ballot, min(grounds, key=lambda each: (each.created_at, each.event_id)))


def called_for(state: TaskState) -> frozenset[tuple[NodeId, Subject]]:
    """Return whose results call for a vote on what: `finding` for everybody at once."""
    return state.view(("called_for",), lambda: _called_for(state))


def _called_for(state: TaskState) -> frozenset[tuple[NodeId, Subject]]:
    balance: Counter[tuple[NodeId, Subject]] = Counter()
    for result in state.results.values():
        if result.status is not Status.INCONCLUSIVE:
            step = 1 if result.status is Status.PASSED else -1
            balance[result.author, result.subject] += step
    return frozenset(who for who, sum_ in balance.items() if sum_)


def own_commit(state: TaskState, me: NodeId, subject: Subject) -> Commit | None:
    """Return the node's commit on a subject, if it made one."""
    mine = (c for c in state.commits.values() if c.author == me and c.subject == subject)
    return min(mine, key=lambda each: (each.created_at, each.event_id), default=None)


def has_voted(state: TaskState, me: NodeId, subject: Subject) -> bool:
    """Tell whether the node's vote on a subject is known: revealed, or plain."""
    return any(vote.author == me and vote.subject == subject for vote in state.votes.values())


def vote(state: TaskState, me: KeyPair, subject: Subject, now_ms: int) -> Signings | Rejection:
    """Return the node's plain vote, or its commit where the contract asks for commits."""
    refusal = not_workable(state, now_ms)
    if refusal is not None:
        return refusal
    found = finding(state, me.node_id, subject)
    if found is None:
        return refuse("nothing_to_vote", short(subject.candidate))
    if own_commit(state, me.node_id, subject) or has_voted(state, me.node_id, subject):
        return refuse("already_voted", short(subject.candidate))
    if has_voted_in_vain(state, me.node_id, subject):
        return refuse("already_voted", short(subject.candidate))
    label = subject.label
    key = vote_key(state.task_id, label.epoch, label.pin, subject.attempt, subject.candidate)
    kind, payload = _sealed(state, me, subject, found)
    made = draft(state, payload, me.node_id, now_ms, found.result.created_at, epoch=label.epoch)
    return effective(state, [locked(state, made, me.node_id, kind, key)], me.node_id)


def _sealed(
    state: TaskState, me: KeyPair, subject: Subject, found: Finding
) -> tuple[LockKind, PlainVote | VoteCommit]:
    name = found.result.event_id
    if not state.terms.commit_reveal:
        return LockKind.PLAIN_VOTE, PlainVote(result=name, vote=found.ballot)
    bound = bound_fields(state.network_id, state.task_id, subject, me.node_id, name)
    hash_ = commit_hash(bound, found.ballot, vote_salt(me.seed, bound, found.ballot))
    return LockKind.COMMIT, VoteCommit(result=name, commit_hash=hash_)


def reveal(state: TaskState, me: KeyPair, commit_id: EventId, now_ms: int) -> Signings | Rejection:
    """Return the reveal of the node's own commit, listing the commits it holds by now."""
    refusal = not_workable(state, now_ms)
    if refusal is not None:
        return refusal
    commit = state.commits.get(commit_id)
    if commit is None or commit.author != me.node_id:
        return refuse("not_own_commit", short(commit_id))
    is_revealed = has_voted(state, me.node_id, commit.subject)
    if is_revealed or has_revealed_in_vain(state, me.node_id, commit_id):
        return refuse("already_voted", short(commit.subject.candidate))
    view = allocation(state, now_ms, commit.subject.attempt)
    at_ms = reveal_at(state, commit, view, now_ms)
    if now_ms < at_ms:
        return refuse("too_early", f"{at_ms - now_ms} ms", at=at_ms)
    bound = bound_fields(state.network_id, state.task_id, commit.subject, me.node_id, commit.result)
    ballot = _ballot_of(bound, commit, me)
    if ballot is None:
        return refuse("commit_mismatch", "another seed made this commit")
    seen = _seen(state, commit, now_ms)
    payload = VoteReveal(
        commit=commit_id,
        vote=ballot,
        salt=vote_salt(me.seed, bound, ballot),
        seen=tuple(each.event_id for each in seen),
    )
    after_ms = max(each.created_at for each in seen)
    label = commit.subject.label
    made = draft(state, payload, me.node_id, now_ms, after_ms, epoch=label.epoch)
    key = vote_key(
        state.task_id, label.epoch, label.pin, commit.subject.attempt, commit.subject.candidate
    )
    signing = locked(state, made, me.node_id, LockKind.REVEAL, key)
    return effective(state, [signing], me.node_id)


def _ballot_of(bound: list[Value], commit: Commit, me: KeyPair) -> Ballot | None:
    """Return what this node's commit says; its salt depends on that."""
    return next(
        (
            ballot
            for ballot in Ballot
            if commit_hash(bound, ballot, vote_salt(me.seed, bound, ballot)) == commit.commit_hash
        ),
        None,
    )


def _held(state: TaskState, own: Commit, now_ms: int) -> Iterator[Commit]:
    """Yield the commits on the subject that count as held now, this node's own included.

    One that is dated too far ahead does not yet: a reveal that lists it would be dated after it.
    """
    until_ms = min(now_ms + AHEAD_MS, state.ends_at - 1)
    for commit in state.commits.values():
        is_due = commit == own or commit.created_at <= until_ms
        if is_due and commit.subject == own.subject:
            yield commit


def _seen(state: TaskState, own: Commit, now_ms: int) -> list[Commit]:
    """Return the commits on the subject that this node holds, its own included, by id."""
    others = sorted(
        (commit for commit in _held(state, own, now_ms) if commit != own),
        key=lambda each: (each.created_at, each.event_id),
    )
    listed = [own, *others[: SEEN_ITEMS_MAX - 1]]
    return sorted(listed, key=lambda each: each.event_id)


# --- when to reveal -------------------------------------------------------------------------------

NEVER = 2**62


def reveal_at(state: TaskState, own: Commit, view: Allocation, now_ms: int) -> int:
    """Return from when on an honest node reveals its commit, as far as can be told now.

    With commits of a quorum: at once when they are more, or are those of all who could vote;
    shortly when they are those of all holders of verify places, but others could still take one;
    and else a window after the later of its own commit and the one that made the quorum. With fewer
    no vote could count: when every other verify place has finished or lapsed, and those that are
    free were free for a whole lease.
    """
    first = _first_commits(state, own, now_ms)
    quorum = state.terms.quorum_threshold
    places = view.of(Work.VERIFY)
    if len(first) > quorum:
        return 0
    if len(first) == quorum:
        quorum_at = max(own.created_at, *first.values())
        return quorum_at + _patience_ms(state, own, view, first.keys())
    called = called_for(state)
    others = [place for place in places if place.node not in first]
    # A place that is free may be claimed, or be claimed already by a node whose word is on its way.
    patient_ms = own.created_at + state.terms.lease_ms if view.free[Work.VERIFY] else 0
    return max([patient_ms, *(_over_at(place, own.subject, called) for place in others)])


def _patience_ms(
    state: TaskState, own: Commit, view: Allocation, committed: AbstractSet[NodeId]
) -> int:
    """Return how long to wait for another voter, once as many as the quorum have committed."""
    window_ms = state.terms.commit_window_ms
    if not _holders(view.of(Work.VERIFY)) <= committed:
        return window_ms
    if view.free[Work.VERIFY] == 0 or not _others_may_vote(state, own, committed):
        return 0
    return min(window_ms, SETTLE_MS)


def _others_may_vote(state: TaskState, own: Commit, committed: AbstractSet[NodeId]) -> bool:
    """Tell whether there may be a verifier who has not committed and could."""
    if Role.VERIFIER in state.governing.open_roles:
        return True
    others = state.governing.holders(Role.VERIFIER) - committed
    if state.terms.independence is Independence.NODE:
        others -= {state.candidates[own.subject.candidate].author}
    return bool(others)


def _first_commits(state: TaskState, own: Commit, now_ms: int) -> dict[NodeId, int]:
    """Return when each voter first committed on the subject."""
    first: dict[NodeId, int] = {}
    for commit in _held(state, own, now_ms):
        date = first.get(commit.author, commit.created_at)
        first[commit.author] = min(date, commit.created_at)
    return first


def _holders(places: Iterable[Place]) -> frozenset[NodeId]:
    held = (PlaceState.WORKING, PlaceState.DONE)
    return frozenset(place.node for place in places if place.state in held)


def _over_at(place: Place, subject: Subject, called: frozenset[tuple[NodeId, Subject]]) -> int:
    """Return when a place has finished or lapsed with regard to a vote that is still to come."""
    if place.state not in (PlaceState.WORKING, PlaceState.DONE):
        return 0
    is_silent = place.state is PlaceState.DONE and (place.node, subject) not in called
    return 0 if is_silent else place.lease_end + 1
