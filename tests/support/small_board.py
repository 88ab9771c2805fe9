"""The board of the small node: what was said, in memory."""

from abc import ABC, abstractmethod
from typing import Final

import attrs

from wattswarm.kernel.errors import Rejection
from wattswarm.surface import board
from wattswarm.surface.words import when

NOW: Final = 1_780_000_000_000
ME: Final = "07" * 32


@attrs.define(eq=False)
class SmallBoard(ABC):
    """The part of a `NodeApi` that belongs to no task; whoever has the log derives from it."""

    posted: list[board.MessageView] = attrs.field(factory=list[board.MessageView])
    listening: dict[tuple[str, str], board.SubscriptionView] = attrs.field(
        factory=dict[tuple[str, str], board.SubscriptionView]
    )
    offers: dict[str, board.AnnouncementView] = attrs.field(
        factory=dict[str, board.AnnouncementView]
    )
    signed: list[board.CheckpointView] = attrs.field(factory=list[board.CheckpointView])

    @abstractmethod
    async def append(self, kind: str, task_id: str | None) -> str:
        """Add an event to the log; return its id."""

    async def _say(self, kind: str, scope: str) -> board.Uttered:
        return board.Uttered(
            scope=scope, event_id=await self.append(kind, None), seq=1, already=False
        )

    async def post_message(self, order: board.MessageOrder) -> board.Uttered | Rejection:
        """Post a message."""
        if not order.text:
            return Rejection(code="bad_field", message="$.text: give some text")
        said = await self._say("TOPIC_MESSAGE_POSTED", order.scope)
        assert said.event_id is not None
        self.posted.append(
            board.MessageView(
                message_id=said.event_id,
                scope=order.scope,
                feed_key=order.feed_key,
                author=ME,
                created_at=when(NOW),
                reply_to=order.reply_to,
                text=order.text,
                body=None,
            )
        )
        return said

    async def messages(
        self, *, feed_key: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> board.MessagePage | Rejection:
        """Return messages; a cursor is how many were shown."""
        found = [
            each
            for each in reversed(self.posted)
            if feed_key in (None, each.feed_key) and scope in (None, each.scope)
        ]
        at = int(cursor or 0)
        more = len(found) > at + limit
        items = tuple(found[at : at + limit])
        return board.MessagePage(items=items, next=str(at + limit) if more else None)

    async def message(self, name: str) -> board.MessageView | Rejection:
        """Return a message."""
        for each in self.posted:
            if each.message_id.startswith(name):
                return each
        return Rejection(code="not_found", message=f"there is no message {name}")

    async def subscribe(self, order: board.SubscriptionOrder) -> board.Uttered | Rejection:
        """Listen to a feed."""
        before = self.listening.get((order.scope, order.feed_key))
        if order.active == (before is not None and before.active):
            return board.Uttered(scope=order.scope, event_id=None, seq=None, already=True)
        said = await self._say("FEED_SUBSCRIPTION_UPDATED", order.scope)
        self.listening[order.scope, order.feed_key] = board.SubscriptionView(
            event_id=said.event_id or "",
            scope=order.scope,
            node_id=ME,
            feed_key=order.feed_key,
            active=order.active,
            revision=1 if before is None else before.revision + 1,
            gossip_kinds=order.gossip_kinds,
            provides=order.provides,
            retention_ms=order.retention_ms,
            created_at=when(NOW),
        )
        return said

    async def subscriptions(
        self,
        *,
        feed_key: str | None,
        scope: str | None,
        node: str | None,
        active: bool,
        cursor: str | None,
        limit: int,
    ) -> board.SubscriptionPage | Rejection:
        """Return what stands."""
        items = tuple(
            each
            for each in self.listening.values()
            if feed_key in (None, each.feed_key)
            and scope in (None, each.scope)
            and node in (None, ME)
            and (each.active or not active)
        )
        return board.SubscriptionPage(items=items[:limit], next=cursor)

    async def announce_task(
        self, name: str, order: board.AnnouncementOrder
    ) -> board.Uttered | Rejection:
        """Announce a task."""
        said = await self._say("TASK_ANNOUNCED", order.scope or "global")
        key = order.announcement_key or name
        before = self.offers.get(key)
        self.offers[key] = board.AnnouncementView(
            event_id=said.event_id or "",
            scope=said.scope,
            author=ME,
            announcement_key=key,
            feed_key=order.feed_key,
            task_id=name,
            revision=1 if before is None else before.revision + 1,
            summary=order.summary,
            detail=None,
            created_at=when(NOW),
        )
        return said

    async def announcements_of_tasks(
        self,
        *,
        feed_key: str | None,
        scope: str | None,
        task: str | None,
        cursor: str | None,
        limit: int,
    ) -> board.AnnouncementPage | Rejection:
        """Return what stands."""
        items = tuple(
            each
            for each in self.offers.values()
            if feed_key in (None, each.feed_key)
            and scope in (None, each.scope)
            and task in (None, each.task_id)
        )
        return board.AnnouncementPage(items=items[:limit], next=cursor)

    async def declare_intent(
        self, name: str, order: board.IntentOrder
    ) -> board.Uttered | Rejection:
        """Say what this node means to do."""
        assert name
        return await self._say("EXECUTION_INTENT_DECLARED", order.scope or "global")

    async def confirm_set(self, name: str, order: board.SetOrder) -> board.Uttered | Rejection:
        """Confirm a set."""
        assert name
        return await self._say("EXECUTION_SET_CONFIRMED", order.scope or "global")

    async def execution_sets(self, name: str) -> board.ExecutionSets | Rejection:
        """Return one intent and one set."""
        member = board.MemberView(node_id=ME, role_hint="executor")
        intent = board.IntentView(
            event_id="e1" * 32,
            scope="global",
            node_id=ME,
            execution_set="s",
            role_hint="executor",
            intent="accepted",
            revision=1,
            created_at=when(NOW),
        )
        confirmed = board.ExecutionSetView(
            event_id="e2" * 32,
            scope="global",
            confirmed_by=ME,
            execution_set="s",
            members=(member,),
            revision=1,
            created_at=when(NOW),
        )
        return board.ExecutionSets(task_id=name, intents=(intent,), sets=(confirmed,))

    async def checkpoint(self, order: board.CheckpointOrder) -> board.Uttered | Rejection:
        """Sign a checkpoint."""
        said = await self._say("CHECKPOINT_CREATED", order.scope or "global")
        lane = board.LaneMarkView(
            scope=said.scope, lane_class="work", cut=when(NOW), events=1, root="aa" * 32
        )
        self.signed.append(
            board.CheckpointView(
                event_id=said.event_id or "",
                scope=said.scope,
                author=ME,
                created_at=when(NOW),
                seq=1,
                chain="00" * 32,
                lanes=(lane,),
            )
        )
        return said

    async def checkpoints(
        self, *, cursor: str | None, limit: int
    ) -> board.CheckpointPage | Rejection:
        """Return checkpoints."""
        items = tuple(reversed(self.signed))
        return board.CheckpointPage(items=items[:limit], next=cursor)
