"""The live tree as operators see it."""

import attrs


@attrs.frozen
class ActorView:
    """One actor, or one instance."""

    id: str
    state: str
    incarnation: int
    restarts: int
    last_end: str = ""
    """Why its last incarnation ended that it was restarted after."""


@attrs.frozen
class GroupView:
    """One group; `pid` is its process, 0 while it has none."""

    name: str
    placement: str
    pid: int
    incarnation: int
    state: str
    actors: tuple[ActorView, ...]
    lag_ms: int = 0
    """How late the loop of its process was when it last said so."""
    last_end: str = ""
    """Why its last incarnation ended that it was restarted after."""


@attrs.frozen
class TreeView:
    """The whole tree, in start order."""

    pid: int
    state: str
    """`starting`, `ready`, `degraded`, `stopping`."""
    degraded: tuple[str, ...]
    """Optional actors that were given up for now."""
    armed: tuple[str, ...]
    """Fault rules that are armed, as text: a banner is owed while there is one."""
    groups: tuple[GroupView, ...]
