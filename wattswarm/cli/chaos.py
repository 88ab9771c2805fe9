"""`wattswarm chaos …`: inject faults into a node, and check that nothing is lost."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import attrs
from cyclopts import App, Parameter

from wattswarm.cli.client import Client
from wattswarm.cli.failure import Failure
from wattswarm.cli.session import Here, Session
from wattswarm.cli.spans import span_ms
from wattswarm.surface.chaos import (
    ArmedFault,
    ChaosView,
    Disarmed,
    Fault,
    FaultOrder,
    FaultPoints,
)

app = App(name="chaos", help="Inject faults, and check that nothing is lost.")


@contextmanager
def _client(session: Session) -> Generator[Client]:
    """Open the connection to a node that lets faults be armed."""
    try:
        with session.client() as client:
            yield client
    except Failure as failure:
        if failure.code != "no_such_route":
            raise
        raise Failure(
            code="chaos_disabled", message="this node lets no faults be armed", status=403
        ) from failure


@app.command
def points(*, session: Here) -> None:
    """List the named places of the actors where a fault can be injected."""
    from wattswarm.cli.views.chaos import points_view

    with _client(session) as client:
        session.out.show(client.get(FaultPoints, "/chaos/points"), points_view)


@app.command
def status(*, session: Here) -> None:
    """Show which faults are armed."""
    from wattswarm.cli.views.chaos import chaos_view

    with _client(session) as client:
        session.out.show(client.get(ChaosView, "/chaos/faults"), chaos_view)


@app.command
def arm(
    fault: Fault,
    target: str,
    /,
    *,
    point: str | None = None,
    nth: int = 1,
    times: int = 1,
    percent: int = 100,
    delay: str = "0ms",
    for_: Annotated[str, Parameter(name="--for")] = "10s",
    seed: int = 0,
    session: Here,
) -> None:
    """Arm a fault; it expires by itself.

    Args:
        fault: What happens.
        target: An actor, or a channel as `from->to`.
        point: The named place where it happens (see `chaos points`).
        nth: The passage at which it strikes first.
        times: How often it strikes.
        percent: How likely each strike is.
        delay: How long delays and slowness last, as 200ms.
        for_: How long it stays armed, as 30s.
        seed: Seed of its dice.
    """
    from wattswarm.cli.views.chaos import armed_view

    order = FaultOrder(
        fault=fault,
        target=target,
        point=point,
        nth=nth,
        times=times,
        percent=percent,
        delay_ms=span_ms(delay),
        for_ms=span_ms(for_),
        seed=seed,
    )
    with _client(session) as client:
        armed = client.post(ArmedFault, "/chaos/faults", attrs.asdict(order))
    session.out.show(armed, armed_view)


@app.command
def disarm(fault_id: int | None = None, /, *, session: Here) -> None:
    """Disarm one fault, or all of them.

    Args:
        fault_id: The fault; left out: all.
    """
    with _client(session) as client:
        gone = client.delete(Disarmed, "/chaos/faults", fault_id=fault_id)
    session.out.show(gone, lambda gone: f"{gone.count} faults are disarmed")


@app.command
def kill_matrix(
    *,
    rounds: int = 1,
    seed: int | None = None,
    only: str | None = None,
    session: Here,
) -> int:
    """Kill, stop, crash and hang every actor at every named point, and check the invariants.

    Runs a node of its own in a temporary directory. Exit code 1 when an invariant was broken.

    Args:
        rounds: How often the whole matrix runs.
        seed: Seed of the order and the load; printed, so that a run can be repeated.
        only: Only points whose name holds this text.
    """
    from wattswarm.chaos import kill_matrix as matrix

    return matrix.main(rounds=rounds, seed=seed, only=only, as_json=session.out.as_json)
