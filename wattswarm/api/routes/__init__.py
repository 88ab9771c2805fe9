"""The table of all operations, in the order in which the documentation shows them."""

from typing import Final

from wattswarm.api.operation import Operation
from wattswarm.api.routes import actors, chaos, controls, executors, log, market, node, tasks

OPERATIONS: Final[tuple[Operation, ...]] = (
    *node.OPERATIONS,
    *tasks.OPERATIONS,
    *controls.OPERATIONS,
    *market.OPERATIONS,
    *executors.OPERATIONS,
    *log.OPERATIONS,
    *actors.OPERATIONS,
    *chaos.OPERATIONS,
)
