"""`wattswarm task stop … end-epoch`: whether a task is worked on, and for how long."""

from typing import Annotated

from cyclopts import Parameter

from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session


def stop(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """Have nobody work on a task any more; it can be resumed.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "stop", reason)


def suspend(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """Let a task rest until it is resumed; work that was begun may be finished.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "suspend", reason)


def resume(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """Have a task worked on again that was stopped or suspended.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "resume", reason)


def kill(task: str, /, *, reason: str | None = None, session: Here) -> None:
    """End a task for good; it takes as many finalizers as make it final.

    Args:
        task: Its id, or a unique prefix.
        reason: Why; it stands in the log.
    """
    _control(session, task, "kill", reason)


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


def _control(session: Session, task: str, action: str, reason: str | None) -> None:
    from wattswarm.cli.views.task import controlled_view
    from wattswarm.surface.task import Controlled

    with session.client() as client:
        answer = client.post(Controlled, f"/tasks/{segment(task)}/{action}", {"reason": reason})
        session.out.show(answer, controlled_view)
