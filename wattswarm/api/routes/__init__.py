"""The table of all operations, in the order in which the documentation shows them."""

from typing import Final

from wattswarm.api.operation import Operation
from wattswarm.api.routes import (
    actors,
    artifacts,
    board,
    chaos,
    controls,
    executors,
    governance,
    log,
    market,
    merit,
    node,
    statements,
    tasks,
    topics,
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *node.OPERATIONS,
    *tasks.OPERATIONS,
    *artifacts.OPERATIONS,
    *controls.OPERATIONS,
    *market.OPERATIONS,
    *merit.OPERATIONS,
    *governance.OPERATIONS,
    *statements.OPERATIONS,
    *topics.OPERATIONS,
    *board.OPERATIONS,
    *executors.OPERATIONS,
    *log.OPERATIONS,
    *actors.OPERATIONS,
    *chaos.OPERATIONS,
)
