"""The kinds of the board as one table: class, fields, own rule, and the key of the last writer."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.payloads.board import (
    FORMS,
    BoardPayload,
    CheckpointCreated,
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
    FeedSubscriptionUpdated,
    TaskAnnounced,
    TopicMessagePosted,
)
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.verdict import Ignored

Judge: TypeAlias = "Callable[[Any, Event], Ignored | None]"

GLOBAL: Final = "global"

CHECKS: Final = (
    "wrong_class",
    "unknown_field, bad_field, inconsistent",
    "the kind's own rule",
    "what a statement voids",
)
"""The published order of checks; the first that fails is the verdict."""


def _anything(_payload: object, _event: Event) -> Ignored | None:
    """Every scope, and whatever the form allows."""
    return None


@attrs.frozen(kw_only=True)
class BoardKind:
    """What holds for one kind.

    Args:
        says: What its events say.
        judge: The kind's own rule: why the event has no effect, or None.
        codes: What the own rule may answer.
        last_writer: The fields that make the key of what a later event replaces, beside scope and
            author; the highest (revision, created_at, id) under one key stands. Empty: every event
            stands for itself.
    """

    says: type[BoardPayload]
    lane_class: LaneClass
    judge: Judge = _anything
    codes: tuple[str, ...] = ()
    last_writer: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The name of the kind."""
        return self.says.kind

    @property
    def form(self) -> Form[BoardPayload]:
        """Its fields."""
        return FORMS[self.kind]


def judge_checkpoint(checkpoint: CheckpointCreated, event: Event) -> Ignored | None:
    """A checkpoint states lanes of its own scope; one of scope `global`, of any."""
    if event.scope == GLOBAL or all(lane.scope == event.scope for lane in checkpoint.lanes):
        return None
    return Ignored("lane_out_of_scope")


KINDS: Final[Mapping[str, BoardKind]] = {
    each.kind: each
    for each in (
        BoardKind(says=TopicMessagePosted, lane_class=LaneClass.MESSAGES),
        BoardKind(
            says=FeedSubscriptionUpdated,
            lane_class=LaneClass.WORK,
            last_writer=("feed_key",),
        ),
        BoardKind(
            says=TaskAnnounced,
            lane_class=LaneClass.WORK,
            last_writer=("announcement_key",),
        ),
        BoardKind(
            says=ExecutionIntentDeclared,
            lane_class=LaneClass.WORK,
            last_writer=("task", "execution_set"),
        ),
        BoardKind(
            says=ExecutionSetConfirmed,
            lane_class=LaneClass.WORK,
            last_writer=("task", "execution_set"),
        ),
        BoardKind(
            says=CheckpointCreated,
            lane_class=LaneClass.CONTROL,
            judge=judge_checkpoint,
            codes=("lane_out_of_scope",),
        ),
    )
}
"""Kind → what holds for it."""
