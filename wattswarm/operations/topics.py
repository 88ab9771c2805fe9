"""Topics: messages on feeds, and who listens to them."""

import re
from functools import partial
from typing import Final

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide import board as decide
from wattswarm.kernel.decide.board import Speaker
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import TOPIC_TEXT_BYTES_MAX
from wattswarm.kernel.payloads.board import TopicMessagePosted
from wattswarm.operations import cursors
from wattswarm.operations.board_view import (
    as_key,
    as_place,
    key_of,
    message_view,
    place_of,
    subscription_view,
)
from wattswarm.operations.bodies import Bodies
from wattswarm.operations.naming import as_event_id, as_node_id, find_message
from wattswarm.operations.voice import Voice
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.board_reader import BoardReader, Said
from wattswarm.store.connection import Connection
from wattswarm.store.pool import Reads
from wattswarm.surface.board import (
    MessageOrder,
    MessagePage,
    MessageView,
    SubscriptionOrder,
    SubscriptionPage,
    Uttered,
)

SHOWN_BYTES_MAX: Final = 1_048_576
"""Of a message's body; a larger one is fetched as an artifact."""

MIME: Final = re.compile(r"[\w.+-]+/[\w.+-]+\Z", re.ASCII)


@attrs.define(eq=False, kw_only=True)
class Topics:
    """`TopicOperations` over the projections and the artifact store."""

    reads: Reads
    artifacts: ArtifactStore
    bodies: Bodies
    voice: Voice

    # --- messages -------------------------------------------------------------------------------

    async def post_message(self, order: MessageOrder) -> Uttered | Rejection:
        """Post a message; what is too long for an event is stored as an artifact first."""
        if not MIME.match(order.mime):
            return _bad("mime", "a media type is TYPE/SUBTYPE, such as text/markdown")
        say = self.voice.say if order.reply_to is None else self.voice.revise
        content = order.text.encode()
        if len(content) <= TOPIC_TEXT_BYTES_MAX:
            return await say(order.scope, partial(_post, order, None))
        tried = await say(order.scope, partial(_try, order))
        if isinstance(tried, Rejection):
            return tried
        body = await self.reads.run(lambda _: self.artifacts.put(content, order.mime))
        return await say(order.scope, partial(_post, order, body))

    async def messages(
        self, *, feed_key: str | None, scope: str | None, cursor: str | None, limit: int
    ) -> MessagePage | Rejection:
        """Return messages, newest first; those with a body are without their text."""
        before = cursors.read(cursor, as_place)
        if isinstance(before, Rejection):
            return before

        def look(connection: Connection) -> MessagePage:
            found = BoardReader(connection).messages(
                limit=limit + 1, before=before, scope=scope, feed_key=feed_key
            )
            return MessagePage(
                items=tuple(message_view(each, self.bodies.is_here) for each in found[:limit]),
                next=cursors.next_of(found, limit, place_of),
            )

        return await self.reads.run(look)

    async def message(self, name: str) -> MessageView | Rejection:
        """Return a message with its body, when that is text, is here and is not too large."""

        def look(connection: Connection) -> MessageView | Rejection:
            found = _find(BoardReader(connection), name)
            if isinstance(found, Rejection):
                return found
            return message_view(found, self.bodies.is_here, self._text(found.payload.body))

        found = await self.reads.run(look)
        if isinstance(found, Rejection) and await self.voice.wait_projected() is None:
            return await self.reads.run(look)  # it may have been posted a moment ago
        return found

    def _text(self, body: ArtifactRef | None) -> str | None:
        if body is None or body.size_bytes > SHOWN_BYTES_MAX:
            return None
        content = self.bodies.read(body)
        try:
            return None if content is None else content.decode()
        except UnicodeDecodeError:
            return None

    # --- subscriptions --------------------------------------------------------------------------

    async def subscribe(self, order: SubscriptionOrder) -> Uttered | Rejection:
        """Listen to a feed, or not any more; what stands already is not said again."""
        return await self.voice.revise(order.scope, partial(_subscribe, order))

    async def subscriptions(
        self,
        *,
        feed_key: str | None,
        scope: str | None,
        node: str | None,
        active: bool,
        cursor: str | None,
        limit: int,
    ) -> SubscriptionPage | Rejection:
        """Return what stands by scope, node and feed."""
        after = cursors.read(cursor, as_key)
        if isinstance(after, Rejection):
            return after
        author = None if node is None else as_node_id(node)
        if node is not None and author is None:
            return _bad("node", "a node's id has 64 lower-case hex digits")

        def look(connection: Connection) -> SubscriptionPage:
            found = BoardReader(connection).subscriptions(
                limit=limit + 1,
                after=after,
                scope=scope,
                author=author,
                feed_key=feed_key,
                active=active,
            )
            return SubscriptionPage(
                items=tuple(map(subscription_view, found[:limit])),
                next=cursors.next_of(found, limit, key_of),
            )

        return await self.reads.run(look)


def _post(
    order: MessageOrder, body: ArtifactRef | None, speaker: Speaker, board: BoardReader
) -> Signings | Rejection:
    named: tuple[EventId | None, int] | Rejection = (None, 0)
    if order.reply_to is not None:
        named = _answered(board, order.reply_to)
    if isinstance(named, Rejection):
        return named
    reply_to, reply_to_ms = named
    return decide.post(
        speaker,
        order.feed_key,
        text=order.text if body is None else None,
        body=body,
        reply_to=reply_to,
        reply_to_ms=reply_to_ms,
    )


def _try(order: MessageOrder, speaker: Speaker, board: BoardReader) -> Signings | Rejection:
    """Say nothing, but refuse what would be refused with a short text: then nothing is stored."""
    answer = _post(attrs.evolve(order, text="."), None, speaker, board)
    return answer if isinstance(answer, Rejection) else ()


def _answered(board: BoardReader, name: str) -> tuple[EventId, int] | Rejection:
    """Return the message that is answered and its date: one that is unknown has a full name."""
    event_id = as_event_id(name)
    if event_id is None:
        found = find_message(board, name)
        if isinstance(found, Rejection):
            return found
        event_id = found
    said = board.message(event_id)
    return event_id, 0 if said is None else said.created_at


def _find(board: BoardReader, name: str) -> Said[TopicMessagePosted] | Rejection:
    event_id = as_event_id(name) or find_message(board, name)
    if isinstance(event_id, Rejection):
        return event_id
    said = board.message(event_id)
    if said is not None:
        return said
    code = board.verdict(event_id)
    reason = "" if code is None else f"; it is ignored ({code}): {CODES.get(code, code)}"
    return Rejection(code="not_found", message=f"there is no message {name} here{reason}")


def _subscribe(
    order: SubscriptionOrder, speaker: Speaker, board: BoardReader
) -> Signings | Rejection:
    found = board.subscriptions(
        limit=1, scope=speaker.scope, author=speaker.me, feed_key=order.feed_key, active=False
    )
    return decide.subscribe(
        speaker,
        order.feed_key,
        found[0].payload if found else None,
        active=order.active,
        gossip_kinds=order.gossip_kinds,
        provides=order.provides,
        retention_ms=order.retention_ms,
    )


def _bad(parameter: str, message: str) -> Rejection:
    return Rejection(code="bad_parameter", message=message, details={"path": f"$.{parameter}"})
