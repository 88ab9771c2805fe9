"""The rules of failures and of attempts anew: opening an attempt closes and clears nothing."""

from wattswarm.kernel.payloads.attempt import TaskError, TaskRetryScheduled
from wattswarm.kernel.records import Failure, Label, Retry
from wattswarm.kernel.rule import (
    Entry,
    Hold,
    Provided,
    Rule,
    ignored,
    not_in_label,
    own_claim,
    waits,
)
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Need, On
from wattswarm.kernel.version import Role


def judge_error(entry: Entry[TaskError], state: TaskState) -> Hold | None:
    """Return why an error has no effect, or None: it needs its author's own claim, no lease."""
    failed = entry.payload
    claim = own_claim(failed.claim, entry.event, state)
    return claim if isinstance(claim, Hold) else None


def apply_error(entry: Entry[TaskError], state: TaskState) -> Provided:
    """Write the failure."""
    event, failed = entry.event, entry.payload
    state.errors[event.event_id] = Failure(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        claim=failed.claim,
        reason=failed.reason,
        reason_codes=failed.reason_codes,
        message=failed.message,
    )
    return ()


def judge_retry(entry: Entry[TaskRetryScheduled], state: TaskState) -> Hold | None:
    """Return why a retry opens nothing, or None."""
    event, retried = entry.event, entry.payload
    label = Label(event.epoch, retried.pin)
    hold = not_in_label(label, state)
    if hold is not None:
        return hold
    if not state.versions[label.pin].holds(event.author, Role.COMMITTER):
        return ignored("missing_role")
    if retried.from_attempt >= state.terms.max_attempts:
        return ignored("no_such_attempt")
    if retried.from_attempt > state.attempts[label]:
        return waits(Need(On.ATTEMPT, retried.pin, event.epoch, retried.from_attempt))
    return None


def apply_retry(entry: Entry[TaskRetryScheduled], state: TaskState) -> Provided:
    """Open the next attempt."""
    event, retried = entry.event, entry.payload
    label = Label(event.epoch, retried.pin)
    state.retries[event.event_id] = Retry(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        label=label,
        from_attempt=retried.from_attempt,
        run_at=retried.run_at,
        reason=retried.reason,
    )
    opened = retried.from_attempt + 1
    state.attempts[label] = max(state.attempts[label], opened)
    return (Need(On.ATTEMPT, label.pin, label.epoch, opened),)


RULES = (
    Rule(TaskError.kind, "whoever made the claim", judge_error, apply_error),
    Rule(
        TaskRetryScheduled.kind, "a committer of the pin", judge_retry, apply_retry, voidable=False
    ),
)
