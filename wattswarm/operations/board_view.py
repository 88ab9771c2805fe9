"""What stands on the board, as documents."""

from collections.abc import Callable, Sequence
from typing import Any

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads.board import (
    CheckpointCreated,
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
    FeedSubscriptionUpdated,
    TaskAnnounced,
    TopicMessagePosted,
)
from wattswarm.operations.event_view import hex_or_none
from wattswarm.store.board_reader import Place, Said, SubscriptionKey
from wattswarm.surface.board import (
    AnnouncementView,
    CheckpointView,
    ExecutionSetView,
    IntentView,
    LaneMarkView,
    MemberView,
    MessageView,
    SubscriptionView,
)
from wattswarm.surface.task import ArtifactView
from wattswarm.surface.words import when

IsHere = Callable[[ArtifactRef], bool]


def message_view(
    said: Said[TopicMessagePosted], is_here: IsHere, text: str | None = None
) -> MessageView:
    """Return a message; `text` is that of its body, where it was read."""
    payload = said.payload
    return MessageView(
        message_id=said.event_id.hex(),
        scope=said.scope,
        feed_key=payload.feed_key,
        author=said.author.hex(),
        created_at=when(said.created_at),
        reply_to=hex_or_none(payload.reply_to),
        text=payload.text if payload.text is not None else text,
        body=_artifact(payload.body, is_here),
    )


def subscription_view(said: Said[FeedSubscriptionUpdated]) -> SubscriptionView:
    """Return what a node said last about a feed."""
    payload = said.payload
    return SubscriptionView(
        event_id=said.event_id.hex(),
        scope=said.scope,
        node_id=said.author.hex(),
        feed_key=payload.feed_key,
        active=payload.active,
        revision=payload.revision,
        gossip_kinds=payload.gossip_kinds or (),
        provides=payload.provides or (),
        retention_ms=payload.retention_ms,
        created_at=when(said.created_at),
    )


def announcement_view(said: Said[TaskAnnounced], is_here: IsHere) -> AnnouncementView:
    """Return what stands under an announcement's key."""
    payload = said.payload
    return AnnouncementView(
        event_id=said.event_id.hex(),
        scope=said.scope,
        author=said.author.hex(),
        announcement_key=payload.announcement_key,
        feed_key=payload.feed_key,
        task_id=payload.task.hex(),
        revision=payload.revision,
        summary=payload.summary,
        detail=_artifact(payload.detail, is_here),
        created_at=when(said.created_at),
    )


def intent_view(said: Said[ExecutionIntentDeclared]) -> IntentView:
    """Return what a node means to do."""
    payload = said.payload
    return IntentView(
        event_id=said.event_id.hex(),
        scope=said.scope,
        node_id=said.author.hex(),
        execution_set=payload.execution_set,
        role_hint=payload.role_hint,
        intent=payload.intent,
        revision=payload.revision,
        created_at=when(said.created_at),
    )


def set_view(said: Said[ExecutionSetConfirmed]) -> ExecutionSetView:
    """Return whom a node confirmed."""
    payload = said.payload
    return ExecutionSetView(
        event_id=said.event_id.hex(),
        scope=said.scope,
        confirmed_by=said.author.hex(),
        execution_set=payload.execution_set,
        members=tuple(
            MemberView(node_id=member.node.hex(), role_hint=member.role_hint)
            for member in payload.members
        ),
        revision=payload.revision,
        created_at=when(said.created_at),
    )


def checkpoint_view(said: Said[CheckpointCreated]) -> CheckpointView:
    """Return a checkpoint."""
    payload = said.payload
    return CheckpointView(
        event_id=said.event_id.hex(),
        scope=said.scope,
        author=said.author.hex(),
        created_at=when(said.created_at),
        seq=payload.seq,
        chain=payload.chain.hex(),
        lanes=tuple(
            LaneMarkView(
                scope=lane.scope,
                lane_class=lane.lane_class.value,
                cut=when(lane.cut),
                events=lane.events,
                root=lane.root.hex(),
            )
            for lane in payload.lanes
        ),
    )


def _artifact(ref: ArtifactRef | None, is_here: IsHere) -> ArtifactView | None:
    if ref is None:
        return None
    return ArtifactView(
        digest=ref.digest, size_bytes=ref.size_bytes, mime=ref.mime, is_here=is_here(ref)
    )


# --- places in lists ------------------------------------------------------------------------------


def place_of(said: Said[Any]) -> Sequence[Value]:
    """Return where something is in a list that has the newest first."""
    return said.created_at, said.event_id


def as_place(parts: Sequence[Value]) -> Place | None:
    """Return what `place_of` gave, for whoever reads a list."""
    match parts:
        case [int() as created_at, bytes() as name]:
            return Place(created_at, EventId(name))
        case _:
            return None


def key_of(said: Said[FeedSubscriptionUpdated]) -> Sequence[Value]:
    """Return where a subscription is in a list by scope, node and feed."""
    return said.scope, said.author, said.payload.feed_key


def as_key(parts: Sequence[Value]) -> SubscriptionKey | None:
    """Return what `key_of` gave, for whoever reads a list."""
    match parts:
        case [str() as scope, bytes() as author, str() as feed_key]:
            return SubscriptionKey(scope, NodeId(author), feed_key)
        case _:
            return None
