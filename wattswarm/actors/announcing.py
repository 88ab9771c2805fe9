"""Announcements: hints that something changed, which nobody relies on and nobody waits for."""

from collections.abc import Iterable

from wattswarm.actors.messages import ExecutorsChanged, HeadMoved, TasksChanged
from wattswarm.actors.runtime.actor import Context
from wattswarm.actors.runtime.errors import Down


def announce(
    ctx: Context, names: Iterable[str], news: HeadMoved | TasksChanged | ExecutorsChanged
) -> None:
    """Tell these actors, all instances of each, as far as that needs no waiting.

    Who misses it reads the log by itself.
    """
    for ref in (ref for name in names for ref in ctx.refs(name)):
        try:
            ref.offer(news)
        except Down as error:
            ctx.log.debug("nobody to tell", to=ref.name, reason=str(error))
