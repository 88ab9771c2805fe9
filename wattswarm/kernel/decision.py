"""The rule of decisions: a committer names a candidate, votes of one attempt, and confirmations.

What a decision rests on stands in its own lists, so that later events neither help nor harm it.
Within those lists, enough distinct approvers must have commits that enough distinct voters list,
and each piece of the candidate's own evidence must have been held by enough distinct verifiers.
"""

from collections.abc import Iterable, Mapping

from wattswarm.kernel.contract import Contract
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads.decision import DecisionCommitted
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import Candidate, Commit, Confirmation, Decision, Vote
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, find, ignored
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import Role
from wattswarm.kernel.vote import may_list


def judge(entry: Entry[DecisionCommitted], state: TaskState) -> Hold | None:
    """Return why a decision has no effect, or None."""
    event, decided = entry.event, entry.payload
    candidate = find(state.candidates, decided.candidate, state)
    if isinstance(candidate, Hold):
        return candidate
    if event.created_at <= candidate.created_at:
        return ignored("date_order", decided.candidate)
    if not state.versions[candidate.label.pin].holds(event.author, Role.COMMITTER):
        return ignored("missing_role")
    if candidate.label.epoch != event.epoch:
        return ignored("wrong_epoch", decided.candidate)
    return _judge_lists(candidate, entry, state)


def _judge_lists(
    candidate: Candidate, entry: Entry[DecisionCommitted], state: TaskState
) -> Hold | None:
    decided, terms = entry.payload, state.terms
    hold = _judge_named(candidate, entry, state)
    if hold is not None:
        return hold
    votes = [state.votes[name] for name in set(decided.reveals)]
    if len({vote.subject.attempt for vote in votes}) > 1:
        return ignored("mixed_attempts")
    if len(approvers(votes, state.commits, state.terms)) < terms.quorum_threshold:
        return ignored("no_quorum")
    confirmations = [state.confirmations[name] for name in decided.confirmations]
    if unconfirmed(candidate, confirmations, state.terms):
        return ignored("evidence_unconfirmed", decided.candidate)
    return None


def _judge_named(
    candidate: Candidate, entry: Entry[DecisionCommitted], state: TaskState
) -> Hold | None:
    """Return why a listed name cannot stand there, or None; goes on where it stopped before."""
    decided = entry.payload
    names = decided.reveals + decided.confirmations
    for index in range(entry.cursor, len(names)):
        entry.cursor = index
        hold = _judge_name(
            names[index], index < len(decided.reveals), candidate, entry.event, state
        )
        if hold is not None:
            return hold
    return None


def _judge_name(
    name: EventId, is_reveal: bool, candidate: Candidate, event: Event, state: TaskState
) -> Hold | None:
    table: Mapping[EventId, Vote | Confirmation] = state.votes if is_reveal else state.confirmations
    record = find(table, name, state)
    if isinstance(record, Hold):
        return record
    if event.created_at <= record.created_at:
        return ignored("date_order", name)
    about = record.subject.candidate if isinstance(record, Vote) else record.candidate
    return None if about == candidate.event_id else ignored("wrong_candidate", name)


def approvers(
    votes: Iterable[Vote], commits: Mapping[EventId, Commit], contract: Contract
) -> frozenset[NodeId]:
    """Return the voters whose approvals count among these votes, which are on one subject."""
    return _counted(votes, commits, contract, Ballot.APPROVE)


def rejecters(
    votes: Iterable[Vote], commits: Mapping[EventId, Commit], contract: Contract
) -> frozenset[NodeId]:
    """Return the voters whose rejections count among these votes, which are on one subject."""
    return _counted(votes, commits, contract, Ballot.REJECT)


def _counted(
    votes: Iterable[Vote], commits: Mapping[EventId, Commit], contract: Contract, ballot: Ballot
) -> frozenset[NodeId]:
    votes = list(votes)
    if not contract.commit_reveal:
        return frozenset(vote.author for vote in votes if vote.ballot is ballot)
    return counted_by_list(votes, commits, contract.quorum_threshold, ballot)


def counted_by_list(
    votes: Iterable[Vote], commits: Mapping[EventId, Commit], quorum: int, ballot: Ballot
) -> frozenset[NodeId]:
    """Return the voters with this ballot whose commits enough of these votes' authors list."""
    votes = list(votes)
    listers = {vote.commit: set[NodeId]() for vote in votes if vote.commit is not None}
    names = frozenset(listers)
    listed = {vote.author: set[EventId]() for vote in votes}
    # Of one author's lists only the latest with a name can matter, so each name is met once.
    for vote in sorted(votes, key=lambda each: each.created_at, reverse=True):
        fresh = names.intersection((vote.name, *vote.seen)) - listed[vote.author]
        listed[vote.author] |= fresh
        for name in fresh:
            if may_list(commits[name], vote):
                listers[name].add(vote.author)
    return frozenset(
        vote.author
        for vote in votes
        if vote.ballot is ballot and len(listers.get(vote.name, ())) >= quorum
    )


def unconfirmed(
    candidate: Candidate, confirmations: Iterable[Confirmation], contract: Contract
) -> frozenset[str]:
    """Return the digests of a candidate's own evidence that too few verifiers confirmed."""
    holders: dict[str, set[NodeId]] = {digest: set() for digest in candidate.digests}
    for confirmation in confirmations:
        holders[confirmation.digest].add(confirmation.author)
    return frozenset(
        digest for digest, nodes in holders.items() if len(nodes) < contract.da_quorum_threshold
    )


def apply(entry: Entry[DecisionCommitted], state: TaskState) -> Provided:
    """Write the decision, with the votes that count by its own lists."""
    event, decided = entry.event, entry.payload
    reveals = tuple(sorted(set(decided.reveals)))
    votes = [state.votes[name] for name in reveals]
    state.decisions[event.event_id] = Decision(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        label=state.candidates[decided.candidate].label,
        attempt=votes[0].subject.attempt,
        candidate=decided.candidate,
        reveals=reveals,
        confirmations=tuple(sorted(set(decided.confirmations))),
        approvals=len(approvers(votes, state.commits, state.terms)),
        rejections=len({vote.author for vote in votes if vote.ballot is Ballot.REJECT}),
        summary=decided.summary,
    )
    return ()


RULES = (Rule(DecisionCommitted.kind, "a committer of the pin", judge, apply),)
