"""How every process of a node is set up, the root's and the workers'."""

import gc
from typing import Any, Final

from wattswarm.telemetry import worker

COLLECT_AFTER: Final = (20_000, 20, 50)
"""Objects made before the young are looked through, and how many times that before the older are.

Actors hold thousands of derived tasks, which refer to each other in no circles; looking through
them as often as Python does by itself takes a quarter of the time of deriving them.
"""


def set_up_worker(level: str) -> Any:
    """Set a worker process up, and return the logger that its actors' loggers are bound from."""
    calm_collector()
    return worker.set_up(level)


def calm_collector() -> None:
    """Leave what was imported out of the search for circles, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
