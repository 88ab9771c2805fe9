"""A command ends when it is told to, wherever it was started."""

import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeAlias

import pytest

from wattswarm.cli.main import take_orders

Handler: TypeAlias = "signal.Handlers | Callable[[int, FrameType | None], object]"


def leave_be(_number: int, _frame: FrameType | None) -> None:
    """Stand for a handler that somebody else has installed."""


@pytest.fixture
def restored() -> Iterator[None]:
    """Put the handlers of signals back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("found", [signal.SIG_IGN, signal.default_int_handler], ids=str)
def test_an_order_to_end_interrupts_in_the_background_as_well(found: Handler) -> None:
    signal.signal(signal.SIGINT, found)
    take_orders()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("restored")
def test_whoever_takes_interrupts_already_goes_on_doing_so() -> None:
    signal.signal(signal.SIGINT, leave_be)
    take_orders()
    assert signal.getsignal(signal.SIGINT) is leave_be
