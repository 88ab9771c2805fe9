"""Try what hostile authors can bring about: `python -m tests.hostile --histories 100 --seed N`."""

import argparse
import random
import sys
from collections.abc import Sequence

from tests.hostile import properties
from tests.laws.report import Law, report

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
    return [Law(0, name) for name in names]


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
    return report(parser, arguments, try_all, histories=100)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
