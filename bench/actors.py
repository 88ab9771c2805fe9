"""The actor that is measured: it takes what it is told, answers, and crashes on demand."""

import os
from typing import Final

from wattswarm.actors.runtime import (
    Actor,
    Backoff,
    ChildSpec,
    Context,
    GroupSpec,
    InboxSpec,
    Intensity,
    Request,
    TreeSpec,
    message,
)

SINK: Final = "sink"
MANY: Final = Intensity(1_000_000, 60.0)
AT_ONCE: Final = Backoff(base_s=0.0, cap_s=0.001)


@message(tag=0xB001)
class Take:
    """Told, and counted."""

    body: bytes


@message(tag=0xB002)
class Echo(Request[bytes]):
    """Answered with its body."""

    body: bytes


@message(tag=0xB003)
class Taken(Request[int]):
    """Answered with how many were taken; so all of the asker's before it were."""


@message(tag=0xB004)
class Who(Request[tuple[int, int]]):
    """Answered with the incarnation and the process."""


@message(tag=0xB005)
class Crash:
    """Ends the incarnation."""


Message = Take | Echo | Taken | Who | Crash


class Sink(Actor[Message]):
    """Counts."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle(self, msg: Message, ctx: Context) -> object:
        """Do what the message is for, and nothing else."""
        match msg:
            case Take():
                self.taken += 1
            case Echo(body):
                return body
            case Taken():
                return self.taken
            case Who():
                return ctx.incarnation, os.getpid()
            case Crash():
                raise ValueError("as told")
        return None


def tree_of_one(*, in_worker: bool) -> TreeSpec:
    """Return a tree with the one actor, in the root process or in a worker."""
    child = ChildSpec(
        id=SINK,
        actor="bench.actors:Sink",
        inbox=InboxSpec(capacity=1_024),
        intensity=MANY,
        backoff=AT_ONCE,
    )
    group = GroupSpec(
        name="bench",
        children=(child,),
        placement="worker" if in_worker else "root",
        intensity=MANY,
        restarts=MANY,
        backoff=AT_ONCE,
    )
    return TreeSpec(groups=(group,), intensity=MANY, spare=in_worker, preload=("bench.actors",))
