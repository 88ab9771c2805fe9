"""`wattswarm task …`: submit, watch, and see what was decided."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from cyclopts import App, Parameter

from wattswarm.cli.failure import REFUSED, TIMED_OUT, Failure, usage
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session

if TYPE_CHECKING:
    from wattswarm.cli.client import Client

app = App(name="task", help="Submit tasks, watch them, and see what was decided.")

CREATORS_WORDS: Final[Mapping[str, str]] = {
    "approve_claim": "Let a claim be worked under, as the creator of a task with allocator "
    "`creator`.",
    "decline_claim": "Tell a claimant to give its claim up; it may still be approved later.",
    "accept": "Take a candidate as what was asked for, as the task's creator; that is not taken "
    "back.",
    "reject": "Do not take a candidate, as the task's creator; what verifiers decide stands beside "
    "it.",
    "settle": "Say that the work under a claim is paid, as the task's creator; once for each "
    "claim.",
}
"""Commands of another file, which is read when one of them is called, and their first lines."""

STDIN: Final = "-"
CONTRACT_BYTES_MAX: Final = 1_048_576

ContractFile = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""A path, or `-` for stdin."""


def read_contract(file: str) -> Mapping[str, Any]:
    """Return the contract in a JSON file; `-` is stdin.

    Raises:
        Failure: There is no such file, or it holds no JSON object.
    """
    from wattswarm.kernel import json_text
    from wattswarm.kernel.errors import Malformed

    try:
        content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise Failure(code="file_not_found", message=f"{file}: {error.strerror}") from error
    try:
        document = json_text.parse(content, bytes_max=CONTRACT_BYTES_MAX, path=file)
    except Malformed as error:
        message = f"{error.path}: {error.message}"
        raise Failure(code="bad_json", status=400, message=message) from error
    if not isinstance(document, dict):
        raise Failure(code="bad_json", status=400, message=f"{file} holds no JSON object")
    return cast("dict[str, Any]", document)


@app.command
def submit(
    file: ContractFile,
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
def validate(file: ContractFile, /, *, session: Here) -> int:
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


def _control(session: Session, task: str, action: str, reason: str | None) -> None:
    from wattswarm.cli.views.task import controlled_view
    from wattswarm.surface.task import Controlled

    with session.client() as client:
        answer = client.post(Controlled, f"/tasks/{segment(task)}/{action}", {"reason": reason})
        session.out.show(answer, controlled_view)


@app.command
def stop(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """Have nobody work on a task any more; it can be resumed.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "stop", reason)


@app.command
def suspend(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """Let a task rest until it is resumed; work that was begun may be finished.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "suspend", reason)


@app.command
def resume(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """Have a task worked on again that was stopped or suspended.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "resume", reason)


@app.command
def kill(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """End a task for good; it takes as many finalizers as make it final.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "kill", reason)


@app.command
def end_epoch(
    task: str,
    /,
    *,
    reason: str | None = None,
    now: Annotated[bool, Parameter(name=["--now", "--out-of-turn"], negative="")] = False,
    session: Here,
) -> None:
    """End the newest epoch of a continuous task, as a finalizer; that opens the next one.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
        now: Before the epoch expires, or although it is another finalizer's turn.
    """
    from wattswarm.cli.views.epoch import epoch_ended_view
    from wattswarm.surface.task import EpochEndSaid

    with session.client() as client:
        body = {"reason": reason, "out_of_turn": now}
        answer = client.post(EpochEndSaid, f"/tasks/{segment(task)}/end-epoch", body)
        session.out.show(answer, epoch_ended_view)


for _word, _help in CREATORS_WORDS.items():
    app.command(f"wattswarm.cli.market:{_word}", name=_word.replace("_", "-"), help=_help)


@app.command
def feedback(
    task: str,
    /,
    *,
    bad: Annotated[bool, Parameter(negative="")] = False,
    reason: str = "",
    epoch: int | None = None,
    session: Here,
) -> None:
    """Say that a task's answer turned out to be bad; only its settlement authority may.

    Args:
        task: Its id, or a unique prefix.
        bad: The answer is bad: the only feedback there is, silence says that it was good.
        reason: Why; it stands in the log.
        epoch: Of which epoch, when it is not the newest that is final.
    """
    from wattswarm.cli.views.merit import feedback_given_view
    from wattswarm.surface.merit import FeedbackGiven

    if not bad:
        raise usage("feedback says that an answer is bad", "wattswarm task feedback TASK --bad")
    with session.client() as client:
        body = {"reason": reason, "epoch": epoch}
        answer = client.post(FeedbackGiven, f"/tasks/{segment(task)}/feedback", body)
        session.out.show(answer, feedback_given_view)


@app.command
def reject_reuse(task: str, /, *, candidate: str | None = None, session: Here) -> None:
    """Record that verifiers rejected an answer of a task that repeats an earlier decision.

    Args:
        task: Its id, or a unique prefix.
        candidate: Which answer, when it is not the first of which nothing says so yet.
    """
    from wattswarm.cli.views.merit import reuse_rejected_view
    from wattswarm.surface.merit import ReuseRejected

    with session.client() as client:
        path = f"/tasks/{segment(task)}/reject-reuse"
        answer = client.post(ReuseRejected, path, {"candidate": candidate})
        session.out.show(answer, reuse_rejected_view)


@app.command
def announce(
    task: str,
    feed: str,
    /,
    *,
    scope: str | None = None,
    key: str | None = None,
    summary: str | None = None,
    detail: str | None = None,
    session: Here,
) -> None:
    """Announce a task on a feed; with the same key again, the announcement is revised.

    Args:
        task: Its id, or a unique prefix; by its whole id also one that is not here yet.
        feed: The feed's key.
        scope: Who it concerns; the task's own scope by default.
        key: What the announcement is revised under; the task's id by default.
        summary: A few words for whoever may want to work on it.
        detail: An artifact that says more, by its digest.
    """
    from wattswarm.cli.views.board import uttered_view
    from wattswarm.surface.board import Uttered

    order = {
        "feed_key": feed,
        "scope": scope,
        "announcement_key": key,
        "summary": summary,
        "detail": detail,
    }
    with session.client() as client:
        answer = client.post(Uttered, f"/tasks/{segment(task)}/announcements", order)
        session.out.show(answer, uttered_view)


@app.command
def announcements(
    *,
    feed: str | None = None,
    scope: str | None = None,
    task: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """List tasks that were announced, newest first.

    Args:
        feed: Only on this feed.
        scope: Only of this scope.
        task: Only of this task.
        cursor: Where the page begins, as the page before said.
        limit: Announcements of a page.
    """
    from wattswarm.cli.views.board import announcements_view
    from wattswarm.surface.board import AnnouncementPage

    query = {"feed_key": feed, "scope": scope, "task": task, "cursor": cursor, "limit": limit}
    with session.client() as client:
        page = client.get(AnnouncementPage, "/announcements", **query)
        session.out.show(page, announcements_view)


@app.command(name="execution-sets")
def execution_sets(task: str, /, *, session: Here) -> None:
    """Show who means to work on a task together, and who was confirmed.

    Args:
        task: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.board import execution_sets_view
    from wattswarm.surface.board import ExecutionSets

    with session.client() as client:
        found = client.get(ExecutionSets, f"/tasks/{segment(task)}/execution-sets")
        session.out.show(found, execution_sets_view)


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
