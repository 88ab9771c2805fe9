"""What deriving a task from scratch costs per event, for a short task and for a long one.

Counted in time of the processor, which others on the machine disturb least. Baseline: the same
events made of their stored bytes, and nothing derived.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from bench.long_task import LongTask, long_task
from bench.report import Result, middle
from wattswarm.kernel.event import restore
from wattswarm.kernel.task import derive

SIZES: Final = (20, 200, 2_000)
EVENTS_TIMED: Final = 20_000
"""Events of all rounds of one size together."""


def derive_costs(events_timed: int = EVENTS_TIMED) -> Sequence[Result]:
    """Measure each size; the last row is an event of the longest task over one of the shortest."""
    found = [_cost(size, max(3, events_timed // size)) for size in SIZES]
    grown = found[-1].value / found[0].value
    return [*found, Result(metric="derive_growth", value=grown, unit="ratio", n=SIZES[-1])]


def _cost(size: int, rounds: int) -> Result:
    told = long_task(size)
    check(told)
    bodies = [(event.body, event.signature) for event in told.events]
    known = told.governance()
    derived = [_us(lambda: derive(told.task_id, told.events, known)) / size for _ in range(rounds)]
    raw = [_us(lambda: [restore(*each) for each in bodies]) / size for _ in range(rounds)]
    return Result(
        metric=f"derive_event_us_{size}",
        value=middle(derived),
        unit="us",
        baseline=middle(raw),
        n=size * rounds,
    )


def check(told: LongTask) -> None:
    """Assert that every event of a task takes effect."""
    state = derive(told.task_id, told.events, told.governance())
    assert not state.pending, [hold for _, hold in state.pending.values()]


def _us(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return (time.process_time() - began) * 1e6
