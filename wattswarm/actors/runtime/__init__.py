"""The actor runtime: supervised actors with bounded, typed inboxes, in one process or several.

A library of its own. Write an actor and its messages::

    @message(tag=0x0101)
    class Append(Request[Appended]):      # a message that `ask` gets an `Appended` for
        events: tuple[bytes, ...]

    @message(tag=0x0102)
    class Flush: ...                      # only told

    class Writer(Actor[Append | Flush]):
        points = ("commit.before",)

        def __init__(self, dsn: str) -> None: ...               # plain arguments from the
        specification async def recover(self, ctx: Context) -> None: ...      # build the state;
        then mail comes async def handle(self, msg: Append | Flush, ctx: Context) -> object: ...

Say how it is run, and run it::

    spec = TreeSpec(groups=(GroupSpec(name="log", children=(
        ChildSpec(id="writer", actor="package.module:Writer", args={"dsn": "…"}),)),))
    async with open_tree(spec) as tree:
        await tree.wait_ready()
        appended = await tree.ref("writer").ask(Append((b"…",)), deadline_s=5)

A handler that raises ends its incarnation; the supervisor makes a new object and calls
`recover`. Mail that
waits survives that, and dies with a worker process: what must not be lost is sent again by its
sender.
"""

from wattswarm.actors.runtime.actor import Actor, Context, Logger, Stop
from wattswarm.actors.runtime.dials import Dials
from wattswarm.actors.runtime.errors import (
    ActorError,
    BadWire,
    Down,
    Execution,
    InjectedCrash,
    OutOfRange,
    Refused,
    RemoteFailure,
    RestartLimit,
    TooSlow,
)
from wattswarm.actors.runtime.exit import CrashReport, DeadLetter, Exit, ExitKind, Header
from wattswarm.actors.runtime.histogram import Histogram, Quantiles
from wattswarm.actors.runtime.message import Request, message
from wattswarm.actors.runtime.opening import open_tree
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.rule import GENERIC_POINTS, Fault, FaultRule
from wattswarm.actors.runtime.spec import (
    AutoShutdown,
    Backoff,
    ChildSpec,
    DialSpec,
    GroupSpec,
    InboxSpec,
    Intensity,
    Overflow,
    Plain,
    Restart,
    Strategy,
    TreeSpec,
)
from wattswarm.actors.runtime.spec_check import problems_of
from wattswarm.actors.runtime.stats import ActorStats
from wattswarm.actors.runtime.system import TargetDown
from wattswarm.actors.runtime.tree import Tree
from wattswarm.actors.runtime.view import ActorView, GroupView, TreeView
from wattswarm.actors.runtime.world import Clock, World, real_world, seeded_world

__all__ = [
    "GENERIC_POINTS",
    "Actor",
    "ActorError",
    "ActorStats",
    "ActorView",
    "AutoShutdown",
    "Backoff",
    "BadWire",
    "ChildSpec",
    "Clock",
    "Context",
    "CrashReport",
    "DeadLetter",
    "DialSpec",
    "Dials",
    "Down",
    "Execution",
    "Exit",
    "ExitKind",
    "Fault",
    "FaultRule",
    "GroupSpec",
    "GroupView",
    "Header",
    "Histogram",
    "InboxSpec",
    "InjectedCrash",
    "Intensity",
    "Logger",
    "OutOfRange",
    "Overflow",
    "Plain",
    "Quantiles",
    "Ref",
    "Refused",
    "RemoteFailure",
    "Request",
    "Restart",
    "RestartLimit",
    "Stop",
    "Strategy",
    "TargetDown",
    "TooSlow",
    "Tree",
    "TreeSpec",
    "TreeView",
    "World",
    "message",
    "open_tree",
    "problems_of",
    "real_world",
    "seeded_world",
]
