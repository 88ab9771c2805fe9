"""`wattswarm actors …`: the actors, their rates, and their dials."""

import itertools
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Annotated

import attrs
from cyclopts import App, Parameter

from wattswarm.cli.failure import usage
from wattswarm.cli.node import assignments
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session
from wattswarm.cli.spans import span_ms
from wattswarm.surface.actor import (
    ActorActed,
    ActorDetail,
    ActorsTop,
    DeadLetterPage,
    LetterActed,
    TreeNode,
    Tune,
    Tuned,
)

app = App(name="actors", help="The actors: tree, rates, dials, restarts.")
letters = App(name="dead-letters", help="Messages that crashed their actor too often.")
app.command(letters)


@app.command
def tree(*, session: Here) -> None:
    """Show the supervision tree."""
    from wattswarm.cli.views.actors import tree_view

    with session.client() as client:
        session.out.show(client.get(TreeNode, "/actors"), tree_view)


@app.command
def top(
    *,
    every_s: float = 1.0,
    count: int | None = None,
    once: Annotated[bool, Parameter(negative="")] = False,
    session: Here,
) -> None:
    """Show how actors and processes do, live on a terminal; with --json one line each time.

    Args:
        every_s: Pause between two looks.
        count: Looks; else until interrupted on a terminal, one in a pipe.
        once: One look.
    """
    looks = 1 if once or (count is None and not session.out.is_live) else count
    # An interrupt is how a person ends this, and no failure.
    with suppress(KeyboardInterrupt), session.client() as client, _screen(session, looks) as draw:
        for look in itertools.count(1):
            draw(client.get(ActorsTop, "/actors/top"))
            if look == looks:
                return
            time.sleep(every_s)


@contextmanager
def _screen(session: Session, looks: int | None) -> Generator[Callable[[ActorsTop], None]]:
    """Give a function that redraws the page in place, or writes it once more."""
    from wattswarm.cli.views.actors import top_view

    if looks is not None or not session.out.is_live:
        yield lambda page: session.out.show(page, top_view)
        return
    from rich.live import Live

    with Live(console=session.out.console, auto_refresh=False, screen=True) as live:
        yield lambda page: live.update(top_view(page), refresh=True)


@app.command
def inspect(actor: str, /, *, session: Here) -> None:
    """Show everything about one actor: state, rates, dials, crashes.

    Args:
        actor: Its name, as `actors tree` shows it.
    """
    from wattswarm.cli.views.actors import actor_view

    with session.client() as client:
        session.out.show(client.get(ActorDetail, f"/actors/{segment(actor)}"), actor_view)


@app.command
def tune(
    actor: str,
    /,
    *dials: str,
    for_: Annotated[str | None, Parameter(name="--for")] = None,
    save: Annotated[bool, Parameter(negative="")] = False,
    session: Here,
) -> None:
    """Turn an actor's dials while it runs: all of them, or none.

    Args:
        actor: Its name, as `actors tree` shows it.
        dials: What to turn, as `batch=256`; `actors inspect` lists the dials and their ranges.
        for_: Turn back after this time, as 30s, 10m or 2h.
        save: Write them into the node's configuration file as well.
    """
    from wattswarm.cli.views.actors import tuned_view

    if not dials:
        raise usage("no dial is named", f"`wattswarm actors inspect {actor}` lists them")
    wanted = {name: _number(name, value) for name, value in assignments(list(dials)).items()}
    order = Tune(dials=wanted, for_ms=None if for_ is None else span_ms(for_), save=save)
    with session.client() as client:
        tuned = client.post(Tuned, f"/actors/{segment(actor)}/tune", attrs.asdict(order))
    session.out.show(tuned, tuned_view)


def _number(name: str, value: object) -> int:
    digits = str(value).strip().replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise usage(f"{name}={value}: a dial is a whole number")
    return int(digits)


def _act(session: Session, actor: str, action: str) -> None:
    from wattswarm.cli.views.actors import acted_view

    with session.client() as client:
        session.out.show(client.post(ActorActed, f"/actors/{segment(actor)}/{action}"), acted_view)


@app.command
def restart(actor: str, /, *, session: Here) -> None:
    """Restart an actor; its mail waits for it.

    Args:
        actor: Its name, as `actors tree` shows it.
    """
    _act(session, actor, "restart")


@app.command
def kill(actor: str, /, *, session: Here) -> None:
    """Kill the worker process that runs an actor, with SIGKILL; its supervisor restarts it.

    Args:
        actor: Its name, or that of a worker group.
    """
    _act(session, actor, "kill")


@app.command
def suspend(actor: str, /, *, session: Here) -> None:
    """Let an actor take no message until it is resumed.

    Args:
        actor: Its name, as `actors tree` shows it.
    """
    _act(session, actor, "suspend")


@app.command
def resume(actor: str, /, *, session: Here) -> None:
    """Let a suspended actor go on.

    Args:
        actor: Its name, as `actors tree` shows it.
    """
    _act(session, actor, "resume")


@letters.command(name="list")
def list_letters(
    *,
    actor: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """List dead letters, newest first.

    Args:
        actor: Only letters to this actor.
        cursor: Where the page begins, as the page before said.
        limit: Letters of a page.
    """
    from wattswarm.cli.views.actors import letters_view

    with session.client() as client:
        query = {"actor": actor, "cursor": cursor, "limit": limit}
        session.out.show(client.get(DeadLetterPage, "/dead-letters", **query), letters_view)


@letters.command
def retry(letter: int, /, *, session: Here) -> None:
    """Give a dead letter to its actor again.

    Args:
        letter: Its number.
    """
    with session.client() as client:
        acted = client.post(LetterActed, f"/dead-letters/{letter}/retry")
    session.out.show(acted, lambda acted: f"dead letter {acted.letter_id} is {acted.action}")


@letters.command
def drop(letter: int, /, *, session: Here) -> None:
    """Forget a dead letter.

    Args:
        letter: Its number.
    """
    with session.client() as client:
        acted = client.delete(LetterActed, f"/dead-letters/{letter}")
    session.out.show(acted, lambda acted: f"dead letter {acted.letter_id} is {acted.action}")
