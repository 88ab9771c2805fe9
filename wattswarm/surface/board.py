"""Documents about the board: topics, announcements, execution sets, checkpoints."""

from typing import Literal

import attrs

from wattswarm.surface.task import ArtifactView
from wattswarm.surface.words import Hex, Time

GossipKind = Literal["checkpoints", "events", "messages", "rules", "summaries"]
Service = Literal["history_backfill", "live_gossip", "local_store"]


@attrs.frozen(kw_only=True)
class Uttered:
    """What was said stands in the log; `already` when it stood before, and nothing was signed."""

    scope: str
    event_id: Hex | None
    seq: int | None
    already: bool


@attrs.frozen(kw_only=True)
class MessageView:
    """A message on a feed; `text` is null when it is a body that is not shown here."""

    message_id: Hex
    scope: str
    feed_key: str
    author: Hex
    created_at: Time
    reply_to: Hex | None
    text: str | None
    body: ArtifactView | None


@attrs.frozen(kw_only=True)
class MessagePage:
    """Messages, newest first; `next` is the cursor of the next page."""

    items: tuple[MessageView, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class SubscriptionView:
    """What stands of a node about a feed."""

    event_id: Hex
    scope: str
    node_id: Hex
    feed_key: str
    active: bool
    revision: int
    gossip_kinds: tuple[str, ...]
    provides: tuple[str, ...]
    retention_ms: int | None
    created_at: Time


@attrs.frozen(kw_only=True)
class SubscriptionPage:
    """Subscriptions by scope, node and feed; `next` is the cursor of the next page."""

    items: tuple[SubscriptionView, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class AnnouncementView:
    """What stands of a node under a key about a task that somebody may want to work on."""

    event_id: Hex
    scope: str
    author: Hex
    announcement_key: str
    feed_key: str
    task_id: Hex
    revision: int
    summary: str | None
    detail: ArtifactView | None
    created_at: Time


@attrs.frozen(kw_only=True)
class AnnouncementPage:
    """Announcements, newest first; `next` is the cursor of the next page."""

    items: tuple[AnnouncementView, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class MemberView:
    """A member of an execution set."""

    node_id: Hex
    role_hint: str


@attrs.frozen(kw_only=True)
class IntentView:
    """What a node said last that it means to do."""

    event_id: Hex
    scope: str
    node_id: Hex
    execution_set: str
    role_hint: str
    intent: str
    revision: int
    created_at: Time


@attrs.frozen(kw_only=True)
class ExecutionSetView:
    """Whom a node holds for the members of an execution set."""

    event_id: Hex
    scope: str
    confirmed_by: Hex
    execution_set: str
    members: tuple[MemberView, ...]
    revision: int
    created_at: Time


@attrs.frozen(kw_only=True)
class ExecutionSets:
    """Who means to work on a task together, and who was confirmed, by set and node."""

    task_id: Hex
    intents: tuple[IntentView, ...]
    sets: tuple[ExecutionSetView, ...]


@attrs.frozen(kw_only=True)
class LaneMarkView:
    """A lane in a checkpoint: how many events dated before `cut`, and the root over them."""

    scope: str
    lane_class: str
    cut: Time
    events: int
    root: Hex


@attrs.frozen(kw_only=True)
class CheckpointView:
    """What a node held when its log ended at `seq`."""

    event_id: Hex
    scope: str
    author: Hex
    created_at: Time
    seq: int
    chain: Hex
    lanes: tuple[LaneMarkView, ...]


@attrs.frozen(kw_only=True)
class CheckpointPage:
    """Checkpoints, newest first; `next` is the cursor of the next page."""

    items: tuple[CheckpointView, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class MessageOrder:
    """A message to be posted; a text that is too long for an event becomes an artifact."""

    feed_key: str
    text: str
    scope: str = "global"
    reply_to: str | None = None
    """The message that it answers: its id, or a unique prefix."""
    mime: str = "text/plain"
    """Of a text that becomes an artifact."""


@attrs.frozen(kw_only=True)
class SubscriptionOrder:
    """To listen to a feed, or not any more."""

    feed_key: str
    scope: str = "global"
    active: bool = True
    gossip_kinds: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    retention_ms: int | None = None


@attrs.frozen(kw_only=True)
class AnnouncementOrder:
    """A task to be announced."""

    feed_key: str
    scope: str | None = None
    """The task's own when it is not given."""
    announcement_key: str | None = None
    """The task's id when it is not given; what is announced under the same key is a revision."""
    summary: str | None = None
    detail: str | None = None
    """The digest of an artifact that is here."""


@attrs.frozen(kw_only=True)
class IntentOrder:
    """What this node means to do in an execution set."""

    execution_set: str
    intent: str
    role_hint: str = "executor"
    scope: str | None = None


@attrs.frozen(kw_only=True)
class SetOrder:
    """Whom this node holds for the members of an execution set."""

    execution_set: str
    members: tuple[MemberView, ...]
    scope: str | None = None


@attrs.frozen(kw_only=True)
class CheckpointOrder:
    """Which lanes to state: those of one scope, said in that scope, or all of them, in `global`."""

    scope: str | None = None
