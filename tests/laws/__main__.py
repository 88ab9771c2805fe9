"""Try the laws, one line for each: `python -m tests.laws --histories 200 --seed N`."""

import argparse
import random
import sys
from collections.abc import Callable, Sequence

from tests.laws import honest_laws, set_laws
from tests.laws.cost_law import check_cost
from tests.laws.histories import History, history
from tests.laws.input_law import check_inputs
from tests.laws.report import Law, report

SIZE = 110

Check = Callable[[Law, History, random.Random, str], None]


def laws() -> list[Law]:
    """Return the laws, none of them tried yet."""
    names = (
        "superset",
        "non-interference",
        "irrevocable",
        "order",
        "stratified",
        "no local inputs",
        "cost",
        "skew",
        "crash-sign",
    )
    return [Law(number, name) for number, name in enumerate(names, start=1)]


def try_laws(seed: int, histories: int) -> list[Law]:
    """Try all laws on as many histories, and on honest runs in proportion."""
    tried = laws()
    on_sets: Sequence[Check] = (
        set_laws.check_superset,
        set_laws.check_non_interference,
        set_laws.check_irrevocable,
        set_laws.check_order,
        set_laws.check_stratified,
    )
    for index in range(histories):
        rng = random.Random(f"{seed} {index}")
        made = history(rng, SIZE)
        for law, check in zip(tried, on_sets, strict=False):
            check(law, made, rng, f"history {index}")
    rng = random.Random(seed)
    check_inputs(tried[5], seed, max(1, histories // 5), SIZE)
    check_cost(tried[6], rng)
    honest_laws.check_skew(tried[7], rng, max(len(honest_laws.SCENARIOS), histories // 5))
    honest_laws.check_crashes(tried[8], rng, max(4, histories))
    return tried


def main(arguments: Sequence[str]) -> int:
    """Print one line per law, and what was violated; return 0 when nothing was."""
    parser = argparse.ArgumentParser(prog="python -m tests.laws", description=__doc__)
    return report(parser, arguments, try_laws, histories=200)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
