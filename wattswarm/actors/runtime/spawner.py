"""Where worker processes come from: started side by side at first, then one spare in waiting."""

import signal
from collections import deque
from collections.abc import Callable, Sequence

import attrs
import trio

from wattswarm.actors.runtime.process import WorkerProcess, spawn

SPARE_DELAY_S = 0.2
"""A new spare is started this long after the old one went into service, not to compete with it."""


@attrs.define(eq=False)
class Spawner:
    """Starts workers and sees every one of them to its end; `run` must be running."""

    preload: Sequence[str]
    keeps_spare: bool
    on_line: Callable[[str, str], None]
    _nursery: trio.Nursery | None = attrs.field(default=None, init=False)
    _spares: deque[WorkerProcess] = attrs.field(factory=deque[WorkerProcess], init=False)
    _is_closed: bool = attrs.field(default=False, init=False)

    async def run(self, *, task_status: "trio.TaskStatus[None]") -> None:
        """Attend to all workers; when this is cancelled they are killed and reaped."""
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            await trio.sleep_forever()

    def take(self, name: str, on_message: Callable[[object], None]) -> WorkerProcess:
        """Return a worker for a group: the spare if there is one, else a new process."""
        assert self._nursery is not None
        worker = self._next()
        worker.on_message = on_message
        worker.on_line = lambda line: self.on_line(name, line)
        if self.keeps_spare and not self._spares and not self._is_closed:
            self._nursery.start_soon(self._start_spare)
        return worker

    def warm(self, count: int) -> None:
        """Start this many workers at once: they import side by side while others get ready."""
        for _ in range(count):
            self._spares.append(self._start())

    def close(self) -> None:
        """Let go of the spares; no other is started."""
        self._is_closed = True
        for spare in self._spares:
            spare.handle.send_signal(signal.SIGKILL)

    async def _start_spare(self) -> None:
        await trio.sleep(SPARE_DELAY_S)
        if not self._spares and not self._is_closed:
            self._spares.append(self._start())

    def _next(self) -> WorkerProcess:
        while self._spares:
            spare = self._spares.popleft()
            if not spare.ended.is_set():
                return spare
        return self._start()

    def _start(self) -> WorkerProcess:
        assert self._nursery is not None
        worker = spawn(self.preload, lambda line: self.on_line("spare", line), _ignore)
        self._nursery.start_soon(worker.attend)
        return worker


def _ignore(_: object) -> None:
    """A spare has nothing to say but `Hello`."""
