"""Calls of executors are spans of their task's trace."""

import re

from wattswarm.actors.dispatch.asking import traceparent
from wattswarm.executors.contract import ExecuteRequest

FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")


def _trace(task: str, execution: str) -> str:
    request = ExecuteRequest(
        task_id=task * 32, execution_id=execution * 32, task_type="t", profile="p", inputs={}
    )
    return traceparent(request)


def test_each_task_is_a_trace_and_each_execution_a_span_of_it() -> None:
    first, second, other = _trace("ab", "01"), _trace("ab", "02"), _trace("cd", "01")
    assert all(FORM.match(each) for each in (first, second, other))
    assert first.split("-")[1] == second.split("-")[1] != other.split("-")[1]
    assert first != second
