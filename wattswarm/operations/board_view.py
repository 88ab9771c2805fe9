"""What stands on the board, as documents."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final

from wattswarm.kernel import canonical
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import CREATED_AT_MAX
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

CURSOR_BYTES_MAX: Final = 1_024
BAD_CURSOR: Final = Rejection(
    code="bad_parameter",
    message="the cursor is not one that this node gave: begin again without it",
)

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


# --- cursors --------------------------------------------------------------------------------------


def write_place(said: Said[Any]) -> str:
    """Return the cursor of the page after this, of what is listed newest first."""
    return _write([said.created_at, said.event_id])


def read_place(cursor: str | None) -> Place | Rejection | None:
    """Return where a page begins; a refusal of what is no cursor of ours."""
    match _read(cursor):
        case None:
            return None
        case [int() as created_at, bytes() as name] if created_at <= CREATED_AT_MAX:
            return Place(created_at, EventId(name))
        case _:
            return BAD_CURSOR


def write_key(said: Said[FeedSubscriptionUpdated]) -> str:
    """Return the cursor of the page after this subscription."""
    return _write([said.scope, said.author, said.payload.feed_key])


def read_key(cursor: str | None) -> SubscriptionKey | Rejection | None:
    """Return where a page of subscriptions begins; see `read_place`."""
    match _read(cursor):
        case None:
            return None
        case [str() as scope, bytes() as author, str() as feed_key]:
            return SubscriptionKey(scope, NodeId(author), feed_key)
        case _:
            return BAD_CURSOR


def _write(parts: list[Value]) -> str:
    return urlsafe_b64encode(canonical.encode(parts)).rstrip(b"=").decode()


def _read(cursor: str | None) -> Value | None:
    """Return the parts of a cursor; an empty list for what is none, None without one."""
    if cursor is None:
        return None
    try:
        content = urlsafe_b64decode(cursor.encode("ascii") + b"==")
        return canonical.decode(content, bytes_max=CURSOR_BYTES_MAX)
    except (binascii.Error, ValueError, Malformed):
        return []
