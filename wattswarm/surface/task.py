"""Documents about tasks: what was asked, who works on it, what was said, what was decided."""

from collections.abc import Mapping
from typing import Literal

import attrs

from wattswarm.surface.epoch import EpochView
from wattswarm.surface.market import ApprovalWord, CompletionView, SettlementView
from wattswarm.surface.words import Hex, Time, VerdictWord

TaskWord = Literal[
    "open",
    "suspended",
    "expired",
    "stopped",
    "killed",
    "final",
    "pending",
    "void",
    "unsupported",
    "quarantined",
]
"""The words of `wattswarm.kernel.codes.WORDS`; `quarantined`: the task cannot be derived."""

PlaceWord = Literal["free", "waiting", "working", "done", "failed", "released", "lapsed"]


@attrs.frozen(kw_only=True)
class ContractProblem:
    """One thing that is wrong with a contract, by its JSON path."""

    path: str
    code: str
    message: str


@attrs.frozen(kw_only=True)
class ContractCheck:
    """Whether a contract would be taken; with all defaults filled in when it would."""

    valid: bool
    errors: tuple[ContractProblem, ...] = ()
    contract: Mapping[str, object] | None = None


@attrs.frozen(kw_only=True)
class Submitted:
    """A task that stands in the log; `already` when the same request had made it before."""

    task_id: Hex
    seq: int
    already: bool
    contract: Mapping[str, object]


@attrs.frozen(kw_only=True)
class TaskRow:
    """A task in a list."""

    task_id: Hex
    name: str
    task_type: str
    scope: str
    state: TaskWord
    epoch: int
    attempt: int
    created_at: Time
    expires_at: Time
    candidates: int
    results: int
    approvals: int
    rejections: int
    decision: Hex | None
    """The candidate that is decided or final."""
    events: int


