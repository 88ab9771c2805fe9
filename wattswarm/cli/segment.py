"""A name that a user gave, as a part of a path of the API: it means this name and nothing else."""

from typing import Final
from urllib.parse import quote

from wattswarm.cli.failure import usage

NO_NAMES: Final = frozenset({"", ".", ".."})
"""Parts of a path that are no names: HTTP clients take the path for another because of them."""


def segment(name: str) -> str:
    """Return a name as it stands in a path.

    Raises:
        Failure: It is none, and would name something else.
    """
    if not NO_NAMES.isdisjoint(name.split("/")):
        raise usage(f"{name!r} is not the name of anything")
    return quote(name)
