"""What hostile authors sign by hand: past `decide`, under any date, and true or not."""

from examples.stories.node import Node, keep
from examples.stories.stage import Stage
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.payloads import (
    Ballot,
    CandidateProposed,
    Status,
    TaskClaimed,
    VerifierResultSubmitted,
    VoteCommit,
    VoteReveal,
    Work,
)
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.vote import STATUS_OF, bound_fields, commit_hash

LEASE_MS = 20_000
SALT = bytes(32)
WRONG = b'{"answer": 41}'


def claim(
    stage: Stage,
    author: Node,
    task: TaskId,
    role: Work,
    at_ms: int | None = None,
    *,
    lease_ms: int = LEASE_MS,
) -> EventId:
    """Take a place, under a name that no executor has."""
    date_ms = stage.date(author, task) if at_ms is None else at_ms
    payload = TaskClaimed(
        role=role,
        attempt=1,
        executor=f"nobody-{date_ms}",
        lease_until=date_ms + lease_ms,
        pin=author.state(task).here.pin,
    )
    return stage.utter(author, task, payload, date_ms)


def propose(
    stage: Stage,
    author: Node,
    task: TaskId,
    held: EventId,
    at_ms: int | None = None,
    *,
    reuse_of: EventId | None = None,
) -> EventId:
    """Propose a wrong answer under a claim."""
    output = keep(WRONG, author.bodies)
    payload = CandidateProposed(claim=held, output=output, evidence=(), reuse_of=reuse_of)
    return stage.utter(author, task, payload, at_ms)


def find(
    stage: Stage,
    author: Node,
    task: TaskId,
    held: EventId,
    candidate: EventId,
    ballot: Ballot,
    at_ms: int | None = None,
) -> EventId:
    """Say of a candidate what calls for this ballot, without looking at it."""
    is_yes = ballot is Ballot.APPROVE
    payload = VerifierResultSubmitted(
        claim=held,
        candidate=candidate,
        status=STATUS_OF[ballot],
        score_bp=10_000 if is_yes else 0,
        reason_codes=(ReasonCode.SCHEMA_OK if is_yes else ReasonCode.SCHEMA_INVALID,),
        provider="nobody",
        model="none",
    )
    return stage.utter(author, task, payload, at_ms)


def seal(
    stage: Stage,
    author: Node,
    task: TaskId,
    finding: EventId,
    at_ms: int | None = None,
) -> EventId:
    """Commit to the vote that a finding calls for."""
    found = author.state(task).results[finding]
    ballot = Ballot.APPROVE if found.status is Status.PASSED else Ballot.REJECT
    bound = bound_fields(stage.network_id, task, found.subject, author.id, finding)
    payload = VoteCommit(result=finding, commit_hash=commit_hash(bound, ballot, SALT))
    return stage.utter(author, task, payload, at_ms)


def reveal(stage: Stage, author: Node, task: TaskId, commit: EventId, ballot: Ballot) -> EventId:
    """Reveal a vote, and list all commits that there are."""
    seen = tuple(sorted(author.state(task).commits))
    return stage.utter(author, task, VoteReveal(commit=commit, vote=ballot, salt=SALT, seen=seen))
