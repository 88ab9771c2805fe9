"""Which candidate a decision would choose, and whose turn it is to decide: views for `decide`.

The decider picks the candidate with most counted approvals, then the highest median score, then the
smaller id. Deciders take turns by rank, the next one when its predecessors were given their time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.decision import approvers, unconfirmed
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import AHEAD_MS
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import Candidate, Commit, Confirmation, Decision, Subject, Vote
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import Role
from wattswarm.kernel.views import median_score_bp
from wattswarm.kernel.vote import may_list

REVEALS_LISTED_MAX: Final = 1_024
"""A decision's list must fit into an event; votes that count come first."""


@attrs.frozen(kw_only=True)
class Choice:
    """A candidate that could be decided for, and what the decision would rest on.

    `since_ms` is the date at which the votes of this attempt became sufficient.
    """

    subject: Subject
    approvals: int
    median_score_bp: int
    since_ms: int
    reveals: tuple[EventId, ...]
    confirmations: tuple[EventId, ...]

    @property
    def candidate(self) -> EventId:
        """The candidate that would be chosen."""
        return self.subject.candidate


def choices(state: TaskState, now_ms: int | None = None) -> tuple[Choice, ...]:
    """Return the candidates of the newest epoch that could be decided for, the best first.

    With `now_ms`, by what is not dated too far ahead of it: a decision is dated after all that it
    names, and so would be dated too late itself.
    """
    newest_ms = state.view(("newest_ground",), lambda: _newest_ground(state))
    until_ms = newest_ms
    if now_ms is not None and state.is_effective:
        until_ms = min(newest_ms, now_ms + AHEAD_MS, state.ends_at - 1)
    return state.view(("choices", until_ms), lambda: _choices(state, until_ms))


def _newest_ground(state: TaskState) -> int:
    records = (*state.votes.values(), *state.confirmations.values())
    return max((each.created_at for each in records), default=0)


def _choices(state: TaskState, until_ms: int) -> tuple[Choice, ...]:
    label = state.label
    if label is None or not state.is_effective:
        return ()
    best: dict[EventId, Choice] = {}
    confirmations = _by_candidate(
        each for each in state.confirmations.values() if each.created_at <= until_ms
    )
    for subject, votes in _by_subject(state, until_ms).items():
        if subject.label != label:
            continue
        choice = _choice(subject, votes, confirmations.get(subject.candidate, ()), state)
        if choice is not None:
            held = best.get(subject.candidate, choice)
            best[subject.candidate] = max(
                held, choice, key=lambda each: (each.approvals, each.subject.attempt)
            )
    return tuple(sorted(best.values(), key=_order))


def _order(choice: Choice) -> tuple[int, int, EventId]:
    return -choice.approvals, -choice.median_score_bp, choice.candidate


def _choice(
    subject: Subject,
    votes: Sequence[Vote],
    confirmations: Sequence[Confirmation],
    state: TaskState,
) -> Choice | None:
    candidate = state.candidates[subject.candidate]
    resting_on = _enough(candidate, confirmations, state)
    listed = _listed(votes, state)
    approvals = len(approvers(listed, state.commits, state.terms))
    if resting_on is None or approvals < state.terms.quorum_threshold:
        return None
    score = median_score_bp(state, subject.candidate)
    return Choice(
        subject=subject,
        approvals=approvals,
        median_score_bp=0 if score is None else score,
        since_ms=_sufficient_since(listed, state),
        reveals=tuple(sorted(vote.event_id for vote in listed)),
        confirmations=resting_on,
    )


def _listed(votes: Sequence[Vote], state: TaskState) -> Sequence[Vote]:
    ordered = sorted(votes, key=lambda each: (each.name not in state.counted, _date(each)))
    return ordered[:REVEALS_LISTED_MAX]


def _sufficient_since(votes: Iterable[Vote], state: TaskState) -> int:
    """Return the smallest date up to which the votes are sufficient; they are, taken together."""
    quorum = state.terms.quorum_threshold
    count = _PlainCount() if not state.terms.commit_reveal else _SealedCount(state.commits, quorum)
    ordered = sorted(votes, key=_date)
    return next(vote.created_at for vote in ordered if count.approvals_with(vote) >= quorum)


