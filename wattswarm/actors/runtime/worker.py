"""A worker process: becomes the group that its root tells it to be, and never outlives its root.

Three nets hold it to its parent: the kernel kills it when the root dies (Linux), a thread that
sees the control socket close ends it even while the loop is busy, and at boot it checks who its
parent is.
"""

import argparse
import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module
from threading import Thread
from typing import Any, cast

import attrs
import trio

from wattswarm.actors.runtime.atlas import Atlas
from wattswarm.actors.runtime.cell import Cell
from wattswarm.actors.runtime.commands import carry_out
from wattswarm.actors.runtime.control import (
    EXIT_GAVE_UP,
    HEARTBEAT_S,
    PROTOCOL,
    Answer,
    Boot,
    Call,
    Crashed,
    Dead,
    Ended,
    GaveUp,
    Halt,
    Hello,
    LinkLost,
    Pause,
    Ping,
    Ready,
    Seen,
    UseLink,
)
from wattswarm.actors.runtime.errors import BadWire, OutOfRange
from wattswarm.actors.runtime.exit import Exit, ExitKind
from wattswarm.actors.runtime.frame import Frame
from wattswarm.actors.runtime.group import LocalGroup
from wattswarm.actors.runtime.link import Link
from wattswarm.actors.runtime.logs import LineLogger
from wattswarm.actors.runtime.peer import Peer
from wattswarm.actors.runtime.platform import (
    die_with_parent,
    prefer_for_oom,
    rss_bytes,
    wait_hang_up,
)
from wattswarm.actors.runtime.process import control_frame, control_message
from wattswarm.actors.runtime.services import Services, load
from wattswarm.actors.runtime.spec import TreeSpec
from wattswarm.actors.runtime.watch import Watch
from wattswarm.actors.runtime.world import RealClock, World

OOM_SCORE = 300
"""Short of memory, the kernel kills a worker, which comes back, rather than the root."""


