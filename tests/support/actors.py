"""Actors and messages for the tests of the actor runtime, and short ways to run them."""

import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any, Literal

import trio

from wattswarm.actors.runtime import (
    Actor,
    ChildSpec,
    Context,
    GroupSpec,
    Intensity,
    Refused,
    Request,
    Stop,
    TargetDown,
    Tree,
    TreeSpec,
    message,
    open_tree,
)

MANY = Intensity(1_000, 60.0)


@message(tag=0xEE01)
class Note:
    """Told; remembered in order."""

    text: str
    key: str | None = None


@message(tag=0xEE02)
class Notes(Request[tuple[str, ...]]):
    """All notes so far."""


@message(tag=0xEE03)
class Fail(Request[None]):
    """Crashes the actor."""

    text: str


@message(tag=0xEE04)
class Nap(Request[str]):
    """Sleeps, then is noted and answered with `rested`."""

    seconds: float
    key: str | None = None
    text: str = "nap"


@message(tag=0xEE05)
class Spin(Request[None]):
    """Blocks the loop."""

    seconds: float


@message(tag=0xEE06)
class Who(Request[tuple[str, int, int]]):
    """Name, incarnation, pid."""


@message(tag=0xEE07)
class Decline(Request[None]):
    """Refused by the handler."""


@message(tag=0xEE08)
class Quit(Request[None]):
    """An orderly end."""


@message(tag=0xEE09)
class Watch(Request[None]):
    """Monitors another actor; its ends are noted."""

    actor: str


@message(tag=0xEE0A)
class Forward(Request[str]):
    """Asks another actor for something, in this actor's name."""

    actor: str
    inner: Nap | Fail | Quit
    deadline_s: float


@message(tag=0xEE0B)
class Pass(Request[None]):
    """Passes a fault point."""

    point: str
    in_thread: bool = False


@message(tag=0xEE0C)
class Untravelled(Request[object]):
    """Answered with what no wire can carry."""


Message = (
    Note | Notes | Fail | Nap | Spin | Who | Decline | Quit | Watch | Forward | Pass | Untravelled
)


class Probe(Actor[Message]):
    """Does as it is told."""

    points = ("middle", "thread")

    def __init__(self, greeting: str = "", fails: int = 0, exits: int = 0) -> None:
        self.notes: list[str] = [greeting] if greeting else []
        self.fails = fails
        self.exits = exits

    async def recover(self, ctx: Context) -> None:
        if self.exits:
            os._exit(self.exits)
        if ctx.incarnation <= self.fails:
            raise ConnectionError(f"recovery {ctx.incarnation}")

    async def handle(self, msg: Message, ctx: Context) -> object:
        match msg:
            case Note(text):
                if text.startswith("poison"):
                    raise ValueError(text)
                self.notes.append(text)
            case Notes():
                return tuple(self.notes)
            case Fail(text):
                raise ValueError(text)
            case Nap(seconds, _, text):
                await trio.sleep(seconds)
                self.notes.append(text)
                return "rested"
            case Spin(seconds):
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    pass
            case Who():
                return (ctx.me.name, ctx.incarnation, os.getpid())
            case Decline():
                raise Refused(reason="not today", retry_after_s=2.5)
            case Quit():
                raise Stop("asked to")
            case Watch(actor):
                ctx.monitor(ctx.ref(actor))
            case Forward(actor, inner, deadline_s):
                return str(await ctx.ref(actor).ask(inner, deadline_s=deadline_s))
            case Pass(point, in_thread):
                if in_thread:
                    await trio.to_thread.run_sync(ctx.point_sync, point)
                else:
                    await ctx.point(point)
            case Untravelled():
                return object()
        return None

    async def down(self, target: TargetDown, ctx: Context) -> None:
        self.notes.append(f"down {target.actor} {target.incarnation}")

    async def stopping(self, ctx: Context) -> None:
        sys.stderr.write(f"{ctx.me.name} says goodbye\n")
        sys.stderr.flush()

    def snapshot(self) -> dict[str, object]:
        return {"notes": len(self.notes)}


