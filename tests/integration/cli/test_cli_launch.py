"""A node in the background: started, waited for, stopped, waited for."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wattswarm
from wattswarm.cli.failure import Failure
from wattswarm.cli.launch import start_detached, stop
from wattswarm.config.state_dir import NodeFile, StateDir

PROGRAM = (sys.executable, "-m", "tests.support.detached_node")
ROOT = Path(wattswarm.__file__).parents[1]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateDir]:
    monkeypatch.chdir(ROOT)
    state = StateDir(tmp_path / "state")
    yield state
    stop(state, deadline_ms=5_000)


def start(state: StateDir, *words: str, deadline_ms: int = 15_000) -> NodeFile:
    return start_detached(state, words, deadline_ms=deadline_ms, program=PROGRAM)


def is_alive(pid: int) -> bool:
    try:
        reaped, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return not reaped


def test_a_started_node_takes_work_and_a_stopped_one_is_gone(state: StateDir) -> None:
    node = start(state)
    assert node.pid == state.holder()
    assert state.node_file() == node
    assert stop(state, deadline_ms=5_000) == node.pid
    assert state.holder() is None
    assert state.node_file() is None
    assert not list(state.run_path.iterdir())


def test_a_second_node_is_refused_with_the_pid_of_the_first(state: StateDir) -> None:
    node = start(state)
    with pytest.raises(Failure) as caught:
        start(state)
    assert caught.value.exit_code == 4
    assert str(node.pid) in str(caught.value)


def test_a_node_that_ends_at_once_is_told_with_its_reason(state: StateDir) -> None:
    with pytest.raises(Failure) as caught:
        start(state, "--fail")
    assert (caught.value.code, caught.value.exit_code) == ("not_started", 1)
    assert "the reason" in str(caught.value)
    assert "code 3" in str(caught.value)


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ('{"event": "starting"}\n{"event": "gave up", "reason": "no room"}\n', "gave up: no room"),
        ("", "did not say why"),
    ],
)
def test_a_node_that_gave_up_later_is_told_with_the_end_of_its_log(
    state: StateDir, log: str, told: str
) -> None:
    state.prepare()
    state.log_path.write_text(log)
    with pytest.raises(Failure) as caught:
        start(state, "--fail-silently")
    assert told in str(caught.value)


def test_a_node_that_is_not_ready_in_time_is_told_and_can_be_stopped(
    state: StateDir, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    with pytest.raises(Failure) as caught:
        start(state, "--never-ready", "--tell", str(begun), deadline_ms=1_500)
    assert caught.value.exit_code == 6
    begun.read_bytes()  # ends when the program, which may begin only now, has told
    assert stop(state, deadline_ms=5_000) is not None


def test_a_node_whose_api_knows_no_token_is_stopped_by_a_signal(state: StateDir) -> None:
    node = start(state)
    state.token_path.write_text("another")
    assert stop(state, deadline_ms=5_000) == node.pid


def test_a_node_that_does_not_stop_is_told_with_how_to_end_it(state: StateDir) -> None:
    node = start(state, "--deaf")
    with pytest.raises(Failure) as caught:
        stop(state, deadline_ms=300)
    assert caught.value.exit_code == 6
    assert f"kill -9 {node.pid}" in caught.value.advice
    os.kill(node.pid, 9)
    while is_alive(node.pid):
        pass


def test_stopping_where_nothing_runs_removes_what_a_killed_node_left(state: StateDir) -> None:
    state.prepare()
    state.write_node_file(
        NodeFile(pid=1, api_url="http://127.0.0.1:1", version="0", started_at="then")
    )
    assert stop(state, deadline_ms=100) is None
    assert state.node_file() is None