@attrs.define(eq=False)
class Worker:
    """One worker, from `Hello` to its exit status."""

    control: Link = attrs.field(init=False)
    _booted: trio.Event = attrs.field(factory=trio.Event, init=False)
    _boot: Boot | None = attrs.field(default=None, init=False)
    _group: LocalGroup | None = attrs.field(default=None, init=False)
    _atlas: Atlas = attrs.field(init=False)
    _nursery: trio.Nursery = attrs.field(init=False)
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)
    _early: list[object] = attrs.field(factory=list[object], init=False)
    """What came between `Boot` and the group's being there."""

    async def run(self, sock: socket.socket) -> int:
        """Be a worker on that control socket; return the exit status."""
        self.control = Link(sock, self._on_frame, has_fds=True)
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._run_control)
            self._say(Hello(os.getpid(), PROTOCOL))
            await self._booted.wait()
            assert self._boot is not None
            why = await self._serve(self._boot)
            if why.kind is ExitKind.GAVE_UP:
                self._say(GaveUp(why.reason, why.causes))
            await self.control.flush()
            self._nursery.cancel_scope.cancel()
        return EXIT_GAVE_UP if why.kind is ExitKind.GAVE_UP else os.EX_OK

    async def _serve(self, boot: Boot) -> Exit:
        spec = next(group for group in boot.tree.groups if group.name == boot.group)
        os.nice(spec.nice)
        services = self._services(boot)
        self._atlas = Atlas(boot.tree, spec.name, services, self._on_link_lost)
        group = LocalGroup(spec, services, services.base_logger)
        for number, rule in boot.rules:
            services.faults.arm(number, rule)
        self._group = group
        for message in self._early:
            self._on_message(message)
        self._nursery.start_soon(services.deadlines.run)
        self._nursery.start_soon(Watch(lambda: group.cells.values(), _on_stuck).run)
        self._nursery.start_soon(self._ping)
        self._nursery.start_soon(self._show, group)
        return await group.run(lambda: self._say(Ready()))

    def _services(self, boot: Boot) -> Services:
        services = Services(
            world=_world(boot.seed),
            base_logger=_set_up(boot.tree, boot.group),
            secrets=boot.secrets,
            on_crash=lambda report: self._say(Crashed(report)),
            on_dead_letter=lambda letter: self._say(Dead(letter)),
            publish_down=lambda notice, _: self._say(Ended(notice)),
            changed=lambda: self._changed.set(),
            is_wire=boot.is_wire,
            chaos_enabled=boot.chaos_enabled,
        )
        loop = trio.lowlevel.current_trio_token()  # points are passed in threads, too
        services.faults.pause = lambda duration_s: loop.run_sync_soon(self._say, Pause(duration_s))
        services.nursery = self._nursery
        return services

    # -- control ---------------------------------------------------------------------------------

    def _say(self, message: object) -> None:
        self.control.send(control_frame(message))

    async def _run_control(self) -> None:
        await self.control.run()
        os._exit(os.EX_TEMPFAIL)  # the root is gone: nobody is left to be polite to

    def _on_frame(self, frame: Frame) -> None:
        message = control_message(frame)
        match message:
            case Boot():
                self._boot = message
                self._booted.set()
            case UseLink(peer):
                sock = socket.socket(fileno=self.control.fds.popleft())
                self._on_message((peer, sock))
            case _:
                self._on_message(message)

    def _on_message(self, message: object) -> None:
        if self._group is None:
            self._early.append(message)
            return
        match message:
            case (str(peer), socket.socket() as sock):
                self._nursery.start_soon(self._atlas.peers[peer].use, sock)
            case Halt():
                self._group.stop()
            case Ended(notice):
                self._group.services.tell_watchers(notice)
            case Call():
                self._nursery.start_soon(self._answer, message, self._group)
            case _:
                raise BadWire(reason=f"{type(message).__name__} is nothing for a worker")

    async def _answer(self, call: Call, group: LocalGroup) -> None:
        try:
            value = await carry_out(call.command, group, self._atlas)
            self._say(Answer(call.number, value, None))
        except (OutOfRange, LookupError) as error:
            self._say(Answer(call.number, None, str(error)))

    def _on_link_lost(self, peer: Peer, reason: str) -> None:
        self._say(LinkLost(peer.name, reason))

    # -- telling the root ------------------------------------------------------------------------

    async def _ping(self) -> None:
        """Show that this loop runs actors and is not merely alive."""
        due = trio.current_time()
        while True:
            lag_ms = max(0, int((trio.current_time() - due) * 1_000))
            self._say(Ping(lag_ms, rss_bytes()))
            due = trio.current_time() + HEARTBEAT_S
            await trio.sleep_until(due)

    async def _show(self, group: LocalGroup) -> None:
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            self._say(Seen(group.actors()))


def _on_stuck(cell: Cell) -> None:
    """An actor neither ends nor can be cancelled: leave all stacks behind and die."""
    sys.stderr.write(f"{cell.id} is stuck and cannot be cancelled\n")
    sys.stderr.flush()
    os.abort()  # faulthandler writes the stacks of all threads


def _world(seed: bytes) -> World:
    clock = RealClock()
    return World(clock, seed, os.getpid(), clock.monotonic_s)


def _set_up(tree: TreeSpec, group: str) -> Any:
    """Call the application's own set-up; it may return a logger."""
    if tree.worker_setup is None:
        return LineLogger(group)
    made = load(tree.worker_setup)(**tree.worker_setup_args)
    return made if made is not None else LineLogger(group)


def _end_when_root_ends(fd: int) -> None:
    wait_hang_up(fd)
    os._exit(os.EX_TEMPFAIL)


def main(arguments: Sequence[str]) -> None:
    """Run a worker and end the process with its status."""
    parser = argparse.ArgumentParser(prog="wattswarm.actors.runtime.worker")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--preload", default="")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    die_with_parent(options.parent)
    prefer_for_oom(OOM_SCORE)
    Thread(target=_end_when_root_ends, args=(options.fd,), daemon=True).start()
    for module in filter(None, cast("str", options.preload).split(",")):
        import_module(module)
    status = trio.run(Worker().run, socket.socket(fileno=options.fd))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads of libraries must not hold up the end


if __name__ == "__main__":
    main(sys.argv[1:])
