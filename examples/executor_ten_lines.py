from wattswarm.executors import ExecuteRequest, Executor

executor = Executor(name="shout", task_types=["shout"])


@executor.execute
def shout(request: ExecuteRequest) -> dict[str, str]:
    return {"answer": str(request.inputs["text"]).upper()}


executor.run(listen="127.0.0.1:8787")
