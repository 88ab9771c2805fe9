"""Executors made with the SDK, served on loopback."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import attrs
import httpx2
import pytest
import trio

from tests.support.executor_side import (
    SCHEMA_CHECKED,
    connected,
    serving,
    verification,
    work,
)
from wattswarm.executors import BodyRef, ExecuteRequest, Executor, Progress, WorkRefused
from wattswarm.executors.contract import REQUEST_BYTES_MAX, Capabilities, Outcome
from wattswarm.executors.errors import ExecutorRefused

EXAMPLES = Path(__file__).parents[3] / "examples"


def _echo() -> Executor:
    executor = Executor(task_types=["echo"], name="echo")

    @executor.execute
    def echo(request: ExecuteRequest) -> object:
        return dict(request.inputs)

    return executor


async def test_an_executor_says_what_it_can_do() -> None:
    async with serving(_echo()) as url, connected(url) as client:
        found = await client.check()
    assert found == Capabilities(
        task_types=("echo",), profiles=("default",), provider_family="local", model_id="code"
    )


async def test_a_function_answers() -> None:
    async with serving(_echo()) as url, connected(url) as client:
        answer = await client.execute(work())
        found = await client.verify(verification({"answer": 1}, policy=SCHEMA_CHECKED))
    assert answer.candidate_output == {"text": "hello"}
    assert (found.outcome, found.score_bp, found.reason_codes) == (Outcome.PASSED, 10_000, (100,))


async def test_the_policy_judges_where_nothing_else_does() -> None:
    async with serving(_echo()) as url, connected(url) as client:
        found = await client.verify(verification({"answer": 1}))
    assert (found.outcome, found.reason_codes) == (Outcome.FAILED, (104,))


async def test_a_verifier_is_told_of_bodies_without_a_place() -> None:
    held = BodyRef(uri="", digest=f"blake3:{'0' * 64}", size_bytes=1, mime="text/plain")
    request = verification({"answer": 1}, policy=SCHEMA_CHECKED)
    candidate = attrs.evolve(request.candidate, output_ref=held, evidence_refs=(held,))
    async with serving(_echo()) as url, connected(url) as client:
        found = await client.verify(attrs.evolve(request, candidate=candidate))
    assert found.outcome is Outcome.PASSED


async def test_progress_reaches_the_caller() -> None:
    executor = Executor(task_types=["echo"])

    @executor.execute
    async def reporting(request: ExecuteRequest, report: object) -> object:
        report(Progress(message="half", fraction=0.5))
        return "done"

    heard: list[Progress] = []
    async with serving(executor) as url, connected(url) as client:
        answer = await client.execute(work(), on_progress=heard.append)
    assert answer.candidate_output == "done"
    assert heard == [Progress(message="half", fraction=0.5)]


class _Counting:
    """An executor that counts its runs, and works until it is let go on."""

    def __init__(self) -> None:
        self.runs = 0
        self.started = trio.Event()
        self.go_on = trio.Event()
        self.executor = Executor(task_types=["echo"])
        self.executor.execute(self.work)

    async def work(self, request: ExecuteRequest) -> object:
        self.runs += 1
        self.started.set()
        await self.go_on.wait()
        if request.inputs.get("fails"):
            raise WorkRefused("not today", code="not_today")
        return self.runs


async def test_the_same_key_is_worked_on_once() -> None:
    counting = _Counting()
    counting.go_on.set()
    async with serving(counting.executor) as url, connected(url) as client:
        first = await client.execute(work())
        second = await client.execute(work())
        other = await client.execute(work(execution_id="e2"))
    assert (first.candidate_output, second.candidate_output, other.candidate_output) == (1, 1, 2)


async def test_a_duplicate_waits_for_the_first() -> None:
    counting = _Counting()
    answers: list[object] = []
    async with serving(counting.executor) as url, connected(url) as client:

        async def ask() -> None:
            answers.append((await client.execute(work())).candidate_output)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            nursery.start_soon(ask)
            await counting.started.wait()
            counting.go_on.set()
    assert answers == [1, 1]


async def test_work_outlives_a_caller_who_leaves() -> None:
    counting = _Counting()
    async with serving(counting.executor) as url, connected(url) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.execute, work())
            await counting.started.wait()
            nursery.cancel_scope.cancel()
        counting.go_on.set()
        answer = await client.execute(work())
    assert answer.candidate_output == 1


async def test_a_key_with_another_request_is_refused() -> None:
    counting = _Counting()
    counting.go_on.set()
    async with serving(counting.executor) as url, connected(url) as client:
        await client.execute(work())
        with pytest.raises(ExecutorRefused, match="idempotency") as caught:
            await client.execute(work(inputs={"text": "other"}))
    assert caught.value.status == 422


async def test_a_failure_is_not_remembered() -> None:
    counting = _Counting()
    counting.go_on.set()
    failing = work(inputs={"fails": True})
    async with serving(counting.executor) as url, connected(url) as client:
        for _ in range(2):
            with pytest.raises(ExecutorRefused, match="not today"):
                await client.execute(failing)
    assert counting.runs == 2


async def test_a_function_that_raises_harms_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    executor = Executor(task_types=["echo"])

    @executor.execute
    def fails(request: ExecuteRequest) -> object:
        return request.inputs["missing"]

    async with serving(executor) as url, connected(url) as client:
        with pytest.raises(ExecutorRefused, match="KeyError") as caught:
            await client.execute(work())
        await client.health()
    assert caught.value.status == 500
    assert "KeyError: 'missing'" in capsys.readouterr().err


async def test_an_output_that_is_no_json_is_the_executors_fault() -> None:
    executor = Executor(task_types=["echo"])

    @executor.execute
    def odd(request: ExecuteRequest) -> object:
        return {1, 2}

    async with serving(executor) as url, connected(url) as client:
        with pytest.raises(ExecutorRefused, match="no JSON") as caught:
            await client.execute(work())
    assert caught.value.status == 500


async def test_foreign_work_is_refused() -> None:
    async with serving(_echo()) as url, connected(url) as client:
        with pytest.raises(ExecutorRefused, match="no task type 'dance'"):
            await client.execute(work(task_type="dance"))


async def test_more_requests_than_places_are_told_to_come_back() -> None:
    counting = _Counting()
    counting.executor.calls_max = 1
    async with (
        serving(counting.executor) as url,
        connected(url) as client,
        httpx2.AsyncClient() as http,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(client.execute, work())
        await counting.started.wait()
        busy = await http.post(f"{url}/execute", json={})
        counting.go_on.set()
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")


async def test_only_callers_with_the_token_are_served() -> None:
    async with serving(_echo(), bearer_token="s3cret") as url:
        async with connected(url) as stranger:
            await stranger.health()
            with pytest.raises(ExecutorRefused, match="bearer token") as caught:
                await stranger.execute(work())
        async with connected(url, environ={"T": "s3cret"}, bearer_token_env="T") as known:
            await known.execute(work())
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/nothing", b"", 404, "no_route"),
        ("GET", "/execute", b"", 405, "no_route"),
        ("POST", "/execute", b"{", 400, "bad_json"),
        ("POST", "/execute", b"{}", 400, "missing_field"),
        ("POST", "/verify", b'{"candidate":1}', 400, "bad_field"),
        ("POST", "/execute", b" " * (REQUEST_BYTES_MAX + 1), 413, "too_large"),
    ],
)
async def test_a_bad_request_gets_a_problem(
    method: str, path: str, content: bytes, status: int, code: str
) -> None:
    async with serving(_echo()) as url, httpx2.AsyncClient(timeout=60) as http:
        response = await http.request(method, f"{url}{path}", content=content)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_served_executor_tells_its_address_and_ends_on_a_signal(number: signal.Signals) -> None:
    argv = [sys.executable, "-W", "error", "-m", "wattswarm.executors", "reference"]
    with subprocess.Popen(
        [*argv, "--listen", "127.0.0.1:0", "--profiles", "lead", "--name", "r"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said == {"event": "listening", "name": "r", "url": said["url"], "pid": process.pid}
        assert httpx2.get(f"{said['url']}/capabilities").json()["profiles"] == ["lead"]
        process.send_signal(number)
        _, complaints = process.communicate()
    assert (process.returncode, complaints) == (0, "")


async def test_the_executor_of_ten_lines_works() -> None:
    code = (EXAMPLES / "executor_ten_lines.py").read_text("utf-8").replace(":8787", ":0")
    async with trio.open_nursery() as nursery:
        process = await nursery.start(
            partial(trio.run_process, [sys.executable, "-c", code], stdout=subprocess.PIPE)
        )
        said = json.loads(await process.stdout.receive_some())
        async with connected(said["url"]) as client:
            answer = await client.execute(work(task_type="shout"))
        process.terminate()
    assert answer.candidate_output == {"answer": "HELLO"}


def test_an_address_that_is_taken_is_told_in_one_line() -> None:
    argv = [sys.executable, "-m", "wattswarm.executors", "reference", "--listen", "203.0.113.1:1"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
