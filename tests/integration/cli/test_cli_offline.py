"""Commands that open the log of a node that does not run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.log_events import events, singles
from wattswarm.cli.main import exit_code
from wattswarm.config.state_dir import StateDir
from wattswarm.store.connection import Database
from wattswarm.store.event_log import LogWriter


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database) -> StateDir:
    monkeypatch.setenv("WATTSWARM_PG_URL", database.dsn)
    state = StateDir(tmp_path / "state")
    state.prepare()
    state.key()
    return state


@pytest.fixture
def run(
    state: StateDir, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, dict[str, object]]]:
    def run(*words: str) -> tuple[int, dict[str, object]]:
        code = exit_code(["--json", "--state-dir", str(state.path), *words])
        return code, json.loads(capsys.readouterr().out)

    return run


def fill(database: Database, count: int) -> None:
    writer = LogWriter(database)
    writer.open()
    try:
        writer.append(singles(events(count)))
    finally:
        writer.close()


def test_a_log_is_verified_without_a_node(
    run: Callable[..., tuple[int, dict[str, object]]], database: Database
) -> None:
    fill(database, 5)
    code, document = run("log", "verify")
    assert code == 0
    assert (document["ok"], document["events"], document["head_seq"]) == (True, 5, 5)


@pytest.mark.parametrize("verify", [False, True])
def test_projections_are_rebuilt_without_a_node(
    run: Callable[..., tuple[int, dict[str, object]]], database: Database, verify: bool
) -> None:
    code, document = run("log", "replay", *["--verify"] * verify)
    assert code == 0
    assert document["equal"] is True
    assert document["differing_scopes"] == []


def test_the_directory_is_free_again_afterwards(
    run: Callable[..., tuple[int, dict[str, object]]], state: StateDir
) -> None:
    run("log", "verify")
    assert state.holder() is None


def test_where_there_is_no_log_there_is_nothing_to_verify(tmp_path: Path) -> None:
    assert exit_code(["--state-dir", str(tmp_path / "none"), "log", "verify"]) == 3
    assert not (tmp_path / "none").exists()


def test_a_database_that_is_not_there_is_told_without_its_password(
    state: StateDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATTSWARM_PG_URL", "postgresql://me:hunter2@127.0.0.1:1/x")
    assert exit_code(["--state-dir", str(state.path), "log", "verify"]) == 1
    told = capsys.readouterr().err
    assert "127.0.0.1" in told
    assert "hunter2" not in told
