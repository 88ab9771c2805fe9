"""Voting: where a vote is counted.

A voter is the author of an effective result. A commit binds everything a vote depends on; a reveal
names its commit and lists the commits its author had seen. **A vote counts when its commit is
listed by the reveals of at least `quorum_threshold` distinct voters, its own included.** A voter
counts once per candidate, ballot and attempt. Lists are weak: what is missing, dated later or about
something else is passed over and harms nothing, so counts only grow. Without commit–reveal a vote
alone counts.

Withholding a reveal cannot be forbidden, and as many colluders as a quorum who list each other are
one.
"""

from wattswarm.kernel import canonical
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.event import Event
from wattswarm.kernel.hashing import Context, digest, keyed
from wattswarm.kernel.ids import Digest, EventId, NodeId, TaskId
from wattswarm.kernel.payloads.result import Status
from wattswarm.kernel.payloads.vote import Ballot, PlainVote, VoteCommit, VoteReveal
from wattswarm.kernel.records import Commit, Result, Subject, Vote
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, find, ignored
from wattswarm.kernel.state import TaskState

STATUS_OF = {Ballot.APPROVE: Status.PASSED, Ballot.REJECT: Status.FAILED}


def bound_fields(
    network_id: str, task_id: TaskId, subject: Subject, voter: NodeId, result: EventId
) -> list[Value]:
    """Return what a vote is bound to beside its ballot and its salt."""
    return [
        network_id,
        task_id,
        subject.label.epoch,
        subject.attempt,
        subject.candidate,
        voter,
        result,
    ]


def commit_hash(bound: list[Value], ballot: Ballot, salt: bytes) -> Digest:
    """Return the hash that seals a vote."""
    return digest(Context.VOTE_COMMIT, canonical.encode([*bound, ballot.value, salt]))


def vote_salt(seed: bytes, bound: list[Value], ballot: Ballot) -> bytes:
    """Return the node's salt for one vote: the same after a restart, and unknown to all others."""
    context = Context.VOTE_SALT.encode()
    return keyed(seed, context + b"\0" + canonical.encode([*bound, ballot.value]))


# --- commits --------------------------------------------------------------------------------------


def judge_commit(entry: Entry[VoteCommit], state: TaskState) -> Hold | None:
    """Return why a commit has no effect, or None."""
    sealed = entry.payload
    result = _own_result(sealed.result, entry.event, state)
    if isinstance(result, Hold):
        return result
    if not state.terms.commit_reveal:
        return ignored("votes_are_plain")
    if result.status is Status.INCONCLUSIVE:
        return ignored("vote_without_finding", sealed.result)
    return None


def apply_commit(entry: Entry[VoteCommit], state: TaskState) -> Provided:
    """Write the commit, and count the listings of it that were there before."""
    event, sealed = entry.event, entry.payload
    commit = Commit(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        subject=state.results[sealed.result].subject,
        result=sealed.result,
        commit_hash=sealed.commit_hash,
    )
    state.commits[event.event_id] = commit
    listed = state.unmatched.pop(event.event_id, None)
    while listed is not None:
        by, listed = listed
        _list(commit, by, state)
    return ()


# --- reveals and plain votes ----------------------------------------------------------------------


def judge_reveal(entry: Entry[VoteReveal | PlainVote], state: TaskState) -> Hold | None:
    """Return why a reveal or a plain vote has no effect, or None."""
    match entry.payload:
        case PlainVote() as vote:
            return _judge_plain(vote, entry.event, state)
        case VoteReveal() as reveal:  # exhaustive
            return _judge_reveal(reveal, entry.event, state)


def _judge_plain(vote: PlainVote, event: Event, state: TaskState) -> Hold | None:
    result = _own_result(vote.result, event, state)
    if isinstance(result, Hold):
        return result
    if state.terms.commit_reveal:
        return ignored("votes_are_sealed")
    if result.status is not STATUS_OF[vote.vote]:
        return ignored("vote_against_finding", vote.result)
    return None


