"""What all tests share: the plugins of `tests/support`, and how properties are tried.

Speed is no property: a busy machine makes no example fail. `--hypothesis-seed=N` replays a run.
"""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres"]

settings.register_profile(
    "suite",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")
