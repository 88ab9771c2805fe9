"""The registry of executors."""

from typing import Final

from wattswarm.api.operation import PREFIX, Operation
from wattswarm.surface.executor import (
    ExecutorCheck,
    ExecutorList,
    ExecutorSpec,
    ExecutorView,
    Removed,
)

EXECUTORS: Final = f"{PREFIX}/executors"

OPERATIONS: Final = (
    Operation(
        method="GET",
        path=EXECUTORS,
        name="list_executors",
        summary="All executors, with their health.",
        call=lambda call: call.api.executors(),
        answer=ExecutorList,
    ),
    Operation(
        method="POST",
        path=EXECUTORS,
        name="add_executor",
        summary="Add an executor, or change the one of that name.",
        call=lambda call: call.api.add_executor(call.body),
        body=ExecutorSpec,
        answer=ExecutorView,
        status=201,
        codes=("executor_invalid",),
    ),
    Operation(
        method="DELETE",
        path=f"{EXECUTORS}/{{name}}",
        name="remove_executor",
        summary="Remove an executor; work in flight is finished.",
        call=lambda call: call.api.remove_executor(call.path["name"]),
        answer=Removed,
        codes=("not_found",),
    ),
    Operation(
        method="POST",
        path=f"{EXECUTORS}/{{name}}/check",
        name="check_executor",
        summary="Ask an executor for its health and capabilities, now.",
        call=lambda call: call.api.check_executor(call.path["name"]),
        answer=ExecutorCheck,
        codes=("not_found",),
    ),
)
