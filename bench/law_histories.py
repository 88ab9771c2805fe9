"""How many histories per second the laws of the kernel are tried on, by their own command.

Baseline: the same histories generated, and no law tried.
"""

import random
import subprocess
import sys
import time
from typing import Final

from bench.report import Result
from tests.laws.__main__ import SIZE
from tests.laws.histories import history

HISTORIES: Final = 10
SEED: Final = 1
TIME_S: Final = 120.0


def law_rate(histories: int = HISTORIES) -> Result:
    """Measure the command with so many histories, start and honest runs included."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "tests.laws", "--histories", str(histories)]
    tried = subprocess.run(
        [*command, "--seed", str(SEED)], capture_output=True, text=True, timeout=TIME_S, check=False
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    rate = histories / (time.perf_counter() - began)
    return Result(
        metric="law_histories_per_s",
        value=rate,
        unit="1/s",
        baseline=_raw_rate(histories),
        n=histories,
    )


def _raw_rate(histories: int) -> float:
    began = time.perf_counter()
    for index in range(histories):
        history(random.Random(f"{SEED} {index}"), SIZE)
    return histories / (time.perf_counter() - began)
