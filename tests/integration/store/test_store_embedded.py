"""The embedded server: cold and warm starts, what a killed node or server leaves behind, who may
enter.
"""

import os
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from wattswarm.store.embedded import EmbeddedPostgres, running
from wattswarm.store.errors import ServerNotStarted, StoreUnavailable
from wattswarm.store.postmaster import PID_FILE, StopMode
from wattswarm.store.unprivileged import NAMESPACE, NOBODY, NOBODY_UID, launcher


def answer(server: EmbeddedPostgres) -> object:
    with psycopg.connect(server.dsn) as connection:
        row = connection.execute("select 40 + 2").fetchone()
    return row and row[0]


def test_a_first_start_makes_a_server_that_answers_on_a_private_socket_only(tmp_path: Path) -> None:
    with running(tmp_path / "state", fsync=False) as server:
        assert answer(server) == 42
        with psycopg.connect(server.dsn) as connection:
            row = connection.execute("show listen_addresses").fetchone()
        assert row == ("",)
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    assert server.pid is None
    assert list(server.socket_dir.iterdir()) == []


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, fsync=False) as server, psycopg.connect(server.dsn) as connection:
        connection.execute("create table kept (n int)")
    with running(tmp_path, fsync=False) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_a_server_that_was_left_running_is_attached_to_and_not_ended(tmp_path: Path) -> None:
    with running(tmp_path, fsync=False) as first:
        with running(tmp_path, fsync=False) as second:
            assert second.pid == first.pid
        assert answer(first) == 42


def test_an_immediate_restart_recovers(tmp_path: Path) -> None:
    with running(tmp_path, fsync=False) as server:
        before = server.pid
        server.restart_immediately()
        assert server.pid != before
        assert answer(server) == 42


def test_a_killed_server_is_cleaned_up_and_started_again(tmp_path: Path) -> None:
    with running(tmp_path, fsync=False) as server:
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        server.start()
        assert answer(server) == 42


def test_a_pid_file_that_names_a_stranger_does_not_keep_the_server_from_starting(
    tmp_path: Path,
) -> None:
    server = EmbeddedPostgres(tmp_path, fsync=False)
    server.prepare()
    (server.data_dir / PID_FILE).write_text(
        f"{os.getpid()}\n{server.data_dir}\n1\n5432\n/nowhere\n"
    )
    assert server.pid is None
    with running(tmp_path, fsync=False) as started:
        assert answer(started) == 42


def test_half_an_initdb_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "pg.new").mkdir()
    (tmp_path / "pg.new" / "junk").write_text("left by a kill")
    with running(tmp_path, fsync=False) as server:
        assert answer(server) == 42
    assert not (tmp_path / "pg.new").exists()


def test_a_state_directory_with_a_long_path_gets_a_private_temporary_socket_directory(
    tmp_path: Path,
) -> None:
    state = tmp_path / ("x" * 100)
    with running(state, fsync=False) as server:
        place = server.socket_dir
        assert not place.is_relative_to(state)
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert answer(server) == 42
    assert not place.exists()


def test_a_socket_directory_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    with pytest.raises(ServerNotStarted, match="chmod 700"):
        EmbeddedPostgres(tmp_path, fsync=False).prepare()


def test_data_of_another_major_version_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerNotStarted, match="WATTSWARM_PG_URL"):
        EmbeddedPostgres(tmp_path, fsync=False).prepare()


def test_the_command_line_can_be_run_by_whoever_supervises_it(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, fsync=False)
    server.prepare()
    child = subprocess.Popen(
        server.command(),
        env=server.env,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        server.wait_ready(30)
        assert server.pid == child.pid
        assert answer(server) == 42
        server.stop(StopMode.FAST)
    finally:
        child.kill()
        child.wait()


def test_a_server_that_does_not_listen_to_reason_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, fsync=False) as server:
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        server.stop(timeout_s=0.05)
        assert server.pid is None
        server.start()
        assert answer(server) == 42


def test_waiting_for_a_server_that_nobody_started_ends(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, fsync=False)
    server.prepare()
    with pytest.raises(StoreUnavailable, match="within"):
        server.wait_ready(0.05)


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, fsync=False)
    server.prepare()
    with (server.data_dir / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(StoreUnavailable, match="ended: "):
        server.start()
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_takes_another_user_within_a_namespace_or_says_what_to_do(tmp_path: Path) -> None:
    assert launcher((tmp_path,)) in {NAMESPACE, NOBODY}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_where_namespaces_are_refused_the_server_runs_as_nobody() -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        Path(folder).chmod(0o711)
        state.mkdir(mode=0o711)
        server = EmbeddedPostgres(state, fsync=False, launcher=NOBODY)
        for _start in range(2):
            server.start()
            assert answer(server) == 42
            assert server.data_dir.stat().st_uid == NOBODY_UID
            server.stop()
