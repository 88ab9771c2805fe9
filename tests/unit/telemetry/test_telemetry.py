"""Logs rotate and pass on what workers wrote; metrics come from one table."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from wattswarm.telemetry.log import RotatingFile, configure, forward
from wattswarm.telemetry.metrics import BY_NAME, METRICS, Reading, exposition


@pytest.fixture
def file(tmp_path: Path) -> Iterator[RotatingFile]:
    file = RotatingFile(tmp_path / "logs" / "node.log", bytes_max=2_000, files=3)
    configure(level="info", file=file)
    yield file
    file.close()


def entries(file: RotatingFile) -> list[dict[str, object]]:
    file.flush()
    return [json.loads(line) for line in file.path.read_text().splitlines()]


def test_entries_are_json_lines_with_time_level_and_context(file: RotatingFile) -> None:
    with structlog.contextvars.bound_contextvars(actor="sel_writer"):
        structlog.get_logger().info("appended", events=3)
        structlog.get_logger().debug("unseen")
    (entry,) = entries(file)
    assert entry.pop("timestamp")
    assert entry == {"event": "appended", "level": "info", "events": 3, "actor": "sel_writer"}


def test_files_rotate_and_the_oldest_is_dropped(file: RotatingFile) -> None:
    for number in range(200):
        structlog.get_logger().info("line", number=number)
    kept = sorted(path.name for path in file.path.parent.iterdir())
    assert kept == ["node.log", "node.log.1", "node.log.2"]
    assert all(path.stat().st_size <= 2_000 for path in file.path.parent.iterdir())
    assert entries(file)[-1]["number"] == 199


def test_a_log_file_is_private(file: RotatingFile) -> None:
    structlog.get_logger().info("line")
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_workers_entry_keeps_its_time_and_level(file: RotatingFile) -> None:
    line = {"event": "hung", "level": "error", "timestamp": "2026-01-01T00:00:00Z", "actor": "a"}
    forward(json.dumps(line).encode(), group="log")
    assert entries(file) == [{**line, "group": "log"}]


@pytest.mark.parametrize("line", [b"Traceback\n", b"{", b'{"a": 1}', b"[1]", b"\xff", b"{" * 3_000])
def test_what_is_not_an_entry_is_passed_on_as_it_stands(file: RotatingFile, line: bytes) -> None:
    forward(line, group="log")
    (entry,) = entries(file)
    assert entry["event"] == "worker_output"
    assert entry["group"] == "log"


def test_an_empty_line_says_nothing(file: RotatingFile) -> None:
    forward(b"\n")
    structlog.get_logger().info("after")
    assert len(entries(file)) == 1


def test_what_libraries_log_is_passed_on_with_its_traceback(file: RotatingFile) -> None:
    library = logging.getLogger("some.library")
    library.info("unseen")
    try:
        int("broken")
    except ValueError:
        library.exception("it failed: %s", "so")
    (entry,) = entries(file)
    assert (entry["event"], entry["level"], entry["library"]) == (
        "it failed: so",
        "error",
        "some.library",
    )
    assert "ValueError: invalid literal" in str(entry["exception"])


def test_every_metric_has_a_name_of_ours_and_a_base_unit() -> None:
    assert len(BY_NAME) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith("wattswarm_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")


def test_readings_become_prometheus_text() -> None:
    text = exposition(
        [Reading("wattswarm_ready", 1), Reading("wattswarm_actor_restarts_total", 2, ("a",))]
    ).decode()
    assert "wattswarm_ready 1.0\n" in text
    assert 'wattswarm_actor_restarts_total{actor="a"} 2.0\n' in text
    assert "# TYPE wattswarm_actor_restarts_total counter" in text


@pytest.mark.usefixtures("file")
def test_a_library_does_not_fail_when_the_log_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(_file: RotatingFile, _text: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RotatingFile, "write", write)
    logging.getLogger("library").warning("lost")
    assert "No space left on device" in capsys.readouterr().err
