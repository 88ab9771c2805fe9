"""Logs of a worker process: JSON lines on stderr, which the root process passes on."""

from typing import Any

import structlog

from wattswarm.telemetry.log import configure


def set_up(level: str) -> Any:
    """Set this worker's logs up, and return the logger that its actors' loggers are bound from."""
    configure(level=level, style="json")
    return structlog.get_logger()