class Batcher(Probe):
    """Notes how many came at once."""

    async def handle_batch(self, batch: Sequence[Message], ctx: Context) -> Sequence[object]:
        if len(batch) > 1:
            self.notes.append(f"batch of {len(batch)}")
        answers: list[object] = []
        for msg in batch:
            try:
                answers.append(await self.handle(msg, ctx))
            except Refused as refusal:
                answers.append(refusal)
        return answers


class Parent(Probe):
    """Has a process of its own, which would outlive it if nobody looked after it."""

    async def recover(self, ctx: Context) -> None:
        self.child = subprocess.Popen(["sleep", "600"])  # noqa: ASYNC220

    async def handle(self, msg: Message, ctx: Context) -> object:
        return (ctx.me.name, ctx.incarnation, self.child.pid)


class Chatter(Probe):
    """Writes more to stderr than a pipe holds, and a line without end."""

    async def handle(self, msg: Message, ctx: Context) -> object:
        sys.stderr.write("chat\n" * 50_000 + "x" * 100_000)
        sys.stderr.flush()
        return await super().handle(msg, ctx)


class Keeper(Probe):
    """Shows what it got as a secret, and what anybody on the machine can see of its process."""

    async def handle(self, msg: Message, ctx: Context) -> object:
        with open("/proc/self/cmdline", "rb") as command, open("/proc/self/environ", "rb") as names:  # noqa: ASYNC230
            seen = command.read() + names.read()
        secret = ctx.secret("key")
        return (secret.decode(), int(secret in seen), len(os.listdir("/proc/self/fd")))


class Stubborn(Probe):
    """Does not want to stop."""

    async def stopping(self, ctx: Context) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()


class Holder(Probe):
    """Holds something that is let go with each incarnation."""

    async def recover(self, ctx: Context) -> None:
        incarnation = ctx.incarnation
        ctx.hold(closing(_Held(incarnation)))


class _Held:
    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation

    def close(self) -> None:
        sys.stderr.write(f"let go {self.incarnation}\n")
        sys.stderr.flush()


class Sleeper(Probe):
    """Is not ready for a long time."""

    async def recover(self, ctx: Context) -> None:
        await trio.sleep(60)


class Background(Probe):
    """Fails beside its handlers."""

    async def run(self, ctx: Context) -> None:
        await trio.sleep(0.01)
        if ctx.incarnation == 1:
            raise OSError("background")


def child(id: str = "probe", cls: str = "Probe", **fields: Any) -> ChildSpec:  # noqa: A002
    """Return the specification of a test actor."""
    fields.setdefault("intensity", MANY)
    return ChildSpec(id=id, actor=f"tests.support.actors:{cls}", **fields)


def tree_spec(
    *children: ChildSpec, placement: Literal["root", "worker"] = "root", **fields: Any
) -> TreeSpec:
    """Return a tree with one group of that placement."""
    group = GroupSpec(
        name="group",
        children=children,
        placement=placement,
        intensity=MANY,
        restarts=MANY,
        **fields,
    )
    return TreeSpec(groups=(group,), intensity=MANY, spare=False)


def set_up(text: str) -> None:
    """Stand for an application's own set-up of its workers."""
    sys.stderr.write(f"set up with {text}\n")


class Log:
    """A logger that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def _keep(self, level: str, event: str, **fields: Any) -> None:
        self.lines.append((level, event, fields))

    def __getattr__(self, level: str) -> Any:
        return partial(self._keep, level)


@asynccontextmanager
async def running(spec: TreeSpec, **options: Any) -> AsyncGenerator[Tree]:
    """Run a tree that is ready."""
    async with open_tree(spec, **options) as tree:
        with trio.fail_after(20):
            await tree.wait_ready()
        yield tree


async def until(condition: Callable[[], Any], *, within_s: float = 10.0) -> None:
    """Return when the condition holds, which may be awaitable; fail if it takes too long."""
    with trio.fail_after(within_s):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await trio.sleep(0.005)


def lives(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    """End a process of the test's own."""
    os.kill(pid, signal.SIGKILL)
