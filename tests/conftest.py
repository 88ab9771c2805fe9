"""What all tests share: the plugins of `tests/support`, and how properties are tried.

Speed is no property: a busy machine makes no example fail. `--hypothesis-seed=N` replays a run.
"""

import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from wattswarm.telemetry.log import Bridge

pytest_plugins = ["tests.support.postgres"]

settings.register_profile(
    "suite",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Leave logging as it was found: what a test sets up writes to a stream that ends with it."""
    before, root = structlog.get_config(), logging.getLogger()
    level = root.level
    yield
    structlog.configure(**before)
    root.handlers = [each for each in root.handlers if not isinstance(each, Bridge)]
    root.setLevel(level)
