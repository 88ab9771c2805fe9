"""`wattswarm governance revoke … statements`: what finalizers say of events and nodes."""

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session

Switch = Annotated[bool, Parameter(negative="")]


def statements(*, cursor: str | None = None, limit: int | None = None, session: Here) -> None:
    """List what finalizers revoked and whom they penalized, and what waits for signatures.

    Args:
        cursor: Where the page begins, as the page before said.
        limit: Statements of a page.
    """
    from wattswarm.cli.views.statement import statements_view
    from wattswarm.surface.statement import StatementPage

    with session.client() as client:
        page = client.get(StatementPage, "/governance/statements", cursor=cursor, limit=limit)
        session.out.show(page, statements_view)


def revoke(
    event: str, /, *, reason: str | None = None, dry_run: Switch = False, session: Here
) -> None:
    """Sign that an event has no effect, nor has what depends on it; it takes a quorum.

    Args:
        event: Its id, or a unique prefix of one in the log.
        reason: Why; by default as who signed first said.
        dry_run: Only show what would be signed, and what its task would lose.
    """
    _state(session, "revocations", {"event": event, "reason": reason, "dry_run": dry_run})


def restore(
    event: str, /, *, reason: str | None = None, dry_run: Switch = False, session: Here
) -> None:
    """Sign that an event that was revoked has its effect again.

    Args:
        event: Its id, or a unique prefix of one in the log.
        reason: Why; by default as who signed first said.
        dry_run: Only show what would be signed, and what its task would regain.
    """
    _state(session, "restorations", {"event": event, "reason": reason, "dry_run": dry_run})


def penalize(
    node: str,
    /,
    *,
    from_: Annotated[str | None, Parameter(name="from")] = None,
    until: str | None = None,
    cut: Switch = False,
    keep: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = (),
    reason: str | None = None,
    dry_run: Switch = False,
    session: Here,
) -> None:
    """Sign that what a node says has no effect: what is dated within a time, or all that it said.

    Dates are the node's own, so a penalty for the past that must hold is --cut.

    Args:
        node: Its id, or a unique prefix of one that is known here.
        from_: From when on, as 2026-11-25T16:00:00Z.
        until: Before when.
        cut: All that it ever said, and says.
        keep: Events that are left when all others are cut off.
        reason: Why; by default as who signed first said.
        dry_run: Only show what would be signed.
    """
    _state(
        session,
        "penalties",
        {
            "node": node,
            "dated_from": from_,
            "dated_until": until,
            "cut": cut,
            "keep": list(keep),
            "reason": reason,
            "dry_run": dry_run,
        },
    )


def pardon(
    node: str, /, *, reason: str | None = None, dry_run: Switch = False, session: Here
) -> None:
    """Sign that a node's penalty is taken back; events that were revoked stay so.

    Args:
        node: Its id, or a unique prefix of one that is known here.
        reason: Why; by default as who signed first said.
        dry_run: Only show what would be signed.
    """
    _state(session, "pardons", {"node": node, "reason": reason, "dry_run": dry_run})


def sign_statement(statement: str, /, *, dry_run: Switch = False, session: Here) -> None:
    """Sign what other finalizers have begun to say, word for word; `statements` lists it.

    Args:
        statement: Its id, or a unique prefix.
        dry_run: Only show what would be signed.
    """
    _state(session, f"statements/{segment(statement)}/sign", {"dry_run": dry_run})


def _state(session: Session, where: str, body: Mapping[str, object]) -> None:
    from wattswarm.cli.views.statement import stated_view
    from wattswarm.surface.statement import Stated

    with session.client() as client:
        session.out.show(client.post(Stated, f"/governance/{where}", body), stated_view)
