"""A boundary inside an actor: one piece of work may fail by a bug of ours, and the rest goes on."""

from collections.abc import Callable
from typing import TypeVar

import attrs

from wattswarm.actors.runtime.crash import describe_failure, traceback_of

T = TypeVar("T")


@attrs.frozen
class Crash:
    """What was raised: a sentence, and the traceback as text."""

    sentence: str
    traceback: str


def attempt(work: Callable[[], T]) -> T | Crash:
    """Return what `work` returns, or what it raised; for work whose failure must stay its own."""
    try:
        return work()
    except Exception as error:  # whatever it is, it concerns this piece of work alone
        return Crash(describe_failure(error), traceback_of(error))
