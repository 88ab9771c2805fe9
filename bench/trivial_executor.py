"""An executor whose work is nothing, so that what is measured is everything else."""

from wattswarm.executors.contract import ExecuteRequest, VerifyRequest
from wattswarm.executors.fields import Json
from wattswarm.executors.sdk import Executor

executor = Executor(task_types=["bench"], profiles=["default"], name="trivial")


@executor.execute
async def answer(request: ExecuteRequest) -> Json:
    """Say the least that may be said."""
    return {"answer": request.task_id}


@executor.verify
async def approve(request: VerifyRequest) -> bool:
    """Find everything good."""
    return True


if __name__ == "__main__":
    executor.run(listen="127.0.0.1:0")
