"""Loggers for those who brought none."""

import json
import sys
from typing import Any, Final

import attrs

STRIKES: Final = "a fault strikes"
"""What the line about an injected fault says, so that it can be found in a log."""


class SilentLogger:
    """Writes nothing."""

    __slots__ = ()

    def debug(self, event: str, **fields: Any) -> None: ...
    def info(self, event: str, **fields: Any) -> None: ...
    def warning(self, event: str, **fields: Any) -> None: ...
    def error(self, event: str, **fields: Any) -> None: ...


@attrs.frozen
class LineLogger:
    """Writes a line to stderr for each event above debug: the root collects a worker's stderr."""

    group: str

    def debug(self, event: str, **fields: Any) -> None: ...

    def info(self, event: str, **fields: Any) -> None:
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        details = " ".join(f"{name}={value!r}" for name, value in fields.items())
        sys.stderr.write(f"{level} {self.group}: {event} {details}\n")
        sys.stderr.flush()


def strike_line(number: int, fault: str, place: str) -> None:
    """Say on stderr, at once, that an injected fault strikes now: a line of JSON."""
    entry = {"event": STRIKES, "level": "warning", "number": number, "fault": fault, "at": place}
    sys.stderr.write(f"{json.dumps(entry)}\n")
    sys.stderr.flush()
