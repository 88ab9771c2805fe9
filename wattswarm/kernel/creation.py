"""The rule of TASK_CREATED: a task exists under the governance version that it names."""

from wattswarm.kernel.payloads.task import TaskCreated
from wattswarm.kernel.records import Label
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, ignored
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import RULES_VERSION, Role


def judge(entry: Entry[TaskCreated], state: TaskState) -> Hold | None:
    """Return why the task is not created, or None.

    The machine has seen to it that the version of the pin is known.
    """
    event, created, version = entry.event, entry.payload, state.versions[entry.payload.pin]
    if event.epoch != 1:
        return ignored("wrong_epoch")
    if event.created_at > created.contract.expires_at:
        return ignored("after_expiry")
    if version.rules_version != RULES_VERSION:
        return ignored("unsupported_rules")
    if not version.holds(event.author, Role.PROPOSER):
        return ignored("missing_role")
    if not version.registers(created.contract.policy):
        return ignored("policy_not_registered")
    return None


def apply(entry: Entry[TaskCreated], state: TaskState) -> Provided:
    """Write that the task is created, with its first attempt open."""
    created = entry.payload
    state.is_effective = True
    state.attempts.setdefault(Label(1, created.pin), 1)
    return ()


RULES = (Rule(TaskCreated.kind, "a proposer of the pin", judge, apply, in_task=False),)
