"""`wattswarm up`, `down` and `node …`: the node as a process."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from wattswarm.cli.failure import NOT_REACHABLE, usage
from wattswarm.cli.session import Here, Session

if TYPE_CHECKING:
    from wattswarm.config.load import LoadedConfig

app = App(name="node", help="Start, stop and look at the node.")

GRACE_MS = 5_000
"""What a stop may take beyond the node's own deadline, before a command gives up."""


@app.command
def up(
    *,
    detach: Annotated[bool, Parameter(negative="")] = False,
    mode: str | None = None,
    profile: str | None = None,
    listen: str | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    log_file: Annotated[bool, Parameter(show=False, negative="")] = False,
    session: Here,
) -> int:
    """Start a node; --detach leaves it in the background.

    The first start makes the node's identity, its database and its schema. Nothing outside this
    machine is contacted.

    Args:
        detach: Return when the node takes work, and leave it in the background.
        mode: local; this version has no other.
        profile: default, compact (one process, for small machines) or test (every wait is short).
        listen: Address of the API, 127.0.0.1:7788 unless set; port 0: any free one.
        set_: A setting, as `actors.sel_writer.batch=256`; may be given several times.
        log_file: Write the node's log to its file, as a detached node does.
    """
    named = {"node.mode": mode, "node.profile": profile, "api.listen": listen}
    given = {path: value for path, value in named.items() if value is not None}
    flags = {**assignments(set_ or []), **given}
    loaded = session.config(flags)
    if not detach:
        return _run_here(session, loaded, log_file=log_file)
    from wattswarm.cli.launch import start_detached

    words = [f"--set={path}={value}" for path, value in flags.items()]
    session.out.note(f"starting a node on {session.state.path} …")
    node = start_detached(session.state, words, deadline_ms=loaded.config.node.start_ms)
    session.out.show(node, lambda node: f"the node is up at {node.api_url} (process {node.pid})")
    return 0


def assignments(words: list[str]) -> dict[str, object]:
    """Return PATH=VALUE words as a mapping.

    Raises:
        Failure: A word has no equals sign.
    """
    made: dict[str, object] = {}
    for word in words:
        path, equals, value = word.partition("=")
        if not equals:
            raise usage(f"{word} is not PATH=VALUE", "for example actors.sel_writer.batch=256")
        made[path.strip()] = value
    return made


def _run_here(session: Session, loaded: "LoadedConfig", *, log_file: bool) -> int:
    from wattswarm import node
    from wattswarm.telemetry.log import RotatingFile, configure

    state, log = session.state, loaded.config.log
    state.prepare()
    file = RotatingFile(state.log_path, log.file_mib * 1_048_576, log.files) if log_file else None
    configure(level=log.level, style=log.format, file=file)
    return node.run(loaded, state)


@app.command
def down(*, session: Here) -> None:
    """Stop the node and wait until it is gone."""
    from wattswarm.cli.launch import stop

    deadline_ms = session.config().config.node.stop_ms + GRACE_MS
    pid = stop(session.state, deadline_ms=deadline_ms)
    told = "no node was running" if pid is None else f"the node (process {pid}) is down"
    session.out.show({"pid": pid}, lambda _: told)


@app.command
def status(*, session: Here) -> int:
    """Show the node on one page; exit code 5 when none runs, 0 when it takes work."""
    from wattswarm.cli.views.node import node_view
    from wattswarm.surface.node import NodeView

    with session.client() as client:
        node = client.get(NodeView, "/node")
    session.out.show(node, node_view)
    return 0 if node.state in ("ready", "degraded") else NOT_REACHABLE


@app.command
def restored(*, session: Here) -> None:
    """Say that this node's log was restored from a backup; best before the node starts again.

    It signs again, but nothing for epochs that were opened before now: what it has signed for them
    since the backup, it has forgotten. Tasks made from now on are not affected.
    """
    _say(session, is_restore=True)


@app.command
def cloned(*, session: Here) -> None:
    """Say that another node has this one's key: nothing is signed here any more.

    Stop one of the two. When the other is gone for good, `node restored` lets this one sign again.
    """
    _say(session, is_restore=False)


def _say(session: Session, *, is_restore: bool) -> None:
    from wattswarm.cli import signing
    from wattswarm.cli.log import is_up
    from wattswarm.cli.views.node import signing_view

    word = signing.RESTORED if is_restore else signing.CLONED
    session.out.show(signing.take(session, word, is_up=is_up(session)), signing_view)


@app.command
def reputation(
    node: str | None = None,
    /,
    *,
    scope: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """Show what the votes of nodes on final answers came to.

    Args:
        node: Only this node, by its full id.
        scope: Only this scope.
        cursor: Where the page begins, as the page before said.
        limit: Lines of a page.
    """
    from wattswarm.cli.views.merit import reputation_view
    from wattswarm.surface.merit import ReputationPage

    query = {"node": node, "scope": scope, "cursor": cursor, "limit": limit}
    with session.client() as client:
        session.out.show(client.get(ReputationPage, "/reputation", **query), reputation_view)
