"""`wattswarm task approve-claim … settle`: what a task's creator says beyond the main road."""

from collections.abc import Mapping
from os.path import isfile
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session

FILE_BYTES_MAX: Final = 65_536


def approve_claim(task: str, claim: str, /, *, reason: str | None = None, session: Here) -> None:
    """Let a claim be worked under, as the creator of a task with allocator `creator`.

    Args:
        task: Its id, or a unique prefix.
        claim: The claim's id, or a prefix of it; `task show` has it.
        reason: Why; it stands in the log.
    """
    _say(session, task, f"claims/{segment(claim)}/approve", {"reason": reason})


def decline_claim(task: str, claim: str, /, *, reason: str | None = None, session: Here) -> None:
    """Tell a claimant to give its claim up; it may still be approved later.

    Args:
        task: Its id, or a unique prefix.
        claim: The claim's id, or a prefix of it; `task show` has it.
        reason: Why; it stands in the log.
    """
    _say(session, task, f"claims/{segment(claim)}/decline", {"reason": reason})


def accept(task: str, candidate: str, /, *, reason: str | None = None, session: Here) -> None:
    """Take a candidate as what was asked for, as the task's creator; that is not taken back.

    Args:
        task: Its id, or a unique prefix.
        candidate: The candidate's id, or a prefix of it; `task show` has it.
        reason: Why; it stands in the log.
    """
    _say(session, task, f"candidates/{segment(candidate)}/accept", {"reason": reason})


def reject(
    task: str,
    candidate: str,
    /,
    *,
    retry: Annotated[bool, Parameter(negative="")] = False,
    reason: str | None = None,
    session: Here,
) -> None:
    """Do not take a candidate, as the task's creator; what verifiers decide stands beside it.

    Args:
        task: Its id, or a unique prefix.
        candidate: The candidate's id, or a prefix of it; `task show` has it.
        retry: Ask for another answer.
        reason: Why; it stands in the log.
    """
    body = {"retry": retry, "reason": reason}
    _say(session, task, f"candidates/{segment(candidate)}/reject", body)


def settle(task: str, claim: str, /, *, receipt: str | None = None, session: Here) -> None:
    """Say that the work under a claim is paid, as the task's creator; once for each claim.

    Args:
        task: Its id, or a unique prefix.
        claim: The claim's id, or a prefix of it; `task show` has it.
        receipt: A JSON file, or JSON itself: whatever both sides take for a receipt.
    """
    body = {"receipt": None if receipt is None else read_receipt(receipt)}
    _say(session, task, f"claims/{segment(claim)}/settle", body)


def read_receipt(given: str) -> object:
    """Return the receipt that is given as a file or as JSON.

    Raises:
        Failure: It is neither.
    """
    from wattswarm.cli.failure import Failure
    from wattswarm.kernel import json_text
    from wattswarm.kernel.errors import Malformed

    try:
        content = Path(given).read_bytes() if isfile(given) else given
        return json_text.parse(content, bytes_max=FILE_BYTES_MAX)
    except (Malformed, OSError) as error:
        raise Failure(
            code="bad_json",
            status=400,
            message=f"the receipt is no JSON, nor a file that holds JSON: {error}",
            remedy="""give a file, or JSON in quotes: --receipt '{"paid": 3}'""",
        ) from error


def _say(session: Session, task: str, action: str, body: Mapping[str, object]) -> None:
    from wattswarm.cli.views.task import creator_view
    from wattswarm.surface.task import CreatorSaid

    with session.client() as client:
        answer = client.post(CreatorSaid, f"/tasks/{segment(task)}/{action}", body)
        session.out.show(answer, creator_view)
