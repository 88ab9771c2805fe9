"""Recording that verifiers rejected a candidate which repeats an earlier decision."""

from collections.abc import Sequence
from typing import Final

from wattswarm.kernel.decide.gate import Signings, draft, effective, refuse
from wattswarm.kernel.decision import rejecters
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, NodeId, short
from wattswarm.kernel.limits import REASON_CODES_MAX
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads.result import Status
from wattswarm.kernel.payloads.reuse import ReuseRejectRecorded
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.records import Candidate, Vote
from wattswarm.kernel.state import TaskState

REVEALS_MAX: Final = 1_024
"""The list must fit into an event; rejections come first."""


def reject_reuse(
    state: TaskState, me: NodeId, now_ms: int, *, candidate_id: EventId | None = None
) -> Signings | Rejection:
    """Return the record of a rejected repetition; nothing when it has been made.

    Any node may record it: the votes speak for themselves.

    Args:
        candidate_id: By default the first candidate that was rejected so and is not recorded.
    """
    name = next(iter(unrecorded(state)), None) if candidate_id is None else candidate_id
    if name is None:
        return refuse("not_a_reuse", "no rejected candidate of this task does")
    candidate = state.candidates.get(name)
    if candidate is None:
        return refuse("unknown_candidate", short(name))
    if candidate.reuse_of is None:
        return refuse("not_a_reuse", short(name))
    if name in recorded(state):
        return ()
    votes = rejection(state, name)
    if not votes:
        return refuse("no_quorum", f"{state.terms.quorum_threshold} rejections are needed")
    return _recorded(state, me, candidate, votes, now_ms)


def recorded(state: TaskState) -> frozenset[EventId]:
    """Return the candidates whose rejection as a repetition is recorded."""
    return frozenset(each.candidate for each in state.reuse_rejections.values())


def unrecorded(state: TaskState) -> Sequence[EventId]:
    """Return the repetitions that enough verifiers rejected, and of which nothing says so yet."""
    quorum = state.terms.quorum_threshold
    rejected = {
        subject.candidate
        for (subject, ballot), voters in state.tally.items()
        if ballot is Ballot.REJECT and voters >= quorum
    }
    return sorted(
        name
        for name in rejected - recorded(state)
        if state.candidates[name].reuse_of is not None and rejection(state, name)
    )


def rejection(state: TaskState, candidate: EventId) -> Sequence[Vote]:
    """Return votes of one attempt among which enough reject a candidate; none when too few do."""
    by_attempt: dict[int, list[Vote]] = {}
    for vote in state.votes.values():
        if vote.subject.candidate == candidate:
            by_attempt.setdefault(vote.subject.attempt, []).append(vote)
    for _, votes in sorted(by_attempt.items()):
        listed = sorted(votes, key=lambda each: (each.ballot, each.event_id), reverse=True)
        listed = listed[:REVEALS_MAX]
        if len(rejecters(listed, state.commits, state.terms)) >= state.terms.quorum_threshold:
            return listed
    return ()


def _recorded(
    state: TaskState, me: NodeId, candidate: Candidate, votes: Sequence[Vote], now_ms: int
) -> Signings | Rejection:
    payload = ReuseRejectRecorded(
        candidate=candidate.event_id,
        output_digest=candidate.output.digest,
        reveals=tuple(sorted(vote.event_id for vote in votes)),
        reason_codes=_codes(state, votes),
    )
    dates = (vote.created_at for vote in votes)
    made = draft(
        state, payload, me, now_ms, candidate.created_at, *dates, epoch=candidate.label.epoch
    )
    return effective(state, [Signing(made)], me)


def _codes(state: TaskState, votes: Sequence[Vote]) -> tuple[int, ...]:
    """Return what the rejecters' results said, each code once."""
    results = [state.results[vote.result] for vote in votes]
    codes = {code for each in results if each.status is Status.FAILED for code in each.reason_codes}
    return tuple(sorted(codes))[:REASON_CODES_MAX] or (int(ReasonCode.UNKNOWN),)
