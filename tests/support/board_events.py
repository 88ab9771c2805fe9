"""Events of the board: one payload of every kind, and a short way to sign one."""

from collections.abc import Mapping

from wattswarm.kernel import board
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads.board import (
    BoardPayload,
    CheckpointCreated,
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
    FeedSubscriptionUpdated,
    LaneMark,
    Member,
    TaskAnnounced,
    TopicMessagePosted,
    write,
)
from wattswarm.kernel.signature import KeyPair

NETWORK = "local:board"
KEY = KeyPair.from_seed(b"\x05" * 32)
START_MS = 1_700_000_000_000
TASK, NAME, ROOT = EventId(b"t" * 32), EventId(b"n" * 32), Digest(b"r" * 32)
BODY = ArtifactRef(digest=f"blake3:{7:064x}", size_bytes=3_000, mime="text/plain")

SAMPLES: tuple[BoardPayload, ...] = (
    TopicMessagePosted(feed_key="news", text="hello"),
    TopicMessagePosted(feed_key="news", body=BODY, reply_to=NAME),
    FeedSubscriptionUpdated(feed_key="news", revision=1, active=True),
    FeedSubscriptionUpdated(
        feed_key="news",
        revision=2,
        active=False,
        gossip_kinds=("events", "messages"),
        provides=("live_gossip", "local_store"),
        retention_ms=86_400_000,
    ),
    TaskAnnounced(announcement_key="a:1", feed_key="market", task=TASK, revision=1),
    TaskAnnounced(
        announcement_key="a:1",
        feed_key="market",
        task=TASK,
        revision=2,
        summary="{}",
        detail=BODY,
    ),
    ExecutionIntentDeclared(
        task=TASK, execution_set="s", role_hint="executor", intent="accepted", revision=1
    ),
    ExecutionSetConfirmed(
        task=TASK,
        execution_set="s",
        members=(Member(NodeId(b"a" * 32), "executor"), Member(NodeId(b"b" * 32), "reviewer")),
        revision=3,
    ),
    CheckpointCreated(
        seq=9,
        chain=ROOT,
        lanes=(
            LaneMark("global", LaneClass.CONTROL, START_MS, 3, ROOT),
            LaneMark("global", LaneClass.WORK, START_MS, 6, ROOT),
        ),
    ),
)


def said(
    payload: BoardPayload,
    *,
    scope: str = "global",
    key: KeyPair = KEY,
    at_ms: int = START_MS,
    **fields: Value,
) -> Event:
    """Return the signed event that says it; `fields` stand in the payload beside it."""
    return event(payload.kind, {**write(payload), **fields}, scope=scope, key=key, at_ms=at_ms)


def event(
    kind: str,
    payload: Mapping[str, Value],
    *,
    scope: str = "global",
    key: KeyPair = KEY,
    at_ms: int = START_MS,
    lane_class: LaneClass | None = None,
) -> Event:
    """Return a signed event of a kind of the board, in its own class unless told otherwise."""
    draft = Draft(
        kind=kind,
        scope=scope,
        lane_class=board.KINDS[kind].lane_class if lane_class is None else lane_class,
        task_id=None,
        epoch=0,
        created_at=at_ms,
        payload=payload,
    )
    return draft.sign(NETWORK, key)
