"""Documents about how answers turned out: feedback, reputation, precedents, repetitions."""

import attrs

from wattswarm.surface.task import (
    ContributionView,
    FeedbackView,
    ReuseRejectionView,
    TaskRow,
)
from wattswarm.surface.words import Hex, Time


@attrs.frozen(kw_only=True)
class PrecedentView:
    """A final decision, by what was asked and what came of it.

    `is_bad`: the settlement authority found the answer bad. `is_deprecated`: as many verifiers as
    its quorum rejected a repetition of it.
    """

    task_id: Hex
    epoch: int
    pin: Hex
    scope: str
    task_type: str
    candidate_id: Hex
    decision_id: Hex
    input_digest: str
    schema_digest: str
    policy_id: str
    policy_hash: Hex
    output_digest: str
    output_size_bytes: int
    output_mime: str
    summary: str
    quorum: int
    approvals: int
    rejections: int
    decided_at: Time
    is_bad: bool
    is_deprecated: bool
    reuse_of: Hex | None


@attrs.frozen(kw_only=True)
class KnowledgePage:
    """Precedents, newest first; `next` is the cursor of the next page."""

    items: tuple[PrecedentView, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class TaskKnowledge:
    """What a task left behind, and how that turned out."""

    task_id: Hex
    precedents: tuple[PrecedentView, ...]
    feedback: tuple[FeedbackView, ...]
    contributions: tuple[ContributionView, ...]
    reuse_rejections: tuple[ReuseRejectionView, ...]


@attrs.frozen(kw_only=True)
class SimilarView:
    """An earlier answer to a like question."""

    precedent: PrecedentView
    resemblance_bp: int


@attrs.frozen(kw_only=True)
class SimilarFound:
    """What was decided before on a task's question, and on like ones.

    `may_reuse`: the contract's bounds allow a repetition now. `rejected_outputs` are not to be
    given again.
    """

    task_id: Hex
    exact: tuple[PrecedentView, ...]
    similar: tuple[SimilarView, ...]
    rejected_outputs: tuple[str, ...]
    may_reuse: bool


@attrs.frozen(kw_only=True)
class ReputationView:
    """What the votes of a node came to, in a scope, with a provider's model.

    Units are 1/10 000 point, clamped to a million points; what is not due yet stands apart.
    """

    scope: str
    node_id: Hex
    provider: str
    model: str
    settled: int
    stability_units: int
    quality_units: int
    pending: int
    pending_stability_units: int
    pending_quality_units: int
    agreed: int
    bad: int


@attrs.frozen(kw_only=True)
class ReputationPage:
    """Reputation, by scope, node, provider and model; `next` is the cursor of the next page."""

    items: tuple[ReputationView, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class FeedbackGiven:
    """A task after feedback; `already` when it had been given."""

    task: TaskRow
    feedback: tuple[FeedbackView, ...]
    seq: int | None
    already: bool


@attrs.frozen(kw_only=True)
class ReuseRejected:
    """A task after the record of a rejected repetition; `already` when that stood before."""

    task: TaskRow
    reuse_rejections: tuple[ReuseRejectionView, ...]
    seq: int | None
    already: bool
