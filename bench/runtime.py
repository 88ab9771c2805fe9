"""The actor runtime: messages, restarts, and what a node takes while it does nothing."""

from collections.abc import Sequence

import trio

from bench.footprint import footprint
from bench.messaging import between, inside
from bench.recovery import restarts, writer_restarts
from bench.report import Options, Result


def run(options: Options) -> Sequence[Result]:
    """Measure all of it; `--events` is the number of messages told inside a process."""
    sizes = {} if options.events is None else {"tells": options.events}
    return [
        *trio.run(lambda: inside(**sizes)),
        *trio.run(lambda: between(**sizes)),
        *trio.run(restarts),
        *trio.run(writer_restarts),
        *footprint(),
    ]
