"""How ids, times and signed values are written in documents."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, cast

import msgspec

Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]*$", description="Bytes in lower-case hex.")]

Time = Annotated[
    str,
    msgspec.Meta(
        description="RFC 3339 in UTC, with milliseconds.", extra_json_schema={"format": "date-time"}
    ),
]


VerdictWord = Literal["effective", "waiting", "ignored"]
"""What became of an event."""


def when(ms: int) -> Time:
    """Return milliseconds since the Unix epoch as RFC 3339; what no calendar holds, as its end."""
    last_ms = 253_402_300_799_999
    stamp = datetime.fromtimestamp(min(ms, last_ms) // 1_000, UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{min(ms, last_ms) % 1_000:03d}Z"


def moment(time: Time) -> int:
    """Return the milliseconds since the Unix epoch of an RFC 3339 time.

    Raises:
        ValueError: It is not one.
    """
    return round(datetime.fromisoformat(time).timestamp() * 1_000)


def plain(value: object) -> object:
    """Return a signed value as JSON can hold it: bytes as hex, sequences as lists."""
    match value:
        case bytes():
            return value.hex()
        case Mapping():
            fields = cast("Mapping[str, object]", value)
            return {key: plain(item) for key, item in fields.items()}
        case list() | tuple():
            return [plain(item) for item in cast("Sequence[object]", value)]
        case _:
            return value
