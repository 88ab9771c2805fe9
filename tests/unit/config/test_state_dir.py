"""What the state directory keeps, makes and refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wattswarm.config.errors import ConfigError
from wattswarm.config.state_dir import NodeFile, StateDir, find_state_dir

NODE = NodeFile(pid=1, api_url="http://127.0.0.1:1", version="0", started_at="2026-01-01T00:00:00Z")


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    directory = StateDir(tmp_path / "state")
    directory.prepare()
    return directory


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def code(caught: pytest.ExceptionInfo[ConfigError]) -> str:
    assert caught.value.problems[0].remedy
    return caught.value.code


def test_the_flag_wins_over_the_environment_over_the_home() -> None:
    environment = {"WATTSWARM_STATE_DIR": "/b"}
    assert find_state_dir("/a", environment).path == Path("/a")
    assert find_state_dir(None, environment).path == Path("/b")
    assert find_state_dir(None, {}).path == Path.home() / ".wattswarm"


def test_a_new_directory_and_its_secrets_are_private(state: StateDir) -> None:
    key, token = state.key(), state.token()
    assert mode(state.path) == 0o700
    assert mode(state.seed_path) == mode(state.token_path) == 0o600
    assert (state.key(), state.token()) == (key, token)
    assert not list(state.path.glob("*.tmp"))


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(state: StateDir, bits: int) -> None:
    state.key()
    state.seed_path.chmod(bits)
    with pytest.raises(ConfigError) as caught:
        state.key()
    assert code(caught) == "secret_exposed"


@pytest.mark.parametrize("content", [b"", b"ab", b"AB" * 32, b"zz" * 32, b"\xff" * 64, b"ab" * 33])
def test_a_malformed_seed_is_refused_and_kept(state: StateDir, content: bytes) -> None:
    state.key()
    state.seed_path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        state.key()
    assert code(caught) == "seed_malformed"
    assert state.seed_path.read_bytes() == content


def test_a_lost_seed_is_not_replaced_where_the_log_of_its_node_is(state: StateDir) -> None:
    state.key()
    state.seed_path.unlink()
    state.postgres_path.mkdir()
    with pytest.raises(ConfigError) as caught:
        state.key()
    assert code(caught) == "seed_missing"
    assert not state.seed_path.exists()


def test_a_malformed_token_is_refused(state: StateDir) -> None:
    state.token()
    state.token_path.write_bytes(b"\n")
    with pytest.raises(ConfigError) as caught:
        state.token()
    assert code(caught) == "token_malformed"


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError) as caught:
        StateDir(file).prepare()
    assert code(caught) == "state_dir_unusable"


def test_the_second_holder_is_told_who_holds_it(state: StateDir) -> None:
    with state.hold():
        assert state.holder() == os.getpid()
        with pytest.raises(ConfigError) as caught, state.hold():
            pass
        assert code(caught) == "state_dir_locked"
        assert f"process {os.getpid()}" in str(caught.value)
    assert state.holder() is None


def test_a_killed_holder_leaves_no_lock(state: StateDir) -> None:
    script = (
        "import sys, pathlib; from wattswarm.config.state_dir import StateDir\n"
        "with StateDir(pathlib.Path(sys.argv[1])).hold(): print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(state.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"held\n"
        assert state.holder() == child.pid
        child.kill()
        child.wait()
    with state.hold():
        pass


def test_the_node_file_reads_as_written(state: StateDir) -> None:
    assert state.node_file() is None
    state.write_node_file(NODE)
    assert state.node_file() == NODE
    state.remove_node_file()
    assert state.node_file() is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "7",
        '{"pid": "x", "api_url": 1, "version": "", "started_at": ""}',
        "[" * 3_000,
    ],
)
def test_a_node_file_without_meaning_says_nothing(state: StateDir, content: str) -> None:
    state.node_path.write_text(content)
    assert state.node_file() is None
