"""`wattswarm doctor`: what ails the node, and how to mend it."""

from wattswarm.cli.failure import FAILED, Failure
from wattswarm.cli.session import Here, Session
from wattswarm.surface.node import Diagnosis, Finding


def doctor(*, session: Here) -> int:
    """Check database, disk, clock, ports, keys, executors and actors; exit code 1 on an error.

    Works with and without a running node; each finding says how to mend it.
    """
    from wattswarm.cli.local_checks import look
    from wattswarm.cli.views.node import diagnosis_view

    inside = _of_node(session)
    areas = {finding.area for finding in inside}
    outside = look(session.state, dict(session.environment))
    # Where the node has looked itself, it knows better.
    findings = [*(finding for finding in outside if finding.area not in areas), *inside]
    is_ok = all(finding.level != "error" for finding in findings)
    session.out.show(Diagnosis(ok=is_ok, findings=tuple(findings)), diagnosis_view)
    return 0 if is_ok else FAILED


def _of_node(session: Session) -> tuple[Finding, ...]:
    """Return what the node finds; that none runs is no error, that it does not answer is one."""
    if session.state.holder() is None:
        remedy = "wattswarm up --detach"
        return (Finding(area="node", level="warning", message="no node runs", remedy=remedy),)
    try:
        with session.client() as client:
            return client.get(Diagnosis, "/doctor").findings
    except Failure as failure:
        return (Finding(area="node", level="error", message=str(failure), remedy=failure.advice),)
