"""What the doctor says of work, whatever the dispatcher tells of itself."""

from collections.abc import Mapping
from typing import Any

import pytest

from wattswarm.operations.checks.actors import work_finding


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ({"set_aside": {"count": 0}}, "ok"),
        ({"set_aside": {"count": 2}}, "error"),
        ({}, "warning"),  # it is being started
    ],
)
def test_the_doctor_tells_of_tasks_that_are_set_aside(told: Mapping[str, Any], level: str) -> None:
    finding = work_finding(told)
    assert finding.area == "work"
    assert finding.level == level
    assert (finding.remedy == "") == (level == "ok")
