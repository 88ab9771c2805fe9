"""Time spans as people type them."""

import re
from typing import Final

from wattswarm.cli.failure import usage

SPAN: Final = re.compile(r"(\d{1,9})(ms|s|m|h)\Z", re.ASCII)
UNIT_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def span_ms(word: str) -> int:
    """Return the milliseconds of a span like 500ms, 30s, 10m or 2h.

    Raises:
        Failure: It is not one.
    """
    found = SPAN.match(word)
    if not found:
        raise usage(f"{word} is not a time span", "give it as 500ms, 30s, 10m or 2h")
    return int(found[1]) * UNIT_MS[found[2]]
