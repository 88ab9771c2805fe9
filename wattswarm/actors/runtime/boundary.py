"""A boundary inside an actor: one piece of work may fail by a bug of ours, and the rest goes on."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from wattswarm.actors.runtime.crash import describe_failure, traceback_of
from wattswarm.actors.runtime.errors import ActorError

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


async def attempt_async(
    work: Callable[[], Awaitable[T]], *, expected: tuple[type[Exception], ...] = ()
) -> T | Crash:
    """Return what `work` returns, or what it raised; see `attempt`.

    Args:
        expected: Raised on, as the errors of the actor runtime are: whoever asks knows them.
    """
    try:
        return await work()
    except (ActorError, *expected):
        raise
    except Exception as error:  # whatever it is, it concerns this piece of work alone
        return Crash(describe_failure(error), traceback_of(error))
