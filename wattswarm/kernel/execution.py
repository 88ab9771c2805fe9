"""The name of one run of an executor: the same after every restart, so that none is paid twice."""

from wattswarm.kernel import canonical
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, EventId, TaskId
from wattswarm.kernel.records import Claim


def execution_id(task_id: TaskId, claim: Claim, candidate: EventId | None = None) -> str:
    """Return the idempotency key of a run: 64 hex digits.

    It is made of task, epoch, attempt, role, node and executor, and of the candidate when
    verifying: another claim of the same place goes on with the same run.
    """
    parts: list[canonical.Value] = [
        task_id,
        claim.label.epoch,
        claim.attempt,
        claim.role.value,
        claim.author,
        claim.executor,
    ]
    if candidate is not None:
        parts.append(candidate)
    return digest(Context.EXECUTION_ID, canonical.encode(parts)).hex()


def seed_id(execution: bytes) -> Digest:
    """Return the name under which is kept what an executor was told for a run of it."""
    return digest(Context.EXECUTION_ID, canonical.encode([execution, "seed"]))
