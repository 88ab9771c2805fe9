"""`python -m bench NAME [--json] [--events N] [--seconds S]`: run a bench, print its figures."""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

from bench import report
from bench.report import Options, Result

Run: TypeAlias = Callable[[Options], Sequence[Result]]

BENCHES = ("runtime", "ingest", "tasks", "replay", "start", "kernel")


def main() -> int:
    """Run the bench that the command line names; 0 when it ended, whatever the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--events", type=int, help="events or messages instead of the bench's own number"
    )
    parser.add_argument("--seconds", type=float, help="time to spend instead of the bench's own")
    chosen = parser.parse_args()
    options = Options(
        events=cast("int | None", chosen.events), seconds=cast("float | None", chosen.seconds)
    )
    name = cast("str", chosen.name)
    results = load(name)(options)
    print(report.document(name, results) if chosen.json else report.table(name, results))
    return 0


def load(name: str) -> Run:
    """Return what runs the bench of this name."""
    return cast("Run", importlib.import_module(f"bench.{name}").run)


if __name__ == "__main__":
    sys.exit(main())
