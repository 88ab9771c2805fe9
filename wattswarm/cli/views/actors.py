"""Actors and processes on a terminal."""

import json

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from wattswarm.cli.views.style import bar, clock, cut, duration, micros, pairs, short, table, word
from wattswarm.surface.actor import (
    ActorActed,
    ActorDetail,
    ActorStats,
    ActorsTop,
    CrashView,
    DeadLetterPage,
    DialView,
    TreeNode,
    Tuned,
)


def tree_view(node: TreeNode) -> Tree:
    """Return the supervision tree."""
    made = Tree(_branch(node), guide_style="dim")
    for child in node.children:
        made.add(tree_view(child))
    return made


def _branch(node: TreeNode) -> Text:
    told = [
        f"pid {node.pid}" if node.pid is not None else "",
        f"up {duration(node.uptime_ms)}" if node.uptime_ms is not None else "",
        _restarts(node),
        node.restart,
    ]
    line = Text.assemble(
        (node.name, "bold"), "  ", word(node.state), (f"  {', '.join(filter(None, told))}", "dim")
    )
    if node.last_error:
        line.append(f"  {cut(node.last_error)}", "red")
    return line


def _restarts(node: TreeNode) -> str:
    """Return how often it was restarted, and why last unless that is told as its last error."""
    if not node.restarts:
        return ""
    is_told = not node.last_end or node.last_end == node.last_error
    why = "" if is_told else f", last: {cut(node.last_end or '')}"
    return f"{node.restarts} restarts{why}"


def top_view(top: ActorsTop) -> RenderableType:
    """Return how every actor and process does."""
    return Group(_processes(top), _actors(top))


def _processes(top: ActorsTop) -> RenderableType:
    made = table(
        "process", "pid", "state", "cpu", "", "memory", "lag", "restarts", "up",
        title=f"Processes at {clock(top.at)}",
        numbers=("pid", "cpu", "memory", "lag", "restarts", "up"),
    )  # fmt: skip
    for worker in top.workers:
        soft = f" / {worker.rss_soft_mib}" if worker.rss_soft_mib else ""
        made.add_row(
            Text(worker.group, "bold"),
            str(worker.pid or "–"),
            word(worker.state),
            f"{worker.cpu_percent:.0f}%",
            bar(worker.cpu_percent, 100),
            f"{worker.rss_mib:.0f}{soft} MiB",
            f"{worker.loop_lag_ms:.1f}ms",
            str(worker.restarts),
            "–" if worker.uptime_ms is None else duration(worker.uptime_ms),
        )
    return made


def _actors(top: ActorsTop) -> RenderableType:
    made = table(
        "actor", "in", "state", "inbox", "", "done/s", "busy", "wait p50", "p99", "handle p50",
        "p99", "restarts", "lost", "dials", "last error",
        title="Actors",
        numbers=("inbox", "done/s", "busy", "wait p50", "p99", "handle p50", "restarts", "lost"),
    )  # fmt: skip
    for actor in top.actors:
        made.add_row(
            Text(actor.name, "bold"),
            actor.placement,
            word(actor.state),
            f"{actor.inbox_depth}/{actor.inbox_capacity}",
            bar(actor.inbox_depth, actor.inbox_capacity, 6),
            f"{actor.done_per_s:,.1f}",
            f"{actor.busy_percent:.0f}%",
            micros(actor.wait_p50_us),
            micros(actor.wait_p99_us),
            micros(actor.handle_p50_us),
            micros(actor.handle_p99_us),
            str(actor.restarts),
            str(actor.shed + actor.refused + actor.dead_letters),
            _turned(actor),
            Text(cut(actor.last_error, 40), "red"),
        )
    return made


def _turned(actor: ActorStats) -> Text:
    """Return the dials that are not yet what was asked for, or that will turn back."""
    moving = [dial for dial in actor.dials if dial.wanted != dial.effective or dial.reverts_at]
    return Text(", ".join(f"{dial.name} {_dial(dial)}" for dial in moving), "yellow")


def _dial(dial: DialView) -> str:
    shown = str(dial.effective)
    if dial.wanted != dial.effective:
        shown += f"→{dial.wanted}"
    return f"{shown} until {clock(dial.reverts_at)[:8]}" if dial.reverts_at else shown


def actor_view(actor: ActorDetail) -> RenderableType:
    """Return everything about one actor."""
    stats = actor.stats
    head = pairs(
        ("actor", stats.name),
        ("state", word(stats.state)),
        ("placement", f"{stats.placement}, pid {stats.pid}, incarnation {stats.incarnation}"),
        ("inbox", f"{stats.inbox_depth} of {stats.inbox_capacity}, oldest {stats.oldest_ms} ms"),
        ("rates", f"{stats.in_per_s:,.1f} in/s, {stats.done_per_s:,.1f} done/s"),
        (
            "handling",
            f"p50 {micros(stats.handle_p50_us)}, p99 {micros(stats.handle_p99_us)}, "
            f"max {micros(stats.handle_max_us)}",
        ),
        ("lost", f"{stats.shed} shed, {stats.refused} refused, {stats.expired} expired"),
        ("dead letters", str(stats.dead_letters)),
        ("talks to", ", ".join(actor.talks_to) or "nobody"),
        ("points", ", ".join(actor.points) or "none"),
        ("state inside", json.dumps(actor.snapshot, ensure_ascii=False)),
        ("last error", Text(stats.last_error or "none", "red" if stats.last_error else "dim")),
    )
    return Group(head, dials_view(stats.dials), *map(_crash, actor.crashes))


def _crash(crash: CrashView) -> RenderableType:
    about = f" on {crash.message_type}" if crash.message_type else ""
    title = f"crash of incarnation {crash.incarnation} at {clock(crash.at)}{about}: {crash.error}"
    return Group(Text(title, "red"), Text(crash.traceback, "dim"))


def dials_view(dials: tuple[DialView, ...]) -> RenderableType:
    """Return the dials of an actor with their ranges."""
    made = table("dial", "value", "range", "turning it", numbers=("value",))
    for dial in dials:
        how = "takes effect at once" if dial.is_live else "restarts the actor"
        made.add_row(dial.name, _dial(dial), f"{dial.least} to {dial.most}", how)
    return made


def tuned_view(tuned: Tuned) -> RenderableType:
    """Return what was turned."""
    made = table("dial", "was", "wanted", "in effect", "until", numbers=("was", "wanted"))
    for change in tuned.changes:
        until = clock(change.reverts_at)[:8] if change.reverts_at else "turned again"
        is_there = change.wanted == change.effective
        effect = Text(str(change.effective), "green" if is_there else "yellow")
        made.add_row(change.name, str(change.old), str(change.wanted), effect, until)
    if tuned.saved_to is None:
        return made
    return Group(made, Text(f"saved to {tuned.saved_to}", "dim"))


def acted_view(acted: ActorActed) -> RenderableType:
    """Return what was done to an actor."""
    return Text.assemble(
        f"{acted.actor}: {acted.action}, now ",
        word(acted.state),
        f" (incarnation {acted.incarnation}, pid {acted.pid})",
    )


def letters_view(page: DeadLetterPage) -> RenderableType:
    """Return dead letters, one a line."""
    if not page.items:
        return Text("no dead letters")
    made = table(
        "id", "actor", "message", "from", "crashes", "error", "at", numbers=("id", "crashes")
    )
    for letter in page.items:
        message = Text.assemble(letter.message_type, " ", short(letter.message_id))
        made.add_row(
            str(letter.letter_id),
            letter.actor,
            message,
            letter.sender,
            str(letter.crashes),
            cut(letter.error),
            letter.at,
        )
    return made
