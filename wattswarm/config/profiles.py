"""Named sets of settings that stand between the built-in values and the file."""

from collections.abc import Mapping
from typing import Final

from wattswarm.config.setting import Plain

ACTORS: Final = (
    "postgres",
    "sel_writer",
    "projection_builder",
    "executor_dispatcher",
    "verifier",
    "http_api",
)

GROUPS: Final = ("root", "log", "projection", "dispatch", "ingest")

COMPACT: Final[Mapping[str, Plain]] = {
    **{f"actors.{name}.placement": "root" for name in ACTORS},
    "store.readers": 2,
}

TEST: Final[Mapping[str, Plain]] = {
    "node.start_ms": 30_000,
    "node.stop_ms": 8_000,
    "store.fsync": False,
    "store.disk_free_mib_min": 16,
    "api.request_ms": 10_000,
    "api.stream_heartbeat_ms": 200,
    "duties.scan_ms": 50,
    "executors.health_ms": 1_000,
    "executors.health_every_ms": 500,
    "executors.execute_ms": 10_000,
    "executors.verify_ms": 10_000,
    "executors.backoff_ms": 10,
    "executors.breaker_open_ms": 200,
    **{f"actors.{name}.backoff_ms": 5 for name in ACTORS},
    **{f"actors.{name}.backoff_ms_max": 100 for name in ACTORS},
    **{f"actors.{name}.backoff_reset_ms": 2_000 for name in ACTORS},
    **{f"groups.{name}.backoff_ms": 5 for name in GROUPS},
    **{f"groups.{name}.backoff_ms_max": 100 for name in GROUPS},
    **{f"groups.{name}.backoff_reset_ms": 2_000 for name in GROUPS},
    "actors.sel_writer.hang_after_ms": 3_000,
    "actors.projection_builder.hang_after_ms": 5_000,
    "actors.verifier.hang_after_ms": 5_000,
}

SETTINGS_BY_PROFILE: Final[Mapping[str, Mapping[str, Plain]]] = {
    "default": {},
    "compact": COMPACT,
    "test": TEST,
}
