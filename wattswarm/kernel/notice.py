"""The rule of the notice that a task expired: true by its date, and without effect on the task.

Whether a task has expired is a view of its contract and the time. Anybody may say so once it has.
"""

from wattswarm.kernel.payloads.notice import TaskExpired
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, ignored, in_epoch, waits
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Need, On


def judge(entry: Entry[TaskExpired], state: TaskState) -> Hold | None:
    """Return why the notice is not one, or None."""
    if not state.is_effective:
        return waits(Need(On.EVENT, state.task_id))
    event = entry.event
    hold = in_epoch(event, state)
    if hold is not None:
        return hold
    return ignored("not_expired") if event.created_at <= state.terms.expires_at else None


def apply(entry: Entry[TaskExpired], state: TaskState) -> Provided:
    """Leave the task as it is."""
    return ()


RULES = (Rule(TaskExpired.kind, "anybody", judge, apply, in_task=False),)
