"""The way to open a tree."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.exit import CrashReport, DeadLetter
from wattswarm.actors.runtime.logs import SilentLogger
from wattswarm.actors.runtime.root import Root
from wattswarm.actors.runtime.services import Services
from wattswarm.actors.runtime.spec import TreeSpec
from wattswarm.actors.runtime.spec_check import problems_of
from wattswarm.actors.runtime.tree import Tree
from wattswarm.actors.runtime.world import World, real_world


@asynccontextmanager
async def open_tree(
    spec: TreeSpec,
    *,
    world: World | None = None,
    secrets: Mapping[str, bytes] | None = None,
    wire: bool = False,
    chaos_enabled: bool = False,
    logger: Logger | None = None,
    on_crash: Callable[[CrashReport], None] | None = None,
    on_dead_letter: Callable[[DeadLetter], None] | None = None,
    on_log_line: Callable[[str, str], None] | None = None,
) -> AsyncGenerator[Tree]:
    """Run a tree for as long as the block lasts; it has stopped, all of it, when the block is left.

    The tree starts at once; `wait_ready` waits for it. If it gives up, the block is cancelled.

    Args:
        secrets: Key material by name; an actor gets those that its specification lists.
        wire: Make messages inside a process take the way through bytes, too.
        chaos_enabled: Whether faults may be armed.
        on_log_line: Called with the group and the line for what workers write to stdout and stderr.

    Raises:
        ValueError: The specification cannot be run; the sentences say why.
        RestartLimit: The tree gave up; the causes lead from the first failure to the root.
    """
    if problems := (*problems_of(spec), *_missing(spec, secrets or {})):
        raise ValueError("; ".join(problems))
    services = Services(
        world=world or real_world(),
        base_logger=logger or SilentLogger(),
        secrets=dict(secrets or {}),
        on_crash=_ignore,
        on_dead_letter=on_dead_letter or _ignore,
        publish_down=lambda _, __: None,
        is_wire=wire,
        chaos_enabled=chaos_enabled,
    )
    root = Root(spec, services, on_log_line or _ignore_line)
    tree = services.tree = Tree(root)
    services.on_crash = _both(tree.note_crash, on_crash or _ignore)
    async with root.running():
        yield tree


def _missing(spec: TreeSpec, secrets: Mapping[str, bytes]) -> list[str]:
    return [
        f"{child.id} needs the secret {name}, which was not given"
        for _, child in spec.children()
        for name in child.secrets
        if name not in secrets
    ]


def _both(
    first: Callable[[CrashReport], None], second: Callable[[CrashReport], None]
) -> Callable[[CrashReport], None]:
    def tell(report: CrashReport) -> None:
        first(report)
        second(report)

    return tell


def _ignore(_: object) -> None:
    """Nobody listens."""


def _ignore_line(_group: str, _line: str) -> None:
    """Nobody listens."""
