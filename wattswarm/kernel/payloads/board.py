"""What events of the board say: those that belong to no task, each judged by itself."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from wattswarm.kernel.canonical import Value
from wattswarm.kernel.payloads import announcement, checkpoint, execution_set, form, topic
from wattswarm.kernel.payloads.announcement import TaskAnnounced
from wattswarm.kernel.payloads.checkpoint import CheckpointCreated, LaneMark
from wattswarm.kernel.payloads.execution_set import (
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
    Member,
)
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.payloads.topic import FeedSubscriptionUpdated, TopicMessagePosted

__all__ = [
    "FORMS",
    "KINDS",
    "BoardPayload",
    "CheckpointCreated",
    "ExecutionIntentDeclared",
    "ExecutionSetConfirmed",
    "FeedSubscriptionUpdated",
    "LaneMark",
    "Member",
    "TaskAnnounced",
    "TopicMessagePosted",
    "read",
    "write",
]

BoardPayload: TypeAlias = (
    TopicMessagePosted
    | FeedSubscriptionUpdated
    | TaskAnnounced
    | ExecutionIntentDeclared
    | ExecutionSetConfirmed
    | CheckpointCreated
)

FORMS: Final[Mapping[str, Form[BoardPayload]]] = {
    each.kind: each
    for each in (
        *topic.FORMS,
        *announcement.FORMS,
        *execution_set.FORMS,
        *checkpoint.FORMS,
    )
}

KINDS: Final = frozenset(FORMS)
"""The kinds of events that belong to no task and have a meaning, governance apart."""


def read(kind: str, payload: Mapping[str, Value]) -> BoardPayload:
    """Return what an event of a kind of the board says.

    Raises:
        Malformed: `unknown_field`, `bad_field` or `inconsistent`, with the path.
    """
    return FORMS[kind].read(payload)


def write(payload: BoardPayload) -> Mapping[str, Value]:
    """Return the map that stands for a payload in an event."""
    return form.write(payload)
