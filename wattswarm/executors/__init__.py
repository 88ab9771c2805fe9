"""Executors: the services that do the work of tasks, and how a node calls them.

For a node: `client.connect`. For whoever writes an executor: `Executor`.
"""

from wattswarm.executors.contract import (
    BodyRef,
    ExecuteAnswer,
    ExecuteRequest,
    InlineEvidence,
    Judgement,
    Outcome,
    Progress,
    VerifyRequest,
)
from wattswarm.executors.policy_check import policy_judgement
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.sdk import Executor

__all__ = [
    "BodyRef",
    "ExecuteAnswer",
    "ExecuteRequest",
    "Executor",
    "InlineEvidence",
    "Judgement",
    "Outcome",
    "Progress",
    "VerifyRequest",
    "WorkRefused",
    "policy_judgement",
]
