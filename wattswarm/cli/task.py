"""`wattswarm task …`: submit, watch, and see what was decided."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from wattswarm.cli import appraisal, control, market, task_board
from wattswarm.cli.failure import REFUSED, TIMED_OUT
from wattswarm.cli.input_file import InputFile, read_contract
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session

if TYPE_CHECKING:
    from wattswarm.cli.client import Client

app = App(name="task", help="Submit tasks, watch them, and see what was decided.")


@app.command
def submit(
    file: InputFile,
    /,
    *,
    idempotency_key: str | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    watch: Annotated[bool, Parameter(negative="")] = False,
    session: Here,
) -> int:
    """Submit a contract; it stands in the log when this returns.

    Args:
        file: The contract, a JSON file; `-` reads stdin.
        idempotency_key: With one key, one contract makes one task, however often it is sent.
        dry_run: Only check the contract, as `validate` does.
        watch: Go on as `watch` does.
    """
    from wattswarm.cli.views.task import submitted_view
    from wattswarm.surface.task import Submitted

    contract = read_contract(file)
    if dry_run:
        return _check(session, contract)
    with session.client() as client:
        body = {"contract": contract}
        submitted = client.post(Submitted, "/tasks", body, key=idempotency_key)
        session.out.show(submitted, submitted_view)
        return _watch(session, client, submitted.task_id, None) if watch else 0


@app.command
def validate(file: InputFile, /, *, session: Here) -> int:
    """Tell everything that is wrong with a contract, or show it with all defaults; exit code 4.

    Args:
        file: The contract, a JSON file; `-` reads stdin.
    """
    return _check(session, read_contract(file))


def _check(session: Session, contract: Mapping[str, Any]) -> int:
    from wattswarm.cli.views.task import check_view
    from wattswarm.surface.task import ContractCheck

    with session.client() as client:
        check = client.post(ContractCheck, "/tasks/validate", {"contract": contract})
    session.out.show(check, check_view)
    return 0 if check.valid else REFUSED


@app.command(name="list")
def list_(
    *,
    state: str | None = None,
    task_type: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """List tasks, newest first.

    Args:
        state: Only tasks in this state: open, final, expired …
        task_type: Only tasks of this type.
        cursor: Where the page begins, as the page before said.
        limit: Tasks of a page.
    """
    from wattswarm.cli.views.task import tasks_view
    from wattswarm.surface.task import TaskPage

    with session.client() as client:
        query = {"state": state, "task_type": task_type, "cursor": cursor, "limit": limit}
        session.out.show(client.get(TaskPage, "/tasks", **query), tasks_view)


@app.command
def show(task: str, /, *, session: Here) -> None:
    """Show everything about a task.

    Args:
        task: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.task import task_view
    from wattswarm.surface.task import TaskView

    with session.client() as client:
        session.out.show(client.get(TaskView, f"/tasks/{segment(task)}"), task_view)


@app.command
def watch(task: str, /, *, timeout_s: float | None = None, session: Here) -> int:
    """Follow a task to its end; exit code 0 when it is final, 1 when it ended otherwise.

    A continuous task has no end of its own: the epoch is followed that is open when this begins,
    until it is final (0) or over without that (1).

    Args:
        task: Its id, or a unique prefix.
        timeout_s: Longest wait; exit code 6 when it is over.
    """
    with session.client() as client:
        return _watch(session, client, task, timeout_s)


def _watch(session: Session, client: "Client", task: str, timeout_s: float | None) -> int:
    from wattswarm.cli.watch import follow, outcome, screen
    from wattswarm.surface.task import TaskView

    begun = client.get(TaskView, f"/tasks/{segment(task)}").task
    code: int | None = None
    with screen(session.out) as draw:
        for view in follow(client, begun.task_id, epoch=begun.epoch, timeout_s=timeout_s):
            draw(view)
            code = outcome(view, begun.epoch)
    return TIMED_OUT if code is None else code


for _command in (
    control.stop,
    control.suspend,
    control.resume,
    control.kill,
    control.end_epoch,
    market.approve_claim,
    market.decline_claim,
    market.accept,
    market.reject,
    market.settle,
    appraisal.feedback,
    appraisal.reject_reuse,
    task_board.announce,
    task_board.announcements,
    task_board.execution_sets,
):
    app.command(_command)


@app.command
def explain(task: str, /, *, session: Here) -> None:
    """Tell a task in sentences: what counted, what did not and why, and what is missing.

    Args:
        task: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.task import explanation_view
    from wattswarm.surface.task import Explanation

    with session.client() as client:
        session.out.show(
            client.get(Explanation, f"/tasks/{segment(task)}/explain"), explanation_view
        )


@app.command
def decision(task: str, /, *, session: Here) -> None:
    """Show what was decided and how final it is; exit code 4 while nothing is.

    Args:
        task: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.task import decision_view
    from wattswarm.surface.task import DecisionView

    with session.client() as client:
        session.out.show(
            client.get(DecisionView, f"/tasks/{segment(task)}/decision"), decision_view
        )


@app.command
def sample(*, session: Here) -> None:
    """Print a contract that works, to begin from."""
    import json

    from wattswarm.kernel.contract import sample as contract

    session.out.text(json.dumps(contract(), indent=2, ensure_ascii=False))
