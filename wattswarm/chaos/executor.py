"""A small real executor that writes down each request before it answers it.

`python -m wattswarm.chaos.executor --name a --calls FILE`. Its work is cheap and deterministic. A
task whose inputs say `fail_first` gets an error for its first attempt, so that reports and retries
occur.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import Final

from wattswarm.chaos.calls import Call
from wattswarm.executors.contract import ExecuteRequest
from wattswarm.executors.fields import Json
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.sdk import Executor

TASK_TYPE: Final = "count"
REMEMBERED_MAX: Final = 4_096


def counting_executor(name: str, journal: int) -> Executor:
    """Return an executor that appends a line about each request to the file `journal`."""
    executor = Executor(name=name, task_types=[TASK_TYPE])
    refused: dict[str, str] = {}

    def note(call: str, key: str) -> None:
        os.write(journal, Call(executor=name, call=call, key=key, at_ns=time.time_ns()).line())

    @executor.execute
    def count(request: ExecuteRequest) -> Json:  # pyright: ignore[reportUnusedFunction]
        if request.inputs.get("fail_first") is True:
            first = refused.setdefault(request.task_id, request.execution_id)
            if len(refused) > REMEMBERED_MAX:
                del refused[next(iter(refused))]
            if first == request.execution_id:
                raise WorkRefused("the first attempt of this task fails on purpose")
        words = str(request.inputs.get("text", "")).split()
        return {"answer": f"{len(words)} words", "words": len(words)}

    executor.on_request = note
    return executor


def main(arguments: Sequence[str]) -> None:
    """Serve until told to stop; the address is told in one line of JSON on stdout."""
    parser = argparse.ArgumentParser(prog="wattswarm.chaos.executor")
    parser.add_argument("--name", required=True)
    parser.add_argument("--calls", required=True)
    options = parser.parse_args(arguments)
    journal = os.open(options.calls, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    counting_executor(options.name, journal).run("127.0.0.1:0")


if __name__ == "__main__":
    main(sys.argv[1:])
