"""The command executor with real programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.support.executor_side import connected, serving, verification, work
from wattswarm.executors.command import OUTPUT_DIFFERS, Verification, command_executor
from wattswarm.executors.contract import Outcome
from wattswarm.executors.errors import ExecutorRefused
from wattswarm.executors.program import Program
from wattswarm.executors.refusal import WorkRefused

WORD_COUNT = Path(__file__).parents[3] / "examples" / "word_count.py"
COUNT = {"text": "the cat and the dog"}


def _python(code: str, *arguments: str, **limits: int) -> Program:
    argv = (sys.executable, "-c", code, *arguments)
    return Program(argv=argv, environ=dict(os.environ), **limits)


async def test_any_program_is_an_executor() -> None:
    program = Program(argv=(sys.executable, str(WORD_COUNT)), environ={})
    executor = command_executor(program, verification=Verification.RERUN)
    async with serving(executor) as url, connected(url) as client:
        made = (await client.execute(work(inputs=COUNT))).candidate_output
        same = await client.verify(verification(made, inputs=COUNT, task_type="echo"))
        other = {**made, "answer": "6 words, 4 different"}
        differs = await client.verify(verification(other, inputs=COUNT, task_type="echo"))
    assert made["answer"] == "5 words, 4 different"
    assert same.outcome is Outcome.PASSED
    assert (differs.outcome, differs.reason_codes) == (Outcome.FAILED, (OUTPUT_DIFFERS,))


async def test_a_program_may_judge() -> None:
    code = (
        "import json,os,sys; r=json.load(sys.stdin); ok=r['candidate']['output']['answer']=='yes';"
        "print(json.dumps({'passed':ok,'score':ok*0.75,'reason_codes':[100 if ok else 4000]}))"
    )
    executor = command_executor(_python(code), verification=Verification.PROGRAM)
    async with serving(executor) as url, connected(url) as client:
        good = await client.verify(verification({"answer": "yes", "check_summary": "s"}))
        bad = await client.verify(verification({"answer": "no", "check_summary": "s"}))
    assert (good.outcome, good.score_bp) == (Outcome.PASSED, 7_500)
    assert (bad.outcome, bad.reason_codes) == (Outcome.FAILED, (4000,))


async def test_evidence_may_come_with_the_output() -> None:
    code = (
        'print(\'{"candidate_output":1,"evidence_inline":'
        '[{"mime":"text/plain","content":"seen"}]}\')'
    )
    async with serving(command_executor(_python(code))) as url, connected(url) as client:
        answer = await client.execute(work())
    assert answer.candidate_output == 1
    assert [item.content for item in answer.evidence_inline] == ["seen"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.stderr.write('no such word'); sys.exit(3)", "exit status 3; stderr: no"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("print('hello')", "stdout holds no JSON"),
        ("while True: print('x' * 65536)", "more than 1048576 bytes"),
        ('print(\'{"candidate_output":1,"evidence_inline":5}\')', "the program's answer"),
    ],
)
async def test_a_program_that_fails_says_how(code: str, expected: str) -> None:
    async with serving(command_executor(_python(code))) as url, connected(url) as client:
        with pytest.raises(ExecutorRefused) as caught:
            await client.execute(work())
    assert caught.value.status == 500
    assert expected in str(caught.value)


async def test_a_program_that_does_not_exist_is_told() -> None:
    program = Program(argv=("/nonexistent/program",), environ={})
    with pytest.raises(WorkRefused, match="cannot be started"):
        await program.run("execute", {})


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
with open(sys.argv[1], "w") as fifo:
    fifo.write(str(child.pid))
time.sleep(3600)
"""


async def _grandchild(fifo: Path) -> int:
    """Return a pidfd of the process that the program started."""
    text = await trio.to_thread.run_sync(fifo.read_text, abandon_on_cancel=True)
    return os.pidfd_open(int(text))


async def _wait_end(pidfd: int) -> None:
    with trio.fail_after(10):
        await trio.lowlevel.wait_readable(pidfd)
    os.close(pidfd)


async def test_nothing_of_a_slow_program_is_left(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = _python(PARENT, str(fifo), timeout_ms=60_000)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def _run() -> None:
            with pytest.raises(WorkRefused, match="no end within 60000 ms"):
                await program.run("execute", {})

        pidfd = await _grandchild(fifo)
        mock_clock.jump(60)
    await _wait_end(pidfd)


async def test_nothing_of_a_cancelled_program_is_left(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_python(PARENT, str(fifo)).run, "execute", {})
        pidfd = await _grandchild(fifo)
        nursery.cancel_scope.cancel()
    await _wait_end(pidfd)


ENDS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
print(child.pid)
"""


async def test_a_program_that_ends_leaves_no_children() -> None:
    pid = await _python(ENDS).run("execute", {})
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    await _wait_end(pidfd)


@pytest.mark.parametrize("program", [[], ["/nowhere/to-be-found"], [os.devnull]], ids=str)
def test_a_program_that_cannot_be_run_is_told_at_the_start(program: list[str]) -> None:
    argv = [sys.executable, "-m", "wattswarm.executors", "command", "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [*argv, "--", *program], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert "program" in done.stderr
    assert done.stderr.count("\n") == 1
