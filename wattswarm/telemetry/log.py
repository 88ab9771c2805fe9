"""Structured logs: for people on a terminal, JSON lines elsewhere, and in files that rotate.

A process configures once, at its start. Workers write JSON lines to their stderr; the root process
passes them on with `forward`, so that one stream holds everything in order of arrival.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TextIO, cast

import attrs
import structlog

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
LINE_CHARS_MAX: Final = 65_536
TIME: Final = "timestamp"


@attrs.define(eq=False)
class RotatingFile:
    """A log file that is renamed to FILE.1, FILE.2 … when it has grown; the oldest is dropped."""

    path: Path
    bytes_max: int
    files: int
    _stream: TextIO | None = None

    def write(self, text: str) -> int:
        """Append text, into a new file when this one is full."""
        stream = self._stream or self._open()
        if stream.tell() + len(text) > self.bytes_max and stream.tell():
            stream.close()
            self._rotate()
            stream = self._open()
        return stream.write(text)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._stream is not None:
            self._stream.flush()

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self) -> TextIO:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stream = open(self.path, "a", encoding="utf-8", opener=_private)  # noqa: SIM115 - kept
        self._stream = stream
        return stream

    def _rotate(self) -> None:
        names = [self.path, *(Path(f"{self.path}.{number}") for number in range(1, self.files))]
        names[-1].unlink(missing_ok=True)
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                newer.replace(older)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def configure(*, level: str, style: str = "auto", file: RotatingFile | None = None) -> None:
    """Set up this process's logs, those of libraries included; all logged afterwards follows.

    Args:
        level: The least level that is written: debug, info, warning or error.
        style: `console`, `json`, or `auto`: for people on a terminal, JSON otherwise.
        file: Where to write instead of stderr; always JSON.
    """
    is_json = file is not None or style == "json" or (style == "auto" and not sys.stderr.isatty())
    structlog.configure(
        processors=[*_shared(), *(_json() if is_json else _console())],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", file or sys.stderr)),
        cache_logger_on_first_use=False,
    )
    _bridge()


class Bridge(logging.Handler):
    """Passes on what libraries log in the standard library's way."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record of a library as an entry of ours; no library fails for it."""
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        try:
            structlog.get_logger().log(
                record.levelno, record.getMessage(), library=record.name, exc_info=exc_info
            )
        except (OSError, ValueError):  # the stream has ended, or the disk is full
            self.handleError(record)


def _bridge() -> None:
    root = logging.getLogger()
    root.handlers = [Bridge(logging.WARNING)]
    root.setLevel(logging.WARNING)


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _stamp,
        structlog.processors.StackInfoRenderer(),
    ]


_now = structlog.processors.TimeStamper(fmt="iso", utc=True, key=TIME)


def _stamp(logger: Any, method: str, entry: Any) -> Any:
    """Date an entry, unless a worker dated it already."""
    return entry if TIME in entry else _now(logger, method, entry)


def _json() -> list[Any]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ]


def _console() -> list[Any]:
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key=TIME)]


def forward(line: bytes, **bound: object) -> None:
    """Log a line that a worker wrote: its own entry when it is one, otherwise as it stands."""
    text = line.decode("utf-8", "replace").rstrip()[:LINE_CHARS_MAX]
    log = structlog.get_logger()
    entry = _entry(text)
    if entry:
        level = str(entry.pop("level", "info"))
        said = str(entry.pop("event", ""))
        log.log(LEVELS.get(level, logging.INFO), said, **{**bound, **entry})
    elif text:
        log.warning("worker_output", text=text, **bound)


def _entry(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", entry) if "event" in entry else {}
