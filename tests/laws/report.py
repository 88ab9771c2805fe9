"""What a law found: how often it was checked, and where it did not hold."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import attrs

SHOWN_MAX = 5


@attrs.define
class Law:
    """One law, and the tally of its checks; those of number 0 are told by their names alone."""

    number: int
    name: str
    checks: int = 0
    violations: list[str] = attrs.field(factory=list[str])

    def check(self, holds: bool, where: str) -> None:
        """Count one check, and remember where it failed."""
        self.checks += 1
        if not holds:
            self.violations.append(where)

    def __str__(self) -> str:
        name = f"law {self.number} {self.name}" if self.number else self.name
        return f"{name}: {self.checks} checks, {len(self.violations)} violations"


def report(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str],
    trying: Callable[[int, int], Sequence[Law]],
    *,
    histories: int,
) -> int:
    """Print one line per law, and what was violated; return 0 when nothing was.

    Args:
        trying: Tries the laws with a seed on so many histories; `histories` unless told otherwise.
    """
    parser.add_argument("--histories", type=int, default=histories)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    seed = time.time_ns() % 1_000_000 if options.seed is None else options.seed
    sys.stdout.write(f"seed {seed}, {options.histories} histories\n")
    tried = trying(seed, options.histories)
    for law in tried:
        sys.stdout.write(f"{law}\n")
        for where in law.violations[:SHOWN_MAX]:
            sys.stdout.write(f"    {where}\n")
    return 0 if all(not law.violations for law in tried) else 1
