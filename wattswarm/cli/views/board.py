"""The board on a terminal: messages, subscriptions, announcements, execution sets, checkpoints."""

from rich.console import Group, RenderableType
from rich.text import Text

from wattswarm.cli.views.style import clock, cut, pairs, short, size, table, word
from wattswarm.surface.board import (
    AnnouncementPage,
    CheckpointPage,
    ExecutionSets,
    MessagePage,
    MessageView,
    SubscriptionPage,
    Uttered,
)


def uttered_view(uttered: Uttered) -> RenderableType:
    """Return what was said, or that it stood before."""
    if uttered.event_id is None:
        return Text("this stood already; nothing was signed", "dim")
    verb = "was there already as" if uttered.already else "is in the log as"
    return Group(
        Text(uttered.event_id, "bold magenta"),
        Text(f"{verb} event {uttered.seq}, scope {uttered.scope}", "dim"),
    )


def messages_view(page: MessagePage) -> RenderableType:
    """Return messages, one a line."""
    if not page.items:
        return Text("no message; `wattswarm topic post FEED TEXT` posts one")
    made = table("message", "scope", "feed", "author", "created", "answers", "text")
    for item in page.items:
        made.add_row(
            short(item.message_id),
            item.scope,
            item.feed_key,
            short(item.author),
            clock(item.created_at),
            short(item.reply_to),
            _told(item, 60),
        )
    return _paged(made, page.next)


def _told(message: MessageView, chars_max: int) -> Text:
    if message.text is not None:
        return Text(cut(message.text.replace("\n", " "), chars_max))
    if message.body is None:
        return Text("")
    where = "" if message.body.is_here else ", not here"
    return Text(f"{message.body.mime}, {size(message.body.size_bytes)}{where}", "dim")


def message_view(message: MessageView) -> RenderableType:
    """Return a message in full."""
    head = Text.assemble(
        short(message.message_id),
        ("  ", ""),
        (message.feed_key, "bold"),
        (f"  {message.scope}  by ", "dim"),
        short(message.author),
        (f"  {message.created_at}", "dim"),
    )
    lines: list[RenderableType] = [head]
    if message.reply_to is not None:
        lines.append(Text.assemble(("  answers ", "dim"), short(message.reply_to)))
    if message.body is not None:
        lines.append(Text(f"  body {message.body.digest}", "dim"))
    lines.append(Text(message.text) if message.text is not None else _told(message, 0))
    return Group(*lines)


def subscriptions_view(page: SubscriptionPage) -> RenderableType:
    """Return subscriptions, one a line."""
    if not page.items:
        return Text("nobody listens; `wattswarm topic subscribe FEED` does")
    made = table("scope", "feed", "node", "listens", "gossip", "provides", "revision", "since")
    for item in page.items:
        made.add_row(
            item.scope,
            item.feed_key,
            short(item.node_id),
            "yes" if item.active else "no",
            ", ".join(item.gossip_kinds),
            ", ".join(item.provides),
            str(item.revision),
            item.created_at,
        )
    return _paged(made, page.next)


def announcements_view(page: AnnouncementPage) -> RenderableType:
    """Return announcements, one a line."""
    if not page.items:
        return Text("no task is announced; `wattswarm task announce TASK FEED` announces one")
    made = table("scope", "feed", "task", "key", "revision", "author", "created", "summary")
    for item in page.items:
        made.add_row(
            item.scope,
            item.feed_key,
            short(item.task_id),
            cut(item.announcement_key, 20),
            str(item.revision),
            short(item.author),
            item.created_at,
            cut(item.summary or "", 40),
        )
    return _paged(made, page.next)


def execution_sets_view(found: ExecutionSets) -> RenderableType:
    """Return who means to work together, and who was confirmed by whom."""
    intents = table("set", "node", "role", "intent", "scope", "since", title="intents")
    for item in found.intents:
        intents.add_row(
            item.execution_set,
            short(item.node_id),
            item.role_hint,
            item.intent,
            item.scope,
            item.created_at,
        )
    sets = table("set", "confirmed by", "members", "scope", "since", title="confirmed")
    for each in found.sets:
        members = Text(", ").join(
            Text.assemble(short(member.node_id), f" {member.role_hint}") for member in each.members
        )
        sets.add_row(
            each.execution_set, short(each.confirmed_by), members, each.scope, each.created_at
        )
    return Group(intents, sets)


def checkpoints_view(page: CheckpointPage) -> RenderableType:
    """Return checkpoints with their lanes."""
    if not page.items:
        return Text("no checkpoint; `wattswarm log checkpoint` signs one")
    parts: list[RenderableType] = []
    for item in page.items:
        parts.append(
            pairs(
                ("checkpoint", item.event_id),
                ("author", item.author),
                ("created", f"{item.created_at}, scope {item.scope}"),
                ("log", f"seq {item.seq}, chain {item.chain}"),
            )
        )
        lanes = table("lane", "class", "events", "below", "root", numbers=("events",))
        for lane in item.lanes:
            lanes.add_row(
                lane.scope, word(lane.lane_class), str(lane.events), lane.cut, lane.root[:16]
            )
        parts.append(lanes)
    if page.next:
        parts.append(Text(f"more with --cursor {page.next}", "dim"))
    return Group(*parts)


def _paged(made: RenderableType, cursor: str | None) -> RenderableType:
    return made if cursor is None else Group(made, Text(f"more with --cursor {cursor}", "dim"))
