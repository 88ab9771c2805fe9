"""What effective events have made of a task: one frozen record per event that took effect.

A record holds what later rules and views ask for, so that nothing reads a payload twice. Its name
is the id of the event that made it.
"""

from typing import NamedTuple

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads.claim import Work
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.kernel.payloads.feedback import FeedbackWord
from wattswarm.kernel.payloads.result import Status
from wattswarm.kernel.payloads.vote import Ballot


class Label(NamedTuple):
    """An epoch under a pin: events belong to the label that they name, whatever came after it."""

    epoch: int
    pin: Digest


class Subject(NamedTuple):
    """What votes are counted over: one candidate in one attempt of one label."""

    label: Label
    attempt: int
    candidate: EventId


@attrs.frozen(kw_only=True)
class Claim:
    """A place taken; `lease_end` is the end of its first lease, `TaskState.leases` has the last."""

    event_id: EventId
    author: NodeId
    created_at: int
    label: Label
    attempt: int
    role: Work
    executor: str
    lease_end: int


@attrs.frozen(kw_only=True)
class Renewal:
    """One more lease of a claim; `end` is what this renewal alone extends it to, in ms."""

    event_id: EventId
    claim: EventId
    created_at: int
    end: int


class Lease(NamedTuple):
    """The end of a claim's lease in ms, the event that reaches it, and how many renewals did."""

    end: int
    leaf: EventId
    renewals: int


@attrs.frozen(kw_only=True)
class Release:
    """A place given back."""

    event_id: EventId
    claim: EventId
    created_at: int
    reason: str | None


@attrs.frozen(kw_only=True)
class ClaimDecision:
    """What the task's creator said about a claim."""

    event_id: EventId
    claim: EventId
    created_at: int
    is_approved: bool


@attrs.frozen(kw_only=True)
class Candidate:
    """A proposed answer. `digests` are those of its own evidence, which a decision must rest on."""

    event_id: EventId
    author: NodeId
    created_at: int
    label: Label
    attempt: int
    claim: EventId
    executor: str
    output: ArtifactRef
    evidence: tuple[ArtifactRef, ...]
    digests: frozenset[str]
    summary: str | None
    reuse_of: EventId | None


@attrs.frozen(kw_only=True)
class Addition:
    """Evidence that the author of a candidate added later."""

    event_id: EventId
    candidate: EventId
    created_at: int
    evidence: tuple[ArtifactRef, ...]


@attrs.frozen(kw_only=True)
class Confirmation:
    """A verifier's word that it held the body of a piece of evidence."""

    event_id: EventId
    author: NodeId
    created_at: int
    claim: EventId
    candidate: EventId
    digest: str
    proof: Digest


@attrs.frozen(kw_only=True)
class Result:
    """What a verifier found about a candidate; `attempt` is that of the claim it worked under."""

    event_id: EventId
    author: NodeId
    created_at: int
    label: Label
    attempt: int
    claim: EventId
    executor: str
    candidate: EventId
    status: Status
    score_bp: int
    reason_codes: tuple[int, ...]
    provider: str
    model: str

    @property
    def subject(self) -> Subject:
        """What a vote that rests on this result is counted over."""
        return Subject(self.label, self.attempt, self.candidate)


@attrs.frozen(kw_only=True)
class Commit:
    """A sealed vote."""

    event_id: EventId
    author: NodeId
    created_at: int
    subject: Subject
    result: EventId
    commit_hash: Digest


@attrs.frozen(kw_only=True)
class Vote:
    """A vote that is known: the reveal of a commit, or a plain vote (then `commit` is None)."""

    event_id: EventId
    author: NodeId
    created_at: int
    subject: Subject
    result: EventId
    ballot: Ballot
    commit: EventId | None
    seen: tuple[EventId, ...]

    @property
    def name(self) -> EventId:
        """What is counted: the commit, or the plain vote itself."""
        return self.event_id if self.commit is None else self.commit


@attrs.frozen(kw_only=True)
class Decision:
    """A committer's choice, and the votes and confirmations it rests on."""

    event_id: EventId
    author: NodeId
    created_at: int
    label: Label
    attempt: int
    candidate: EventId
    reveals: tuple[EventId, ...]
    confirmations: tuple[EventId, ...]
    approvals: int
    rejections: int
    summary: str | None


class Seal(NamedTuple):
    """What one finalizer signed: a candidate of a label, by way of a decision."""

    label: Label
    candidate: EventId
    signer: NodeId
    decision: EventId


@attrs.frozen(kw_only=True)
class Carrier:
    """An event that carries at least one valid signature of a finalizer."""

    event_id: EventId
    author: NodeId
    created_at: int
    label: Label
    candidate: EventId
    decision: EventId
    signers: tuple[NodeId, ...]


@attrs.frozen(kw_only=True)
class Outcome:
    """What a label is final with; disputed when finalizers contradicted each other."""

    label: Label
    candidate: EventId
    signers: int
    threshold: int
    is_disputed: bool


class Control(NamedTuple):
    """A control word with its number and reason: what is gathered over all of its carriers."""

    word: ControlWord
    control_no: int
    reason: str


@attrs.frozen(kw_only=True)
class Failure:
    """The end of a claim's work without its fruit."""

    event_id: EventId
    author: NodeId
    created_at: int
    claim: EventId
    reason: str
    reason_codes: tuple[int, ...]
    message: str


@attrs.frozen(kw_only=True)
class Retry:
    """The opening of an attempt; work on it should not begin before `run_at` (ms)."""

    event_id: EventId
    author: NodeId
    created_at: int
    label: Label
    from_attempt: int
    run_at: int
    reason: str | None


@attrs.frozen(kw_only=True)
class Completion:
    """What the creator said about a candidate as an answer to what it asked for."""

    event_id: EventId
    created_at: int
    candidate: EventId
    is_approved: bool
    is_retry_requested: bool
    reason: str | None


@attrs.frozen(kw_only=True)
class Settlement:
    """The payment for the work under a claim."""

    event_id: EventId
    created_at: int
    claim: EventId
    receipt: str | None


@attrs.frozen(kw_only=True)
class Feedback:
    """What the settlement authority said about a candidate."""

    event_id: EventId
    created_at: int
    label: Label
    candidate: EventId
    outcome: FeedbackWord
    reason: str


@attrs.frozen(kw_only=True)
class ReuseRejection:
    """The rejection of a candidate that repeats `decision`, an earlier one of this or any task."""

    event_id: EventId
    author: NodeId
    created_at: int
    label: Label
    candidate: EventId
    decision: EventId
    output_digest: str
    rejections: int
    reason_codes: tuple[int, ...]
