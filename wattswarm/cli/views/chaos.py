"""Faults on a terminal."""

from rich.console import RenderableType
from rich.text import Text

from wattswarm.cli.views.style import clock, table
from wattswarm.surface.chaos import ArmedFault, ChaosView, FaultPoints


def points_view(points: FaultPoints) -> RenderableType:
    """Return the named places, one a line."""
    made = table("actor", "point", "process", "passed", numbers=("passed",))
    for point in points.items:
        made.add_row(Text(point.actor, "bold"), point.name, point.placement, _count(point.passed))
    return made


def _count(passed: int | None) -> str:
    return "–" if passed is None else str(passed)


def chaos_view(chaos: ChaosView) -> RenderableType:
    """Return what is armed."""
    if not chaos.armed:
        return Text(f"nothing is armed; {chaos.struck_total} faults have struck")
    made = table("id", "fault", "target", "point", "struck", "until", numbers=("id", "struck"))
    for armed in chaos.armed:
        order = armed.order
        made.add_row(
            str(armed.fault_id),
            Text(order.fault, "bold red"),
            order.target,
            order.point or "anywhere",
            f"{armed.struck} of {order.times}",
            clock(armed.expires_at)[:8],
        )
    return made


def armed_view(armed: ArmedFault) -> RenderableType:
    """Return what was armed."""
    where = f" at {armed.order.point}" if armed.order.point else ""
    told = f"fault {armed.fault_id}: {armed.order.fault} of {armed.order.target}{where}"
    return Text(f"{told}, until {clock(armed.expires_at)[:8]}", "bold red")
