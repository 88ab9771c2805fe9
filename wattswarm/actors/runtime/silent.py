"""A logger for those who gave none."""

from typing import Any


class SilentLogger:
    """Writes nothing."""

    __slots__ = ()

    def debug(self, event: str, **fields: Any) -> None: ...
    def info(self, event: str, **fields: Any) -> None: ...
    def warning(self, event: str, **fields: Any) -> None: ...
    def error(self, event: str, **fields: Any) -> None: ...
