"""Try what hostile authors can bring about: `python -m tests.hostile --histories 100 --seed N`."""

import argparse
import random
import sys
import time
from collections.abc import Sequence

from tests.hostile import properties
from tests.laws.report import Law

SHOWN_MAX = 5
COSTS_EVERY = 20


def laws() -> list[Law]:
    """Return the properties, none of them tried yet."""
    names = (
        "decided",
        "outcomes",
        "quorums",
        "verdicts",
        "effects",
        "progress",
        "agreement",
        "cost",
    )
    return [Law(number, name) for number, name in enumerate(names, start=1)]


def try_all(seed: int, histories: int) -> list[Law]:
    """Attack as many honest runs that are over, as many that are not, and count the cost."""
    decided, outcomes, quorums, verdicts, effects, progress, agreement, cost = tried = laws()
    checks = (
        (outcomes, properties.check_outcomes),
        (quorums, properties.check_quorums),
        (verdicts, properties.check_verdicts),
        (effects, properties.check_effects),
    )
    for index in range(histories):
        where = f"history {index}"
        made = properties.assault(random.Random(f"{seed} {index}"), decided)
        for law, check in checks:
            check(law, made, where)
        properties.check_progress(progress, random.Random(f"{seed} {index} progress"), where)
        properties.check_agreement(agreement, random.Random(f"{seed} {index} agreement"), where)
        if index % COSTS_EVERY == 0:
            properties.check_cost(cost, random.Random(f"{seed} {index} cost"), where)
    return tried


def main(arguments: Sequence[str]) -> int:
    """Print one line per property, and what was violated; return 0 when nothing was."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    seed = time.time_ns() % 1_000_000 if options.seed is None else options.seed
    sys.stdout.write(f"seed {seed}, {options.histories} histories\n")
    tried = try_all(seed, options.histories)
    for law in tried:
        sys.stdout.write(f"{law.name}: {law.checks} checks, {len(law.violations)} violations\n")
        for where in law.violations[:SHOWN_MAX]:
            sys.stdout.write(f"    {where}\n")
    return 0 if all(not law.violations for law in tried) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
