"""What executors were asked, as they wrote it down themselves: a line of JSON for each request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import attrs


@attrs.frozen(kw_only=True)
class Call:
    """One request: to which executor, for what, its `Idempotency-Key`, when by the wall clock."""

    executor: str
    call: str
    key: str
    at_ns: int

    def line(self) -> bytes:
        """Return it as one line, to be written at once: no crash tears it."""
        return json.dumps(attrs.asdict(self)).encode() + b"\n"


def read_calls(path: Path) -> Iterator[Call]:
    """Yield the requests in a journal, in the order of their arrival."""
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        fields = cast("dict[str, str | int]", json.loads(line))
        yield Call(
            executor=str(fields["executor"]),
            call=str(fields["call"]),
            key=str(fields["key"]),
            at_ns=int(fields["at_ns"]),
        )
