"""A boundary inside an actor keeps a bug to the piece of work that it struck."""

import pytest

from wattswarm.actors.runtime.boundary import Crash, attempt, attempt_async
from wattswarm.actors.runtime.errors import InjectedCrash


def fail() -> None:
    raise ZeroDivisionError("a bug")


async def fail_later(error: Exception) -> None:
    raise error


def test_what_was_raised_is_told_with_its_traceback() -> None:
    made = attempt(fail)
    assert isinstance(made, Crash)
    assert made.sentence == "ZeroDivisionError: a bug"
    assert "in fail" in made.traceback


async def test_what_is_awaited_has_the_same_boundary() -> None:
    made = await attempt_async(lambda: fail_later(ZeroDivisionError("a bug")))
    assert isinstance(made, Crash)
    assert "in fail_later" in made.traceback


@pytest.mark.parametrize("error", [KeyError("expected"), InjectedCrash(point="here")])
async def test_what_is_expected_passes(error: Exception) -> None:
    with pytest.raises(type(error)):
        await attempt_async(lambda: fail_later(error), expected=(KeyError,))
