"""A node that is stopped while another writes in its place, and wakes up believing in itself."""

import json

import pytest

from wattswarm.chaos import kill_matrix
from wattswarm.chaos.invariants import Invariant


@pytest.mark.timeout(240)
def test_a_stopped_writer_that_wakes_up_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status = kill_matrix.main(rounds=1, seed=1, only="stopped old writer", as_json=True)
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert status == 0, told.err
    assert found["faults_struck"] == found["faults_armed"] == 1
    (writers,) = (one for one in found["invariants"] if one["name"] == Invariant.WRITER.value)
    assert writers["checked"] > 0
    assert writers["violations"] == 0
