"""What all tests share: the plugins of `tests/support`."""

pytest_plugins = ["tests.support.postgres"]
