"""Reads the board: messages, and of subscriptions, announcements and sets what stands."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.event import LaneClass
from wattswarm.kernel.ids import Digest, EventId, NodeId, TaskId
from wattswarm.kernel.payloads.board import (
    CheckpointCreated,
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
    FeedSubscriptionUpdated,
    LaneMark,
    Member,
    TaskAnnounced,
    TopicMessagePosted,
)
from wattswarm.store.connection import Connection, translated
from wattswarm.store.queries import load, may_match

BOARD: Final = load("board")
ID_NIBBLES: Final = 64
P = TypeVar("P", covariant=True)


@attrs.frozen(kw_only=True)
class Said(Generic[P]):
    """What an event of the board says, and who says it where and when."""

    event_id: EventId
    scope: str
    author: NodeId
    created_at: int
    payload: P


@attrs.frozen
class Place:
    """The last item of a page of what is listed newest first; the next page has older ones."""

    created_at: int
    event_id: EventId


@attrs.frozen
class SubscriptionKey:
    """The last item of a page of subscriptions; the next page has those after it."""

    scope: str
    author: NodeId
    feed_key: str


@attrs.frozen
class BoardReader:
    """Reads through a connection that somebody else owns, on that one's thread."""

    connection: Connection

    def messages(
        self,
        *,
        limit: int,
        before: Place | None = None,
        scope: str | None = None,
        feed_key: str | None = None,
    ) -> tuple[Said[TopicMessagePosted], ...]:
        """Return the newest messages, or those older than a place; a filter that is given fits."""
        values = {"limit": limit, "scope": scope, "feed_key": feed_key, **_place(before)}
        return self._said("messages", values, _message)

    def message(self, event_id: EventId) -> Said[TopicMessagePosted] | None:
        """Return a message, if it is projected and has effect."""
        found = self._said("message", {"event_id": event_id}, _message)
        return found[0] if found else None

    def find_messages(self, prefix: str, *, limit: int = 2) -> tuple[EventId, ...]:
        """Return the messages whose id begins with these hex digits (1 to 64, lower case)."""
        assert 0 < len(prefix) <= ID_NIBBLES, prefix
        first = bytes.fromhex(prefix.ljust(ID_NIBBLES, "0"))
        last = bytes.fromhex(prefix.ljust(ID_NIBBLES, "f"))
        rows = self._rows("find_messages", {"first": first, "last": last, "limit": limit})
        return tuple(EventId(name) for (name,) in rows)

    def verdict(self, event_id: EventId) -> str | None:
        """Return the code for which an event of the board is ignored; None for any other."""
        found = self._rows("verdict", {"event_id": event_id})
        return found[0][0] if found else None

    def subscriptions(
        self,
        *,
        limit: int,
        after: SubscriptionKey | None = None,
        scope: str | None = None,
        author: NodeId | None = None,
        feed_key: str | None = None,
        active: bool = True,
    ) -> tuple[Said[FeedSubscriptionUpdated], ...]:
        """Return what stands by scope, author and feed; with `active`, only who still listens."""
        values = {
            "limit": limit,
            "scope": scope,
            "author": author,
            "feed_key": feed_key,
            "active": active,
            "after_scope": None if after is None else after.scope,
            "after_author": None if after is None else after.author,
            "after_feed": None if after is None else after.feed_key,
        }
        return self._said("subscriptions", values, _subscription)

    def announcements(
        self,
        *,
        limit: int,
        before: Place | None = None,
        scope: str | None = None,
        author: NodeId | None = None,
        feed_key: str | None = None,
        announcement_key: str | None = None,
        task_id: TaskId | None = None,
    ) -> tuple[Said[TaskAnnounced], ...]:
        """Return the newest announcements that stand, or those older than a place."""
        values = {
            "limit": limit,
            "scope": scope,
            "author": author,
            "feed_key": feed_key,
            "announcement_key": announcement_key,
            "task_id": task_id,
            **_place(before),
        }
        return self._said("announcements", values, _announcement)

    def intents(
        self,
        task_id: TaskId,
        *,
        limit: int,
        scope: str | None = None,
        author: NodeId | None = None,
        execution_set: str | None = None,
    ) -> tuple[Said[ExecutionIntentDeclared], ...]:
        """Return what stands of what nodes mean to do for a task."""
        values = _of_task(task_id, limit, scope, author, execution_set)
        return self._said("intents", values, _intent)

    def sets(
        self,
        task_id: TaskId,
        *,
        limit: int,
        scope: str | None = None,
        author: NodeId | None = None,
        execution_set: str | None = None,
    ) -> tuple[Said[ExecutionSetConfirmed], ...]:
        """Return what stands of whom nodes hold for the members of a task's execution sets."""
        values = _of_task(task_id, limit, scope, author, execution_set)
        return self._said("sets", values, _set)

    def checkpoints(
        self, *, limit: int, before: Place | None = None
    ) -> tuple[Said[CheckpointCreated], ...]:
        """Return the newest checkpoints, or those older than a place."""
        values = {"limit": limit, **_place(before)}
        found = self._said("checkpoints", values, _checkpoint)
        return tuple(attrs.evolve(said, payload=self._with_lanes(said)) for said in found)

    def _with_lanes(self, said: Said[CheckpointCreated]) -> CheckpointCreated:
        rows = self._rows("checkpoint_lanes", {"event_id": said.event_id})
        lanes = tuple(
            LaneMark(scope, LaneClass(name), cut, events, Digest(root))
            for scope, name, cut, events, root in rows
        )
        return attrs.evolve(said.payload, lanes=lanes)

    def _said(
        self, query: str, values: Mapping[str, object], payload: Callable[..., P]
    ) -> tuple[Said[P], ...]:
        """Return what a query finds; `payload` takes the columns behind who, where and when."""
        return tuple(
            Said(
                event_id=EventId(event_id),
                scope=scope,
                author=NodeId(author),
                created_at=created_at,
                payload=payload(*columns),
            )
            for event_id, scope, author, created_at, *columns in self._rows(query, values)
        )

    def _rows(self, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        if not may_match(values.values()):
            return []
        with translated():
            return self.connection.execute(BOARD[query], values, binary=True).fetchall()


def _place(before: Place | None) -> Mapping[str, object]:
    if before is None:
        return {"before_at": None, "before_id": None}
    return {"before_at": before.created_at, "before_id": before.event_id}


def _of_task(
    task_id: TaskId,
    limit: int,
    scope: str | None,
    author: NodeId | None,
    execution_set: str | None,
) -> Mapping[str, object]:
    return {
        "task_id": task_id,
        "limit": limit,
        "scope": scope,
        "author": author,
        "execution_set": execution_set,
    }


def _ref(digest: str | None, size_bytes: int | None, mime: str | None) -> ArtifactRef | None:
    if digest is None or size_bytes is None or mime is None:
        return None
    return ArtifactRef(digest=digest, size_bytes=size_bytes, mime=mime)


def _words(joined: str | None) -> tuple[str, ...] | None:
    if joined is None:
        return None
    return tuple(joined.split(",")) if joined else ()


def _message(
    feed_key: str,
    reply_to: bytes | None,
    text: str | None,
    *body: Any,
) -> TopicMessagePosted:
    return TopicMessagePosted(
        feed_key=feed_key,
        text=text,
        body=_ref(*body),
        reply_to=None if reply_to is None else EventId(reply_to),
    )


def _subscription(
    feed_key: str,
    revision: int,
    active: bool,
    gossip_kinds: str | None,
    provides: str | None,
    retention_ms: int | None,
) -> FeedSubscriptionUpdated:
    return FeedSubscriptionUpdated(
        feed_key=feed_key,
        revision=revision,
        active=active,
        gossip_kinds=_words(gossip_kinds),
        provides=_words(provides),
        retention_ms=retention_ms,
    )


def _announcement(
    announcement_key: str,
    feed_key: str,
    task_id: bytes,
    revision: int,
    summary: str | None,
    *detail: Any,
) -> TaskAnnounced:
    return TaskAnnounced(
        announcement_key=announcement_key,
        feed_key=feed_key,
        task=EventId(task_id),
        revision=revision,
        summary=summary,
        detail=_ref(*detail),
    )


def _intent(
    task_id: bytes,
    execution_set: str,
    revision: int,
    role_hint: str,
    intent: str,
) -> ExecutionIntentDeclared:
    return ExecutionIntentDeclared(
        task=EventId(task_id),
        execution_set=execution_set,
        role_hint=role_hint,
        intent=intent,
        revision=revision,
    )


def _set(
    task_id: bytes,
    execution_set: str,
    revision: int,
    nodes: list[bytes],
    role_hints: list[str],
) -> ExecutionSetConfirmed:
    members = zip(nodes, role_hints, strict=True)
    return ExecutionSetConfirmed(
        task=EventId(task_id),
        execution_set=execution_set,
        members=tuple(Member(NodeId(node), role_hint) for node, role_hint in members),
        revision=revision,
    )


def _checkpoint(seq: int, chain: bytes) -> CheckpointCreated:
    return CheckpointCreated(seq=seq, chain=Digest(chain), lanes=())
