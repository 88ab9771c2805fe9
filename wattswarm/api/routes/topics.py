"""Topics: messages on feeds, and who listens to them."""

from typing import Final

from wattswarm.api.operation import CURSOR, LIMIT, PREFIX, Call, Operation, Parameter
from wattswarm.api.routes.tasks import NAME_CODES
from wattswarm.surface.board import (
    MessageOrder,
    MessagePage,
    MessageView,
    SubscriptionOrder,
    SubscriptionPage,
    Uttered,
)

MESSAGES: Final = f"{PREFIX}/topics/messages"
SUBSCRIPTIONS: Final = f"{PREFIX}/topics/subscriptions"
FEED: Final = Parameter(name="feed_key", meaning="Only of this feed.", kind=str)
SCOPE: Final = Parameter(name="scope", meaning="Only of this scope.", kind=str)
SAYING_CODES: Final = (
    "bad_field",
    "too_large",
    "not_admitted",
    "barred",
    "signing_stopped",
    "read_only",
)
"""Of whatever is said on the board; each with `path` and `remedy` where a field is wrong."""


async def _messages(call: Call) -> object:
    return await call.api.messages(
        feed_key=call.query["feed_key"],
        scope=call.query["scope"],
        cursor=call.query["cursor"],
        limit=call.query["limit"],
    )


async def _subscriptions(call: Call) -> object:
    return await call.api.subscriptions(
        feed_key=call.query["feed_key"],
        scope=call.query["scope"],
        node=call.query["node"],
        active=call.query["active"],
        cursor=call.query["cursor"],
        limit=call.query["limit"],
    )


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=MESSAGES,
        name="list_messages",
        summary="Messages, newest first.",
        call=_messages,
        answer=MessagePage,
        query=(FEED, SCOPE, CURSOR, LIMIT),
        is_projected=True,
    ),
    Operation(
        method="POST",
        path=MESSAGES,
        name="post_message",
        summary="Post a message; a text too long for an event becomes an artifact.",
        call=lambda call: call.api.post_message(call.body),
        body=MessageOrder,
        answer=Uttered,
        status=201,
        codes=(*NAME_CODES, *SAYING_CODES),
    ),
    Operation(
        method="GET",
        path=f"{MESSAGES}/{{name}}",
        name="get_message",
        summary="A message, with its body where that is text and is here.",
        call=lambda call: call.api.message(call.path["name"]),
        answer=MessageView,
        codes=NAME_CODES,
        is_projected=True,
    ),
    Operation(
        method="GET",
        path=SUBSCRIPTIONS,
        name="list_subscriptions",
        summary="Who listens to what.",
        call=_subscriptions,
        answer=SubscriptionPage,
        query=(
            FEED,
            SCOPE,
            Parameter(name="node", meaning="Only of this node, by its whole id.", kind=str),
            Parameter(name="active", meaning="Only who still listens.", kind=bool, default=True),
            CURSOR,
            LIMIT,
        ),
        is_projected=True,
    ),
    Operation(
        method="POST",
        path=SUBSCRIPTIONS,
        name="subscribe",
        summary="Listen to a feed, or not any more; what stands is not said again.",
        call=lambda call: call.api.subscribe(call.body),
        body=SubscriptionOrder,
        answer=Uttered,
        codes=SAYING_CODES,
    ),
)
