"""Tell stories: `python -m examples.stories [NAME ...] [--seed N]`; without a name, all of them.

Ends with 0 when every story went as it says, and with 1 when one did not.
"""

import argparse
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from examples.stories import (
    backdater,
    epochs,
    equivocator,
    handover,
    penalty,
    reuse,
    revocation,
    squatter,
)
from examples.stories.tale import NotSo, Tale

STORIES: Mapping[str, Callable[[Tale, random.Random], None]] = {
    "equivocator": equivocator.play,
    "squatter": squatter.play,
    "backdater": backdater.play,
    "revocation": revocation.play,
    "penalty": penalty.play,
    "epochs": epochs.play,
    "handover": handover.play,
    "reuse": reuse.play,
}


def perform(name: str, seed: int, write: Callable[[str], None]) -> str | None:
    """Tell one story; return None when it went as it says, else what did not hold."""
    write(f"{name} (seed {seed}): {sys.modules[STORIES[name].__module__].__doc__}")
    try:
        STORIES[name](Tale(write), random.Random(f"{name} {seed}"))
    except NotSo as failure:
        write(f"  ✗ It does not hold that {failure}")
        return str(failure)
    return None


def main(arguments: Sequence[str]) -> int:
    """Tell the stories that are named; 0 when all went as they say."""
    parser = argparse.ArgumentParser(prog="python -m examples.stories", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STORIES))
    parser.add_argument("--seed", type=int, default=1, help="draw delays and clocks from this")
    chosen = parser.parse_args(arguments)
    names = cast("list[str]", chosen.names) or [*STORIES]
    if unknown := [name for name in names if name not in STORIES]:
        parser.error(f"no story is called {unknown[0]}; there are {', '.join(STORIES)}")
    failed = [name for name in names if perform(name, cast("int", chosen.seed), _print)]
    _print(f"{len(names) - len(failed)} of {len(names)} stories went as they say.")
    return 1 if failed else 0


def _print(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