@attrs.define
class _PlainCount:
    voters: set[NodeId] = attrs.field(factory=set[NodeId])

    def approvals_with(self, vote: Vote) -> int:
        if vote.ballot is Ballot.APPROVE:
            self.voters.add(vote.author)
        return len(self.voters)


@attrs.define
class _SealedCount:
    commits: Mapping[EventId, Commit]
    quorum: int
    listers: dict[EventId, set[NodeId]] = attrs.field(factory=dict[EventId, set[NodeId]])
    revealed: set[EventId] = attrs.field(factory=set[EventId])
    voters: set[NodeId] = attrs.field(factory=set[NodeId])

    def approvals_with(self, vote: Vote) -> int:
        if vote.ballot is Ballot.APPROVE:
            self.revealed.add(vote.name)
        for name in {vote.name, *vote.seen}:
            commit = self.commits.get(name)
            if commit is not None and may_list(commit, vote):
                self._list(commit, vote.author)
        return len(self.voters)

    def _list(self, commit: Commit, by: NodeId) -> None:
        listers = self.listers.setdefault(commit.event_id, set())
        listers.add(by)
        if commit.event_id in self.revealed and len(listers) >= self.quorum:
            self.voters.add(commit.author)


def _enough(
    candidate: Candidate, confirmations: Sequence[Confirmation], state: TaskState
) -> tuple[EventId, ...] | None:
    """Return the first sufficient confirmations of a candidate's own evidence, if there are."""
    if unconfirmed(candidate, confirmations, state.terms):
        return None
    chosen: dict[tuple[str, NodeId], EventId] = {}
    held: dict[str, int] = {}
    for each in sorted(confirmations, key=_date):
        key = (each.digest, each.author)
        if key not in chosen and held.get(each.digest, 0) < state.terms.da_quorum_threshold:
            chosen[key] = each.event_id
            held[each.digest] = held.get(each.digest, 0) + 1
    return tuple(sorted(chosen.values()))


def _date(record: Vote | Confirmation) -> tuple[int, EventId]:
    return record.created_at, record.event_id


def _by_subject(state: TaskState, until_ms: int) -> Mapping[Subject, Sequence[Vote]]:
    found: dict[Subject, list[Vote]] = {}
    for vote in state.votes.values():
        if vote.created_at <= until_ms:
            found.setdefault(vote.subject, []).append(vote)
    return found


def _by_candidate(
    confirmations: Iterable[Confirmation],
) -> Mapping[EventId, Sequence[Confirmation]]:
    found: dict[EventId, list[Confirmation]] = {}
    for each in confirmations:
        found.setdefault(each.candidate, []).append(each)
    return found


# --- whose turn it is -----------------------------------------------------------------------------


def deciders(state: TaskState) -> tuple[NodeId, ...]:
    """Return who may decide, in the order of their turns: the contract's decider, or by rank."""
    return state.view(("deciders",), lambda: _deciders(state))


def _deciders(state: TaskState) -> tuple[NodeId, ...]:
    committers = state.governing.holders(Role.COMMITTER)
    if state.terms.decider is not None:
        return tuple(committers & {state.terms.decider})
    return tuple(sorted(committers, key=lambda node: decider_rank(state.task_id, node)))


def decider_rank(task_id: EventId, node: NodeId) -> bytes:
    """Return a node's rank among the deciders of a task: the smallest comes first."""
    return digest(Context.DECIDER_RANK, task_id, node)


def turn_at(state: TaskState, rank: int, since_ms: int) -> int:
    """Return when the decider of this rank may sign, given since when it could be decided."""
    return since_ms + rank * state.terms.decider_timeout_ms


def standing_decision(state: TaskState, now_ms: int) -> Decision | None:
    """Return the decision that honest finalizers sign: of the first decider in turn with one.

    One that is dated too far ahead does not stand yet; the next in turn need not wait for it.
    """
    turns = {node: rank for rank, node in enumerate(deciders(state))}
    given = [
        each
        for each in state.decisions.values()
        if each.label == state.label
        and each.author in turns
        and each.created_at <= now_ms + AHEAD_MS
    ]
    if not given:
        return None
    since_ms = min(
        (choice.since_ms for choice in choices(state, now_ms)),
        default=min(each.created_at for each in given),
    )
    in_turn = (each for each in given if now_ms >= turn_at(state, turns[each.author], since_ms))
    return min(
        in_turn,
        key=lambda each: (turns[each.author], each.created_at, each.event_id),
        default=None,
    )
