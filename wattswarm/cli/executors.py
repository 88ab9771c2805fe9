"""`wattswarm executors …`: who does the work."""

from typing import Annotated

import attrs
from cyclopts import App, Parameter

from wattswarm.cli.failure import FAILED, usage
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here

app = App(name="executors", help="Who does the work: add, list, check, remove.")


@app.command
def add(
    name: str,
    base_url: str,
    /,
    *,
    profile: str = "default",
    task_type: Annotated[list[str] | None, Parameter(negative="")] = None,
    concurrency: int | None = None,
    execute_ms: int | None = None,
    verify_ms: int | None = None,
    tries: int | None = None,
    header: Annotated[list[str] | None, Parameter(negative="")] = None,
    token_env: str | None = None,
    token_file: str | None = None,
    check: bool = True,
    session: Here,
) -> int:
    """Add an executor, or change the one of that name, and ask it whether it can work.

    Args:
        name: What it is called here.
        base_url: Where it listens, as http://127.0.0.1:8787.
        profile: The profile that it is asked to work in.
        task_type: A task type that it is used for (else: all that it says); may be repeated.
        concurrency: Requests to it at one time.
        execute_ms: Longest execution.
        verify_ms: Longest verification.
        tries: Tries of one request, under one idempotency key.
        header: A header of every request, as `Name: value`; may be repeated.
        token_env: Variable of the node's environment that holds its bearer token.
        token_file: File with its bearer token, readable by the node's user only.
        check: Ask it at once; --no-check adds it unseen.
    """
    from rich.console import Group

    from wattswarm.cli.views.executors import check_view, executor_view
    from wattswarm.surface.executor import ExecutorCheck, ExecutorSpec, ExecutorView

    spec = ExecutorSpec(
        name=name,
        base_url=base_url,
        profile=profile,
        task_types=tuple(task_type) if task_type else None,
        concurrency=concurrency,
        execute_ms=execute_ms,
        verify_ms=verify_ms,
        tries=tries,
        headers=dict(_header(line) for line in header or []),
        token_env=token_env,
        token_file=token_file,
    )
    with session.client() as client:
        added = client.post(ExecutorView, "/executors", attrs.asdict(spec))
        if not check:
            session.out.show(added, executor_view)
            return 0
        found = client.post(ExecutorCheck, f"/executors/{segment(name)}/check")
    session.out.show(found, lambda found: Group(executor_view(added), check_view(found)))
    return 0 if found.ok else FAILED


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise usage(f"{line!r} is not a header", "give it as `Name: value`")
    return name.strip(), value.strip()


@app.command(name="list")
def list_(*, session: Here) -> None:
    """List all executors with their health."""
    from wattswarm.cli.views.executors import executors_view
    from wattswarm.surface.executor import ExecutorList

    with session.client() as client:
        session.out.show(client.get(ExecutorList, "/executors"), executors_view)


@app.command
def check(name: str, /, *, session: Here) -> int:
    """Ask an executor for its health and capabilities; exit code 1 when it cannot work.

    Args:
        name: The executor.
    """
    from wattswarm.cli.views.executors import check_view
    from wattswarm.surface.executor import ExecutorCheck

    with session.client() as client:
        found = client.post(ExecutorCheck, f"/executors/{segment(name)}/check")
    session.out.show(found, check_view)
    return 0 if found.ok else FAILED


@app.command
def remove(name: str, /, *, session: Here) -> None:
    """Remove an executor; work in flight is finished.

    Args:
        name: The executor.
    """
    from wattswarm.surface.executor import Removed

    with session.client() as client:
        removed = client.delete(Removed, f"/executors/{segment(name)}")
    session.out.show(removed, lambda removed: f"{removed.name} is removed")
