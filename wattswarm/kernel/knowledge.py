"""Knowledge: what a final decision leaves behind for tasks that come later.

A precedent holds digests and the summary that the decision signed, never a body. Whether an earlier
decision answers a later task is asked of the digests: equal inputs, output schema and policy, its
parameters included. A task's own use of precedents is told by its candidates: each says which
decision it repeats, so that nothing is counted twice or forgotten.
"""

from typing import Final

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.contract import Contract
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.records import Decision, Label, Outcome
from wattswarm.kernel.reputation import is_bad, sealing
from wattswarm.kernel.state import TaskState

SIMILAR_MAX: Final = 5
"""Similar precedents that an executor is told of, beside one exact one."""

COMPARED_MAX: Final = 64
"""The newest precedents of a task type that are compared with a task's inputs."""

SIMILAR_BP_MIN: Final = 500
"""What has less in common than this is not similar."""


@attrs.frozen
class Question:
    """What a task asks, as digests: two tasks with the same question have the same answers."""

    task_type: str
    inputs: str
    schema: str
    policy: Digest


def question(terms: Contract) -> Question:
    """Return what a contract asks."""
    return Question(
        task_type=terms.task_type,
        inputs=inputs_digest(terms),
        schema=artifact_digest(terms.output_schema.encode()),
        policy=terms.policy.hash,
    )


def inputs_digest(terms: Contract) -> str:
    """Return the digest of a task's inputs: of the same bytes, inline or as an artifact."""
    if terms.inputs_ref is not None:
        return terms.inputs_ref.digest
    return artifact_digest((terms.inputs or "{}").encode())


@attrs.frozen(kw_only=True)
class Precedent:
    """A final decision, by what was asked and what came of it.

    `is_bad`: the settlement authority found the answer bad. `quorum` is that of the contract.
    """

    label: Label
    candidate: EventId
    decision: EventId
    question: Question
    policy_id: str
    output: ArtifactRef
    quorum: int
    approvals: int
    rejections: int
    decided_at: int
    is_bad: bool
    summary: str | None
    reuse_of: EventId | None


def precedents(state: TaskState) -> tuple[Precedent, ...]:
    """Return what a task's final epochs leave behind; nothing of those that are disputed."""
    found = (_of_outcome(state, each) for each in state.outcomes if not each.is_disputed)
    return tuple(each for each in found if each is not None)


def _of_outcome(state: TaskState, outcome: Outcome) -> Precedent | None:
    decision = _decision(state, outcome)
    if decision is None:
        return None
    candidate, terms = state.candidates[outcome.candidate], state.terms
    return Precedent(
        label=outcome.label,
        candidate=outcome.candidate,
        decision=decision.event_id,
        question=question(terms),
        policy_id=terms.policy.id,
        output=candidate.output,
        quorum=terms.quorum_threshold,
        approvals=decision.approvals,
        rejections=decision.rejections,
        decided_at=decision.created_at,
        is_bad=is_bad(state, outcome),
        summary=decision.summary,
        reuse_of=candidate.reuse_of,
    )


def _decision(state: TaskState, outcome: Outcome) -> Decision | None:
    """Return the decision that most finalizers signed by way of; of equals, the smaller id."""
    signers = sealing(state, outcome)
    name = min(signers, key=lambda each: (-len(signers[each]), each), default=None)
    return None if name is None else state.decisions[name]


# --- using precedents -----------------------------------------------------------------------------


def reuses(state: TaskState, label: Label) -> int:
    """Return how often a precedent was used for an epoch: candidates that say so."""
    return sum(
        each.reuse_of is not None and each.label == label for each in state.candidates.values()
    )


def may_reuse(state: TaskState, now_ms: int) -> bool:
    """Tell whether another precedent may be tried for the newest epoch, by the contract's bounds.

    Each try costs a verification: so many are paid for, and only in the epoch's first time.
    """
    label = state.label
    if label is None:
        return False
    terms, tried = state.terms.reuse, reuses(state, label)
    is_early = now_ms <= state.openings.get(label, state.created_at) + terms.verify_time_ms
    return tried < min(terms.max_attempts, terms.verify_units) and is_early


def rejected_outputs(state: TaskState) -> frozenset[str]:
    """Return the outputs that this task's verifiers rejected as repetitions."""
    return frozenset(each.output_digest for each in state.reuse_rejections.values())
