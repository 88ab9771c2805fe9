"""Law 6: derivation has no local inputs. Other processes, otherwise set up, get the same bytes."""

import os
import random
import subprocess
import sys

from tests.laws.histories import history
from tests.laws.report import Law
from tests.laws.set_laws import derived
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.rows import rows
from wattswarm.kernel.views import allocation

SETTINGS = (
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "Asia/Kolkata"},
    {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "America/Caracas"},
)
MODULE = "tests.laws.input_law"


def digests(seed: int, histories: int, size: int) -> list[str]:
    """Return the digests of what the first histories of a seed come to."""
    found: list[str] = []
    for index in range(histories):
        made = history(random.Random(f"{seed} {index}"), size)
        state = derived(made, made.events)
        allocation(state, made.task.created_at + index)  # a view in between changes nothing
        found.append(group_digest(rows(state)).hex())
    return found


def check_inputs(law: Law, seed: int, histories: int, size: int) -> None:
    """Compare with processes that have another hash seed, locale and time zone."""
    expected = digests(seed, histories, size)
    for setting in SETTINGS:
        done = subprocess.run(
            [sys.executable, "-m", MODULE, str(seed), str(histories), str(size)],
            env={**os.environ, **setting},
            capture_output=True,
            text=True,
            check=True,
        )
        found = done.stdout.split()
        law.check(len(found) == len(expected), f"{setting} counts")
        for index, (mine, theirs) in enumerate(zip(expected, found, strict=False)):
            law.check(mine == theirs, f"history {index} under {setting}")


if __name__ == "__main__":
    sys.stdout.write("\n".join(digests(*map(int, sys.argv[1:]))))
