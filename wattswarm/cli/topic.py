"""`wattswarm topic …`: post messages on feeds, read and follow them, and subscribe."""

from typing import Annotated, Final

from cyclopts import App, Parameter

from wattswarm.cli.failure import usage
from wattswarm.cli.input_file import read_text
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session

app = App(name="topic", help="Post messages on feeds, read and follow them, and subscribe.")

MESSAGES: Final = "/topics/messages"
SUBSCRIPTIONS: Final = "/topics/subscriptions"
GLOBAL: Final = "global"


@app.command
def post(
    feed: str,
    text: str | None = None,
    /,
    *,
    file: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    scope: str = GLOBAL,
    reply_to: str | None = None,
    mime: str = "text/plain",
    session: Here,
) -> None:
    """Post a message on a feed; one that is too long for an event becomes an artifact.

    Args:
        feed: The feed's key.
        text: What to say; or else `--file`.
        file: A file with what to say; `-` reads stdin.
        scope: Who it concerns: global, region:ID, group:ID or node:ID.
        reply_to: The message that it answers: its id, or a unique prefix.
        mime: The media type of a text that becomes an artifact.
    """
    from wattswarm.cli.views.board import uttered_view
    from wattswarm.surface.board import Uttered

    if (text is None) == (file is None):
        raise usage("a message is a TEXT or a --file, and one of them only")
    said = read_text(file) if file is not None else text
    order = {
        "feed_key": feed,
        "text": said,
        "scope": scope,
        "reply_to": reply_to,
        "mime": mime,
    }
    with session.client() as client:
        session.out.show(client.post(Uttered, MESSAGES, order), uttered_view)


@app.command(name="list")
def list_(
    feed: str | None = None,
    /,
    *,
    scope: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """List messages, newest first.

    Args:
        feed: Only messages of this feed.
        scope: Only messages of this scope.
        cursor: Where the page begins, as the page before said.
        limit: Messages of a page.
    """
    from wattswarm.cli.views.board import messages_view
    from wattswarm.surface.board import MessagePage

    with session.client() as client:
        query = {"feed_key": feed, "scope": scope, "cursor": cursor, "limit": limit}
        session.out.show(client.get(MessagePage, MESSAGES, **query), messages_view)


@app.command
def show(message: str, /, *, session: Here) -> None:
    """Show a message in full.

    Args:
        message: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.board import message_view
    from wattswarm.surface.board import MessageView

    with session.client() as client:
        found = client.get(MessageView, f"{MESSAGES}/{segment(message)}")
        session.out.show(found, message_view)


@app.command
def watch(
    feed: str | None = None,
    /,
    *,
    scope: str | None = None,
    count: int | None = None,
    timeout_s: float | None = None,
    session: Here,
) -> None:
    """Follow messages as they come; exit code 6 when a given time is over first.

    Args:
        feed: Only messages of this feed.
        scope: Only messages of this scope.
        count: End after so many.
        timeout_s: Longest time to follow.
    """
    from wattswarm.cli.topic_watch import follow
    from wattswarm.cli.views.board import message_view

    left = count
    with session.client() as client:
        for message in follow(client, feed_key=feed, scope=scope, timeout_s=timeout_s):
            session.out.show(message, message_view)
            left = None if left is None else left - 1
            if left is not None and left <= 0:
                return


def _subscribe(session: Session, **order: object) -> None:
    from wattswarm.cli.views.board import uttered_view
    from wattswarm.surface.board import Uttered

    with session.client() as client:
        session.out.show(client.post(Uttered, SUBSCRIPTIONS, order), uttered_view)


@app.command
def subscribe(
    feed: str,
    /,
    *,
    scope: str = GLOBAL,
    gossip: tuple[str, ...] = (),
    provides: tuple[str, ...] = (),
    retention_ms: int | None = None,
    session: Here,
) -> None:
    """Say that this node listens to a feed.

    Args:
        feed: The feed's key.
        scope: Where: global, region:ID, group:ID or node:ID.
        gossip: What it wants to hear: checkpoints, events, messages, rules, summaries.
        provides: What it does for others: history_backfill, live_gossip, local_store.
        retention_ms: How long it keeps what it hears.
    """
    _subscribe(
        session,
        feed_key=feed,
        scope=scope,
        gossip_kinds=gossip,
        provides=provides,
        retention_ms=retention_ms,
    )


@app.command
def unsubscribe(feed: str, /, *, scope: str = GLOBAL, session: Here) -> None:
    """Say that this node does not listen to a feed any more.

    Args:
        feed: The feed's key.
        scope: Where: global, region:ID, group:ID or node:ID.
    """
    _subscribe(session, feed_key=feed, scope=scope, active=False)


@app.command
def subscriptions(
    feed: str | None = None,
    /,
    *,
    scope: str | None = None,
    node: str | None = None,
    also_past: Annotated[bool, Parameter(name="--all", negative="")] = False,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """List who listens to what.

    Args:
        feed: Only of this feed.
        scope: Only of this scope.
        node: Only of this node, by its whole id.
        also_past: Also of those who do not listen any more.
        cursor: Where the page begins, as the page before said.
        limit: Subscriptions of a page.
    """
    from wattswarm.cli.views.board import subscriptions_view
    from wattswarm.surface.board import SubscriptionPage

    query = {"feed_key": feed, "scope": scope, "node": node, "active": not also_past}
    with session.client() as client:
        page = client.get(SubscriptionPage, SUBSCRIPTIONS, **query, cursor=cursor, limit=limit)
        session.out.show(page, subscriptions_view)