def _judge_reveal(reveal: VoteReveal, event: Event, state: TaskState) -> Hold | None:
    commit = find(state.commits, reveal.commit, state)
    if isinstance(commit, Hold):
        return commit
    if event.created_at <= commit.created_at:
        return ignored("date_order", reveal.commit)
    if commit.author != event.author:
        return ignored("not_own_commit", reveal.commit)
    if commit.subject.label.epoch != event.epoch:
        return ignored("wrong_epoch", reveal.commit)
    bound = bound_fields(
        state.network_id, state.task_id, commit.subject, commit.author, commit.result
    )
    if commit_hash(bound, reveal.vote, reveal.salt) != commit.commit_hash:
        return ignored("commit_mismatch", reveal.commit)
    if state.results[commit.result].status is not STATUS_OF[reveal.vote]:
        return ignored("vote_against_finding", commit.result)
    return None


def apply_reveal(entry: Entry[VoteReveal | PlainVote], state: TaskState) -> Provided:
    """Write the vote, and count what it lists."""
    match entry.payload:
        case PlainVote() as plain:
            vote = _plain_vote(plain, entry.event, state)
            state.votes[vote.event_id] = vote
            _count(vote.event_id, vote.subject, vote.ballot, vote.author, state)
        case VoteReveal() as reveal:  # exhaustive
            vote = _revealed_vote(reveal, entry.event, state)
            state.votes[vote.event_id] = vote
            state.revealed[reveal.commit] = reveal.vote
            for name in {reveal.commit, *reveal.seen}:
                _see(name, vote, state)
            _count_if_listed(state.commits[reveal.commit], state)
    return ()


def _plain_vote(plain: PlainVote, event: Event, state: TaskState) -> Vote:
    return Vote(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        subject=state.results[plain.result].subject,
        result=plain.result,
        ballot=plain.vote,
        commit=None,
        seen=(),
    )


def _revealed_vote(reveal: VoteReveal, event: Event, state: TaskState) -> Vote:
    commit = state.commits[reveal.commit]
    return Vote(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        subject=commit.subject,
        result=commit.result,
        ballot=reveal.vote,
        commit=reveal.commit,
        seen=reveal.seen,
    )


# --- counting -------------------------------------------------------------------------------------


def _see(name: EventId, by: Vote, state: TaskState) -> None:
    """Count that a reveal lists a commit, now or when that commit takes effect."""
    commit = state.commits.get(name)
    if commit is not None:
        _list(commit, by, state)
    elif name not in state.effective:
        state.unmatched[name] = (by, state.unmatched.get(name))


def may_list(commit: Commit, by: Vote) -> bool:
    """Tell whether a reveal may list a commit: the subject is the same, its date is later."""
    return by.subject == commit.subject and commit.created_at < by.created_at


def _list(commit: Commit, by: Vote, state: TaskState) -> None:
    name = commit.event_id
    if not may_list(commit, by) or (name, by.author) in state.listers:
        return
    state.listers[name, by.author] = True
    state.listed[name] = state.listed.get(name, 0) + 1
    _count_if_listed(commit, state)


def _count_if_listed(commit: Commit, state: TaskState) -> None:
    ballot = state.revealed.get(commit.event_id)
    if ballot is not None and state.listed[commit.event_id] >= state.terms.quorum_threshold:
        _count(commit.event_id, commit.subject, ballot, commit.author, state)


def _count(
    name: EventId, subject: Subject, ballot: Ballot, voter: NodeId, state: TaskState
) -> None:
    state.counted[name] = True
    if (subject, ballot, voter) not in state.voters:
        state.voters[subject, ballot, voter] = True
        state.tally[subject, ballot] = state.tally.get((subject, ballot), 0) + 1


def _own_result(name: EventId, event: Event, state: TaskState) -> Result | Hold:
    result = find(state.results, name, state)
    if isinstance(result, Hold):
        return result
    if event.created_at <= result.created_at:
        return ignored("date_order", name)
    if result.author != event.author:
        return ignored("not_own_result", name)
    if result.label.epoch != event.epoch:
        return ignored("wrong_epoch", name)
    return result


RULES = (
    Rule(VoteCommit.kind, "the author of the result", judge_commit, apply_commit),
    Rule(VoteReveal.kind, "the author of the commit, or of the result", judge_reveal, apply_reveal),
)
