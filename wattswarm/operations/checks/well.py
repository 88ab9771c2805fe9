"""What is said where nothing ails."""

from wattswarm.surface.node import Finding


def ok(area: str, message: str) -> Finding:
    """Return that an area is well."""
    return Finding(area=area, level="ok", message=message)
