"""The rule of reuse rejections: enough verifiers rejected a candidate that repeats a decision.

Like a decision, a rejection stands on its own list: within it, enough distinct rejecters must have
votes that count. It says something about the earlier decision, for whoever would repeat it again;
the candidate stays what it was.
"""

from wattswarm.kernel.decision import rejecters
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads.reuse import ReuseRejectRecorded
from wattswarm.kernel.records import Candidate, ReuseRejection
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, find, ignored
from wattswarm.kernel.state import TaskState


def judge(entry: Entry[ReuseRejectRecorded], state: TaskState) -> Hold | None:
    """Return why a rejection has no effect, or None."""
    event, said = entry.event, entry.payload
    candidate = find(state.candidates, said.candidate, state)
    if isinstance(candidate, Hold):
        return candidate
    if event.created_at <= candidate.created_at:
        return ignored("date_order", said.candidate)
    if candidate.label.epoch != event.epoch:
        return ignored("wrong_epoch", said.candidate)
    if candidate.reuse_of is None:
        return ignored("not_a_reuse", said.candidate)
    if candidate.output.digest != said.output_digest:
        return ignored("wrong_output", said.candidate)
    return _judge_list(candidate, entry, state)


def _judge_list(
    candidate: Candidate, entry: Entry[ReuseRejectRecorded], state: TaskState
) -> Hold | None:
    names = entry.payload.reveals
    for index in range(entry.cursor, len(names)):
        entry.cursor = index
        hold = _judge_vote(names[index], candidate, entry.event, state)
        if hold is not None:
            return hold
    entry.cursor = len(names)
    votes = [state.votes[name] for name in set(names)]
    if len({vote.subject.attempt for vote in votes}) > 1:
        return ignored("mixed_attempts")
    if len(rejecters(votes, state.commits, state.terms)) < state.terms.quorum_threshold:
        return ignored("no_quorum")
    return None


def _judge_vote(name: EventId, candidate: Candidate, event: Event, state: TaskState) -> Hold | None:
    vote = find(state.votes, name, state)
    if isinstance(vote, Hold):
        return vote
    if event.created_at <= vote.created_at:
        return ignored("date_order", name)
    is_about = vote.subject.candidate == candidate.event_id
    return None if is_about else ignored("wrong_candidate", name)


def apply(entry: Entry[ReuseRejectRecorded], state: TaskState) -> Provided:
    """Write the rejection, and which decision is not to be repeated."""
    event, said = entry.event, entry.payload
    candidate = state.candidates[said.candidate]
    assert candidate.reuse_of is not None, "a candidate that repeats nothing was not rejected so"
    votes = [state.votes[name] for name in set(said.reveals)]
    state.reuse_rejections[event.event_id] = ReuseRejection(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        label=candidate.label,
        candidate=said.candidate,
        decision=candidate.reuse_of,
        output_digest=said.output_digest,
        rejections=len(rejecters(votes, state.commits, state.terms)),
        reason_codes=said.reason_codes,
    )
    return ()


RULES = (Rule(ReuseRejectRecorded.kind, "anybody", judge, apply),)
