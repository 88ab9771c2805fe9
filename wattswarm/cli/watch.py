"""Following a task: news over the stream wake a look at the task; polling stands behind."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import attrs

from wattswarm.cli.client import Access, Client, open_client
from wattswarm.cli.failure import DONE, FAILED, Failure
from wattswarm.cli.output import Output
from wattswarm.cli.views.task import task_view
from wattswarm.surface.task import TaskView

POLL_S: Final = 1.0
RETRY_S: Final = 1.0
ENDED: Final = {
    "final": DONE,
    "killed": FAILED,
    "stopped": FAILED,
    "expired": FAILED,
    "void": FAILED,
}
"""Exit code by the word of a task that nobody works on any more."""


def follow(
    client: Client, task_id: str, *, epoch: int = 1, timeout_s: float | None
) -> Generator[TaskView]:
    """Yield the task whenever it moved, and about every second, until it or the epoch ends.

    Raises:
        Failure: `timed_out` when it has not ended in time, or what the node answers.
    """
    end = None if timeout_s is None else time.monotonic() + timeout_s
    bell = Bell(client.access, task_id)
    bell.start()
    while True:
        view = client.get(TaskView, f"/tasks/{task_id}")
        yield view
        if outcome(view, epoch) is not None:
            return
        left_s = POLL_S if end is None else end - time.monotonic()
        if left_s <= 0:
            raise Failure(
                code="timed_out", message=f"the task is {view.task.state} after {timeout_s} s"
            )
        bell.wait(min(left_s, POLL_S))


@attrs.define
class Bell:
    """Rings when the stream tells of the task; a stream that breaks is opened again."""

    access: Access
    task_id: str
    _rung: threading.Event = attrs.field(factory=threading.Event)

    def start(self) -> None:
        """Listen from now on, until the process ends."""
        threading.Thread(target=self._listen, name="stream", daemon=True).start()

    def wait(self, timeout_s: float) -> None:
        """Return when there is news, or after a while; news that came together ring once."""
        self._rung.wait(timeout_s)
        self._rung.clear()

    def _listen(self) -> None:
        while True:
            try:
                with open_client(self.access) as client, client.stream(task=self.task_id) as news:
                    for _ in news:
                        self._rung.set()
            except Failure:
                pass  # the node restarts, or is busy: polling goes on meanwhile
            time.sleep(RETRY_S)


def outcome(view: TaskView, epoch: int) -> int | None:
    """Return the exit code for how a task, or this epoch of it, ended; None before that."""
    if view.task.epoch <= epoch:
        return ENDED.get(view.task.state)
    is_final = any(each.epoch == epoch and each.candidate_id for each in view.epochs)
    return DONE if is_final else FAILED


@contextmanager
def screen(out: Output) -> Generator[Callable[[TaskView], None]]:
    """Give a function that redraws the task in place, or writes it whenever it changed."""
    if not out.is_live:
        yield _changes(out)
        return
    from rich.live import Live

    with Live(console=out.console, auto_refresh=False) as live:
        yield lambda view: live.update(task_view(view), refresh=True)


def _changes(out: Output) -> Callable[[TaskView], None]:
    seen: list[int] = []

    def write(view: TaskView) -> None:
        if view.task.events not in seen[-1:]:
            seen.append(view.task.events)
            out.show(view, task_view)

    return write
