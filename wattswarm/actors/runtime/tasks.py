"""What every trio task of this process is doing, as text: for the operator of a node that hangs."""

from collections.abc import Iterator
from types import CoroutineType, FrameType
from typing import Any, Final, cast

import trio

LINES_MAX: Final = 2_000


def task_tree() -> str:
    """Return the tasks of the running loop, each under its parent with the lines it waits in."""
    root = trio.lowlevel.current_root_task()
    lines = [] if root is None else list(_lines(root, 0))
    return "\n".join(lines[:LINES_MAX])


def _lines(task: trio.lowlevel.Task, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{task.name}"
    for where in _stack(task):
        yield f"{'  ' * depth}  · {where}"
    for nursery in task.child_nurseries:
        for child in sorted(nursery.child_tasks, key=lambda each: each.name):
            yield from _lines(child, depth + 1)


def _stack(task: trio.lowlevel.Task) -> Iterator[str]:
    """Yield where a task is, outermost call first."""
    waits: Any = task.coro
    while isinstance(waits, CoroutineType):
        coroutine = cast("CoroutineType[Any, Any, Any]", waits)
        frame: FrameType | None = coroutine.cr_frame
        if frame is not None:
            yield f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
        waits = coroutine.cr_await
