"""`wattswarm log …`: the event log, and what is derived from it.

`verify`, `replay`, `export` and `import` also work without a node: they hold the state directory
and open its database.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from wattswarm.cli.failure import FAILED, REFUSED
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session
from wattswarm.surface.log import (
    Digests,
    EventPage,
    EventView,
    LogHead,
    Part,
    Replayed,
    Verified,
)

if TYPE_CHECKING:
    from wattswarm.cli.bringing import Bring

app = App(name="log", help="The event log: show, verify, replay, export, import.")

LONG_S: Final = 3_600.0
OPENING: Final = "no node runs here: opening its database"


@app.command
def head(*, session: Here) -> None:
    """Show where the log ends."""
    from wattswarm.cli.views.log import head_view

    with session.client() as client:
        session.out.show(client.get(LogHead, "/log/head"), head_view)


@app.command
def show(
    event: str | None = None,
    /,
    *,
    after: int = 0,
    limit: int | None = None,
    task: str | None = None,
    session: Here,
) -> None:
    """Show events in the order of the log, or one event in full.

    Args:
        event: An event's id, a unique prefix, or its seq.
        after: The seq that the page begins after.
        limit: Events of the page.
        task: Only events of this task.
    """
    from wattswarm.cli.views.log import event_view, events_view

    with session.client() as client:
        if event is not None:
            session.out.show(client.get(EventView, f"/log/events/{segment(event)}"), event_view)
            return
        path = "/log/events" if task is None else f"/tasks/{segment(task)}/events"
        session.out.show(client.get(EventPage, path, after=after, limit=limit), events_view)


@app.command
def verify(*, session: Here) -> int:
    """Check every signature and every link of the chain; exit code 1 when something is wrong."""
    from wattswarm.cli.views.log import verified_view

    verified = _online_verify(session) if is_up(session) else _offline_verify(session)
    session.out.show(verified, verified_view)
    return 0 if verified.ok else FAILED


def is_up(session: Session) -> bool:
    """Tell whether a node is to be asked, and not its database."""
    from wattswarm.cli.client import URL_VARIABLE

    return URL_VARIABLE in session.environment or session.state.holder() is not None


def _online_verify(session: Session) -> Verified:
    with session.client() as client, session.out.busy("the node verifies its log …"):
        return client.post(Verified, "/log/verify", timeout_s=LONG_S)


def _offline_verify(session: Session) -> Verified:
    from wattswarm.cli import offline

    session.out.note(OPENING)
    with session.out.progress("verifying") as progress:
        return offline.verify(session.config(), session.state, progress)


@app.command
def replay(*, verify: Annotated[bool, Parameter(negative="")] = False, session: Here) -> int:
    """Rebuild the projections from the log and put them in force; --verify only compares.

    Exit code 1 when what stood there differs from what was rebuilt.

    Args:
        verify: Compare the digests, and leave the projections as they are.
    """
    from wattswarm.cli.views.log import replayed_view

    online = is_up(session)
    replayed = _online_replay(session, verify) if online else _offline_replay(session, verify)
    session.out.show(replayed, replayed_view)
    return FAILED if replayed.equal is False else 0


def _online_replay(session: Session, verify: bool) -> Replayed:
    with session.client() as client, session.out.busy("the node rebuilds its projections …"):
        return client.post(Replayed, "/log/replay", {"verify": verify}, timeout_s=LONG_S)


def _offline_replay(session: Session, verify: bool) -> Replayed:
    from wattswarm.cli import offline

    session.out.note(OPENING)
    with session.out.progress("rebuilding") as progress:
        return offline.replay(session.config(), session.state, progress, is_verify_only=verify)


@app.command
def digest(*, session: Here) -> None:
    """Show one digest for each scope: nodes that hold the same events show the same."""
    from wattswarm.cli.views.log import digests_view

    with session.client() as client:
        session.out.show(client.get(Digests, "/log/digest"), digests_view)


@app.command
def export(
    file: str,
    /,
    *,
    from_: Annotated[int, Parameter(name="--from")] = 1,
    to: int | None = None,
    scope: str | None = None,
    task: str | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    session: Here,
) -> None:
    """Write the log, or a part of it, into an archive of events.

    The file is whole or not there. Events of governance are in every part.

    Args:
        file: Where to; - is stdout.
        from_: The first seq.
        to: The last seq; else the end of the log.
        scope: Only events of this scope.
        task: Only events of this task.
        force: Replace a file that is there.
    """
    from wattswarm.cli.export import STREAM, save
    from wattswarm.cli.views.log import exported_view

    part = Part(after=max(from_, 1) - 1, up_to=to, scope=scope, task=task)
    with _chunks(session, part) as chunks, session.out.busy("exporting …"):
        exported = save(chunks, file, force=force)
    if file == STREAM:
        session.out.note(f"{exported.events} events, {exported.bytes} bytes")
        return
    session.out.show(exported, exported_view)


@contextmanager
def _chunks(session: Session, part: Part) -> Generator[Iterator[bytes]]:
    """Give the archive, from the node or from its database."""
    if is_up(session):
        with (
            session.client() as client,
            client.archive(
                after=part.after, up_to=part.up_to, scope=part.scope, task=part.task
            ) as chunks,
        ):
            yield chunks
        return
    from wattswarm.cli import offline

    session.out.note(OPENING)
    with offline.exporting(session.config(), session.state, part) as chunks:
        yield chunks


@app.command(name="import")
def import_(
    file: str, /, *, restored: Annotated[bool, Parameter(negative="")] = False, session: Here
) -> int:
    """Take the events of an archive into the log; each is checked, and none is taken twice.

    A running node must have ingest.enabled. Exit code 1 when the file is damaged, 4 when events
    were refused; what is authentic is in the log in either case. An event that this node's own key
    signed and its log does not hold stops signing, unless it is --restored.

    Args:
        file: An archive; - is stdin.
        restored: This node's log is being restored: say so first, as `node restored` does.
    """
    from wattswarm.cli.bringing import import_archive
    from wattswarm.cli.views.log import imported_view

    with (
        _bring(session, is_restore=restored) as bring,
        session.out.progress("importing") as progress,
    ):
        imported = import_archive(file, bring, progress)
    session.out.show(imported, imported_view)
    if not imported.intact:
        return FAILED
    return REFUSED if imported.refused else 0


@contextmanager
def _bring(session: Session, *, is_restore: bool) -> "Generator[Bring]":
    """Give what puts events into the log: through the node, or into its database."""
    from wattswarm.cli import signing

    if is_up(session):
        from wattswarm.kernel.archive import archive

        with session.client() as client:
            if is_restore:
                signing.say(client, signing.RESTORED)
            yield lambda network_id, events: client.bring(archive(network_id, events))
            signing.warn(client, session.out)
        return
    from wattswarm.cli import offline

    session.out.note(OPENING)
    config, state, alarm = session.config(), session.state, signing.alarm(session.out)
    with offline.importing(config, state, alarm, is_restore=is_restore) as bring:
        yield bring


@app.command
def checkpoint(*, scope: str | None = None, session: Here) -> None:
    """Sign where the log ends, and the root of each of its lanes, for others to compare.

    Args:
        scope: Only the lanes of this scope, said in that scope; by default all, said in `global`.
    """
    from wattswarm.cli.views.board import uttered_view
    from wattswarm.surface.board import Uttered

    with session.client() as client:
        session.out.show(client.post(Uttered, "/log/checkpoints", {"scope": scope}), uttered_view)


@app.command
def checkpoints(*, cursor: str | None = None, limit: int | None = None, session: Here) -> None:
    """List checkpoints of this node and of others, newest first.

    Args:
        cursor: Where the page begins, as the page before said.
        limit: Checkpoints of a page.
    """
    from wattswarm.cli.views.board import checkpoints_view
    from wattswarm.surface.board import CheckpointPage

    with session.client() as client:
        page = client.get(CheckpointPage, "/log/checkpoints", cursor=cursor, limit=limit)
        session.out.show(page, checkpoints_view)
