"""The terms of a task, complete: every field is there, whoever resolved the defaults."""

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.policy import PolicyBinding

BY_RANK: Final = "by_rank"
"""The decider is the Committer of the pin with the smallest rank for the task."""


class Mode(enum.StrEnum):
    """Whether a task has one epoch or many."""

    ONE_SHOT = "one_shot"
    CONTINUOUS = "continuous"


class BudgetMode(enum.StrEnum):
    """Whether units are for the task's whole life or for each of its epochs."""

    LIFETIME = "lifetime"
    EPOCH_RENEW = "epoch_renew"


class Independence(enum.StrEnum):
    """How a verifier must differ from the proposer: by node, by (node, executor), or not at all."""

    NODE = "node"
    EXECUTOR = "executor"
    NONE = "none"


class Allocator(enum.StrEnum):
    """Who hands out places: nobody (whoever claims has one), or the task's creator."""

    OPEN = "open"
    CREATOR = "creator"


@attrs.frozen(kw_only=True)
class Places:
    """How many may hold a claim of each role at one time."""

    propose: int
    verify: int


@attrs.frozen(kw_only=True)
class StageUnits:
    """Cost units for each stage."""

    explore: int
    verify: int
    finalize: int


@attrs.frozen(kw_only=True)
class Reuse:
    """Bounds on using an earlier decision again."""

    max_attempts: int
    verify_time_ms: int
    verify_units: int


@attrs.frozen(kw_only=True)
class Settlement:
    """How reputation follows a decision.

    `w` and `k` are the implicit weight's count and half-way point, `p` the penalty's multiplier.
    """

    window_ms: int
    implicit_weight_bp: int
    w: int
    k: int
    p: int
    authority: NodeId


@attrs.frozen(kw_only=True)
class Contract:
    """The terms of a task. `inputs`, `output_schema` and the policy's parameters are JSON texts.

    Exactly one of `inputs` and `inputs_ref` is there; `decider` is none when it goes by rank.
    """

    name: str
    task_type: str
    inputs: str | None
    inputs_ref: ArtifactRef | None
    output_schema: str
    policy: PolicyBinding
    mode: Mode
    budget_mode: BudgetMode
    quorum_threshold: int
    da_quorum_threshold: int
    independence: Independence
    commit_reveal: bool
    allocator: Allocator
    decider: NodeId | None
    max_concurrency: Places
    max_proposers: int
    max_verifiers: int
    topk: int
    no_new_evidence_rounds: int
    max_attempts: int
    lease_ms: int
    time_ms: int
    commit_window_ms: int
    reveal_window_ms: int
    decision_window_ms: int
    decider_timeout_ms: int
    expires_at: int
    stage_units: StageUnits
    max_steps: int
    cost_units: int
    reuse: Reuse
    settlement: Settlement


def to_payload(contract: Contract) -> Mapping[str, Value]:
    """Return the map that stands for a contract in TASK_CREATED."""
    content: dict[str, Value] = {
        "name": contract.name,
        "task_type": contract.task_type,
        "output_schema": contract.output_schema,
        "policy": contract.policy.to_payload(),
        "mode": contract.mode.value,
        "budget_mode": contract.budget_mode.value,
        "quorum_threshold": contract.quorum_threshold,
        "da_quorum_threshold": contract.da_quorum_threshold,
        "independence": contract.independence.value,
        "commit_reveal": contract.commit_reveal,
        "allocator": contract.allocator.value,
        "decider": BY_RANK if contract.decider is None else contract.decider,
        "max_concurrency": attrs.asdict(contract.max_concurrency),
        "max_proposers": contract.max_proposers,
        "max_verifiers": contract.max_verifiers,
        "topk": contract.topk,
        "no_new_evidence_rounds": contract.no_new_evidence_rounds,
        "max_attempts": contract.max_attempts,
        "lease_ms": contract.lease_ms,
        "time_ms": contract.time_ms,
        "commit_window_ms": contract.commit_window_ms,
        "reveal_window_ms": contract.reveal_window_ms,
        "decision_window_ms": contract.decision_window_ms,
        "decider_timeout_ms": contract.decider_timeout_ms,
        "expires_at": contract.expires_at,
        "stage_units": attrs.asdict(contract.stage_units),
        "max_steps": contract.max_steps,
        "cost_units": contract.cost_units,
        "reuse": attrs.asdict(contract.reuse),
        "settlement": _settlement(contract.settlement),
    }
    if contract.inputs is not None:
        content["inputs"] = contract.inputs
    if contract.inputs_ref is not None:
        content["inputs_ref"] = contract.inputs_ref.to_payload()
    return content


def _settlement(settlement: Settlement) -> Mapping[str, Value]:
    return {
        "window_ms": settlement.window_ms,
        "implicit_weight_bp": settlement.implicit_weight_bp,
        "W": settlement.w,
        "K": settlement.k,
        "P": settlement.p,
        "authority": settlement.authority,
    }
