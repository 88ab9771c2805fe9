"""What the README says, typed as a user types it: the installed command, real processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
import psutil
import pytest

from tests.support.actor_tree import reference_executor

CONTRACT = Path(__file__).parents[2] / "examples" / "contracts" / "summarize_declaration.json"
PATIENCE_S = 90
PROFILES = {"rank": "textrank", "count": "frequency", "first": "lead"}


@attrs.frozen
class Command:
    """`wattswarm` on one state directory."""

    state_dir: Path

    def __call__(
        self, *words: str, code: int = 0, environment: dict[str, str] | None = None
    ) -> str:
        """Return what the command prints; it must end with this exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "wattswarm", "--state-dir", str(self.state_dir), *words],
            env={**os.environ, "WATTSWARM_API__LISTEN": "127.0.0.1:0", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def json(self, *words: str) -> dict[str, object]:
        """Return the document that the command prints."""
        return json.loads(self(*words, "--json"))

    @contextmanager
    def up(self, **settings: str) -> Generator[psutil.Process]:
        """Have a node in the background, stopped at the end of the block."""
        self("up", "--detach", environment=settings)
        node = psutil.Process(json.loads((self.state_dir / "node.json").read_text())["pid"])
        family = [node, *node.children(recursive=True)]
        try:
            yield node
        finally:
            self("down")
            assert [process for process in family if has_not_ended(process)] == []
            assert leftovers(self.state_dir) == []


def has_not_ended(process: psutil.Process) -> bool:
    """Tell whether a process runs; one that only waits for init to notice its end does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def leftovers(state_dir: Path) -> list[str]:
    """Return what a stopped node must not leave: its processes, sockets, lock and address."""
    place = str(state_dir)
    processes = [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] and any(place in word for word in process.info["cmdline"])
    ]
    sockets = [str(path) for path in state_dir.rglob("*") if path.is_socket()]
    files = [name for name in ("node.json", "pg/postmaster.pid") if (state_dir / name).exists()]
    return processes + sockets + files


@pytest.fixture
def wattswarm(tmp_path: Path) -> Command:
    return Command(tmp_path / "state")


def test_a_task_goes_from_submit_to_a_final_decision(wattswarm: Command) -> None:
    with ExitStack() as stack:
        stack.enter_context(wattswarm.up())
        for name, profile in PROFILES.items():
            url = stack.enter_context(reference_executor(name, profile))
            wattswarm("executors", "add", name, url, "--profile", profile)
        submitted = wattswarm.json("task", "submit", str(CONTRACT))
        task_id = str(submitted["task_id"])
        wattswarm("task", "watch", task_id)
        shown = wattswarm.json("task", "show", task_id[:12])
        assert shown["task"]["state"] == "final"  # type: ignore[index]
        assert "final" in wattswarm("task", "explain", task_id)
        assert wattswarm.json("task", "decision", task_id)["output_json"]
        assert wattswarm.json("log", "verify")["ok"] is True
        replayed = wattswarm.json("log", "replay", "--verify")
        assert replayed["equal"] is True
        assert replayed["digest"] == wattswarm.json("log", "digest")["digest"]
        wattswarm("actors", "tree")
        assert "sel_writer" in wattswarm("actors", "top")


def test_a_dial_that_is_turned_is_seen_to_be_in_effect(wattswarm: Command) -> None:
    with wattswarm.up():
        tuned = wattswarm.json("actors", "tune", "executor_dispatcher", "concurrency=3")
        assert [
            (change["name"], change["wanted"], change["effective"])
            for change in tuned["changes"]  # type: ignore[attr-defined]
        ] == [("concurrency", 3, 3)]
        refused = wattswarm("actors", "tune", "executor_dispatcher", "concurrency=0", code=4)
        assert "concurrency" in refused


def test_a_second_node_on_the_same_directory_is_refused_with_the_reason(
    wattswarm: Command,
) -> None:
    with wattswarm.up() as node:
        refused = wattswarm("up", code=4)
        assert str(node.pid) in refused


def test_a_seed_that_others_can_read_is_refused(wattswarm: Command) -> None:
    wattswarm.state_dir.mkdir()
    seed = wattswarm.state_dir / "node_seed.hex"
    seed.write_text("ab" * 32 + "\n")
    seed.chmod(0o644)
    assert "chmod 600" in wattswarm("up", code=1)


def test_a_node_that_was_killed_starts_again_with_everything_it_had(wattswarm: Command) -> None:
    wattswarm("up", "--detach")
    submitted = wattswarm.json("task", "submit", str(CONTRACT))
    node = psutil.Process(json.loads((wattswarm.state_dir / "node.json").read_text())["pid"])
    workers = node.children(recursive=True)
    node.send_signal(signal.SIGKILL)
    node.wait(PATIENCE_S)
    servers = [process for process in workers if "postgres" in " ".join(_words(process))]
    _, alive = psutil.wait_procs([each for each in workers if each not in servers], PATIENCE_S)
    assert alive == [], "workers end with the process that started them"
    with wattswarm.up():
        shown = wattswarm.json("task", "show", str(submitted["task_id"]))
        assert shown["task"]["state"] == "open"  # type: ignore[index]
        assert wattswarm.json("log", "verify")["ok"] is True


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_the_log_can_be_verified_and_replayed_without_a_node(wattswarm: Command) -> None:
    with wattswarm.up():
        wattswarm("task", "submit", str(CONTRACT))
    assert wattswarm.json("log", "verify")["ok"] is True
    assert wattswarm.json("log", "replay", "--verify")["equal"] is True
    assert leftovers(wattswarm.state_dir) == []


def test_the_demo_ends_with_a_final_decision_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wattswarm", "demo", "--json"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["state"] == "finalized"
    assert last["log_verified"] is True
    assert {"task_id", "decision", "log_head", "projection_digest"} <= last.keys()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        (("demo",), b"is submitted"),
        (("chaos", "kill-matrix", "--only", "sel_writer:before_commit"), b"1/"),
    ],
)
def test_a_command_that_is_told_to_end_takes_along_what_it_started(
    tmp_path: Path, words: tuple[str, ...], sign: bytes
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "wattswarm", *words],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as command:
        assert command.stdout is not None
        assert any(sign in line for line in command.stdout)
        family = psutil.Process(command.pid).children(recursive=True)
        command.terminate()
        command.stdout.read()
        assert command.wait(PATIENCE_S) != 0
    _, living = psutil.wait_procs(family, timeout=PATIENCE_S)
    assert living == []
    assert leftovers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
