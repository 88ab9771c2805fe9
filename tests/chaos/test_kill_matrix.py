"""One round of the kill matrix, as `wattswarm chaos kill-matrix` runs it."""

import json
import subprocess
import sys

import pytest

POINTS_MIN = 30
ROUND_S_MAX = 900


@pytest.mark.timeout(ROUND_S_MAX + 60)
def test_a_round_of_the_kill_matrix_violates_nothing() -> None:
    command = [sys.executable, "-m", "wattswarm", "--json", "chaos", "kill-matrix"]
    done = subprocess.run(command, capture_output=True, timeout=ROUND_S_MAX, check=False)
    told = done.stderr.decode("utf-8", "replace")[-6_000:]
    assert done.stdout, told
    found = json.loads(done.stdout)
    assert found["not_struck"] == [], told
    assert found["violations_total"] == 0, (found["seed"], found["invariants"], told)
    assert found["faults_struck"] == found["faults_armed"]
    assert found["points"] >= POINTS_MIN
    assert all(invariant["checked"] > 0 for invariant in found["invariants"])
    assert done.returncode == 0