@attrs.frozen(kw_only=True)
class TaskPage:
    """Tasks, newest first; `next` is the cursor of the next page."""

    items: tuple[TaskRow, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class ArtifactView:
    """A body that lives in the artifact store."""

    digest: str
    size_bytes: int
    mime: str
    is_here: bool


@attrs.frozen(kw_only=True)
class PlaceView:
    """One place of a role: free, or taken by a claim."""

    role: Literal["propose", "verify"]
    state: PlaceWord
    claim_id: Hex | None = None
    node_id: Hex | None = None
    executor: str | None = None
    attempt: int = 1
    lease_until: Time | None = None
    renewals: int = 0
    approval: ApprovalWord | None = None
    """What the creator said of the claim; null where the contract does not ask for that."""


@attrs.frozen(kw_only=True)
class ResultView:
    """What a verifier found about a candidate."""

    result_id: Hex
    candidate_id: Hex
    node_id: Hex
    executor: str
    status: Literal["passed", "failed", "inconclusive"]
    score_bp: int
    reason_codes: tuple[int, ...]
    reasons: tuple[str, ...]
    provider: str
    model: str
    created_at: Time


@attrs.frozen(kw_only=True)
class VoteView:
    """One voter's word on a candidate, as far as it has been said."""

    vote_id: Hex
    """The commit's event, or the plain vote's."""
    candidate_id: Hex
    node_id: Hex
    executor: str
    state: Literal["committed", "revealed", "plain"]
    vote: Literal["approve", "reject"] | None
    counts: bool


@attrs.frozen(kw_only=True)
class CandidateView:
    """A proposed output, and what was found about it."""

    candidate_id: Hex
    claim_id: Hex
    node_id: Hex
    executor: str
    attempt: int
    created_at: Time
    output: ArtifactView
    evidence: tuple[ArtifactView, ...]
    summary: str
    approvals: int
    rejections: int
    median_score_bp: int | None
    confirmations: int
    is_decided: bool
    is_final: bool
    reuse_of: Hex | None = None
    """The decision that it says it repeats."""


@attrs.frozen(kw_only=True)
class ErrorView:
    """A failure that ended a claim's work."""

    event_id: Hex
    claim_id: Hex
    node_id: Hex
    executor: str
    attempt: int
    reason: str
    reason_codes: tuple[int, ...]
    message: str
    created_at: Time


@attrs.frozen(kw_only=True)
class FinalityView:
    """How final an epoch is: signatures there, and needed."""

    epoch: int
    candidate_id: Hex
    signers: tuple[Hex, ...]
    threshold: int
    is_final: bool
    is_disputed: bool


@attrs.frozen(kw_only=True)
class ControlView:
    """A control word: said by the creator, or by finalizers, with as many as are needed or not."""

    word: Literal["stopped", "suspended", "resumed", "killed"]
    control_no: int
    reason: str
    is_creators: bool
    signers: tuple[Hex, ...]
    threshold: int
    stands: bool
    """Whether it is this word that the task's state follows."""


@attrs.frozen(kw_only=True)
class FeedbackView:
    """What the settlement authority said about an answer; `in_time`: within the window."""

    event_id: Hex
    epoch: int
    candidate_id: Hex
    outcome: str
    reason: str
    created_at: Time
    in_time: bool


@attrs.frozen(kw_only=True)
class ContributionView:
    """What one verifier's vote on a final answer comes to, in units of 1/10 000 point."""

    epoch: int
    node_id: Hex
    vote_id: Hex
    candidate_id: Hex
    provider: str
    model: str
    agrees: bool
    is_bad: bool
    stability_units: int
    quality_units: int
    due_at: Time
    is_due: bool


@attrs.frozen(kw_only=True)
class ReuseRejectionView:
    """The rejection of an answer that repeated a decision."""

    event_id: Hex
    node_id: Hex
    epoch: int
    candidate_id: Hex
    decision_id: Hex
    output_digest: str
    rejections: int
    reason_codes: tuple[int, ...]
    created_at: Time


@attrs.frozen(kw_only=True)
class VoidedView:
    """A statement of finalizers that leaves events of a task without effect."""

    word: Literal["revoked", "penalized"]
    target: Hex
    """The event that is revoked, or the node that is penalized."""
    event_kind: str | None
    reason: str
    events: int
    """Events that it is about."""
    dependents: int
    """Events that have no effect for that."""


@attrs.frozen(kw_only=True)
class TaskView:
    """Everything about a task at one position of the log."""

    task: TaskRow
    creator: Hex
    pin: Hex
    contract: Mapping[str, object]
    places: tuple[PlaceView, ...]
    candidates: tuple[CandidateView, ...]
    results: tuple[ResultView, ...]
    votes: tuple[VoteView, ...]
    errors: tuple[ErrorView, ...]
    finality: tuple[FinalityView, ...]
    controls: tuple[ControlView, ...]
    completions: tuple[CompletionView, ...]
    settlements: tuple[SettlementView, ...]
    epochs: tuple[EpochView, ...]
    """The newest epochs of a continuous task, in order; none of another."""
    voided: tuple[VoidedView, ...]
    decision_id: Hex | None
    quorum: int
    next_steps: tuple[str, ...]
    """What has to happen next, in sentences; empty when nothing has to."""
    projected_seq: int
    now: Time
    feedback: tuple[FeedbackView, ...] = ()
    contributions: tuple[ContributionView, ...] = ()
    """What the votes on its final answers come to."""
    reuse_rejections: tuple[ReuseRejectionView, ...] = ()


@attrs.frozen(kw_only=True)
class Controlled:
    """A task after a control word; `already` when it stood before, and so was not said again."""

    task: TaskRow
    controls: tuple[ControlView, ...]
    seq: int | None
    """Where the word stands in the log, if it was said now."""
    already: bool


@attrs.frozen(kw_only=True)
class EpochEndSaid:
    """A task after this node's word that an epoch is over."""

    task: TaskRow
    ended: EpochView
    """The epoch that it was said of, with the signatures for its end."""
    missing: int
    """Finalizers that have to sign yet; none when the next epoch is open."""
    opened: EpochView | None
    """The next epoch, once it is open."""
    seq: int | None
    """Where the word stands in the log."""
    next_steps: tuple[str, ...]


@attrs.frozen(kw_only=True)
class CreatorSaid:
    """A task after its creator's word on a claim or candidate; `already` when it stood before."""

    task: TaskRow
    about: Hex
    """The claim or the candidate."""
    seq: int | None
    """Where the word stands in the log, if it was said now."""
    already: bool
    next_steps: tuple[str, ...]


@attrs.frozen(kw_only=True)
class VerdictView:
    """What an event of a task did, and if nothing, why."""

    seq: int
    event_id: Hex
    event_kind: str
    author: Hex
    created_at: Time
    verdict: VerdictWord
    code: str | None
    names: tuple[Hex, ...]
    """What it waits for, or what it was judged by."""
    sentence: str


@attrs.frozen(kw_only=True)
class VerdictPage:
    """The verdicts of a task's events, in the order of the log."""

    items: tuple[VerdictView, ...]
    next_after: int | None


@attrs.frozen(kw_only=True)
class Explanation:
    """A task told in sentences: what it is, what was done, what counted, what is missing."""

    task_id: Hex
    state: TaskWord
    summary: tuple[str, ...]
    next_steps: tuple[str, ...]
    timeline: tuple[VerdictView, ...]


@attrs.frozen(kw_only=True)
class DecisionView:
    """What was decided, on what grounds, and how final it is."""

    task_id: Hex
    state: TaskWord
    epoch: int
    candidate_id: Hex
    decision_id: Hex | None
    executor: str
    node_id: Hex
    output: ArtifactView
    output_json: object
    """The output itself where it is JSON, is here and is small; else null."""
    evidence: tuple[ArtifactView, ...]
    summary: str
    approvals: int
    rejections: int
    median_score_bp: int | None
    finality: FinalityView | None
    decided_at: Time | None


@attrs.frozen(kw_only=True)
class ArtifactBody:
    """A body from the artifact store."""

    digest: str
    mime: str
    content: bytes
