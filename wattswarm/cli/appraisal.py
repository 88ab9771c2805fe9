"""`wattswarm task feedback` and `reject-reuse`: how answers turned out."""

from typing import Annotated

from cyclopts import Parameter

from wattswarm.cli.failure import usage
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here


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
