"""`log export` and `log import`: with a node over its API, and without one in its database."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from tests.support.api_node import ApiNode, api_node
from wattswarm.cli.main import exit_code
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.archive import archive, read
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import draft_admission, draft_update
from wattswarm.kernel.limits import BATCH_EVENTS_MAX
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.store.connection import Database

START_MS = 1_700_000_000_000
STRANGER = KeyPair.from_seed(b"\x0b" * 32)


@attrs.frozen
class Ended:
    """How a command ended: its code, and its document or its problem."""

    code: int
    said: dict[str, Any]


Run = Callable[..., Ended]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare_database: Database) -> StateDir:
    """Hold nothing but a seed, beside an empty database."""
    monkeypatch.setenv("WATTSWARM_PG_URL", bare_database.dsn)
    state = StateDir(tmp_path / "state")
    state.prepare()
    state.key()
    return state


@pytest.fixture
def run(state: StateDir, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, at: StateDir = state) -> Ended:
        code = exit_code(["--json", "--state-dir", str(at.path), *words])
        captured = capsys.readouterr()
        shown = captured.out or captured.err
        return Ended(code, json.loads(shown.splitlines()[-1]))

    return run


class Author:
    """Signs events for the network of a state directory."""

    def __init__(self, state: StateDir) -> None:
        self.key = state.known_key()
        self.record = local_genesis(self.key.node_id)
        self.network_id = network_id_of(self.record)

    def genesis(self) -> Event:
        return draft_update(self.record, {}, START_MS).sign(self.network_id, self.key)

    def admission(self) -> Event:
        return draft_admission(STRANGER.node_id, START_MS + 1).sign(self.network_id, self.key)

    def words(self, count: int, key: KeyPair | None = None) -> list[Event]:
        return [
            self._word(number).sign(self.network_id, key or self.key) for number in range(count)
        ]

    def _word(self, number: int) -> Draft:
        return Draft(
            kind="TOPIC_MESSAGE_POSTED",
            scope="global",
            lane_class=LaneClass.MESSAGES,
            task_id=None,
            epoch=0,
            created_at=START_MS + 10 + number,
            payload={"number": number},
        )

    def file(self, path: Path, events: Sequence[Event]) -> str:
        path.write_bytes(archive(self.network_id, [event.to_wire() for event in events]))
        return str(path)


@pytest.fixture
def author(state: StateDir) -> Author:
    return Author(state)


def counts(said: dict[str, Any]) -> tuple[int, int, int]:
    return said["appended"], said["already"], said["refused"]


async def test_a_copy_of_a_log_has_its_digests_and_gives_the_same_archive(
    database: Database,
    state: StateDir,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with api_node(database, tmp_path) as node:
        made = [await node.submit() for _ in range(3)]
        await node.post(f"/tasks/{made[0]['task_id']}/stop", {"reason": "enough"})
        head = (await node.get("/log/head"))["seq"]
        digests = await node.get("/log/digest", min_seq=head)
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    with monkeypatch.context() as patched:
        patched.setenv("WATTSWARM_PG_URL", database.dsn)
        exported = run("log", "export", first, at=node.state)
    assert (exported.code, exported.said["events"]) == (0, head)
    shutil.copy(node.state.seed_path, state.seed_path)
    imported = run("log", "import", first)
    assert (imported.code, counts(imported.said)) == (0, (head, 0, 0))
    assert run("log", "verify").said["events"] == head
    assert run("log", "replay").said["digest"] == digests["digest"]
    again = run("log", "import", first)
    assert (again.code, counts(again.said)) == (0, (0, head, 0))
    assert run("log", "export", second).said["hash"] == exported.said["hash"]
    assert are_equal(first, second)


def test_a_changed_event_is_refused_and_the_rest_is_taken(
    author: Author, run: Run, tmp_path: Path
) -> None:
    events = [author.genesis(), *author.words(5)]
    file = author.file(tmp_path / "file", events)
    content = bytearray(Path(file).read_bytes())
    content[content.index(events[3].signature) + 5] ^= 1
    Path(file).write_bytes(content)
    ended = run("log", "import", file)
    assert (ended.code, counts(ended.said)) == (1, (5, 0, 1))
    assert ended.said["refusals"] == {"bad_signature": 1}
    assert ended.said["intact"] is False


def test_an_archive_that_was_cut_gives_what_is_whole(
    author: Author, run: Run, tmp_path: Path
) -> None:
    file = author.file(tmp_path / "file", [author.genesis(), *author.words(5)])
    content = Path(file).read_bytes()
    Path(file).write_bytes(content[:-100])
    ended = run("log", "import", file)
    assert (ended.code, counts(ended.said)) == (1, (5, 0, 0))
    assert ended.said["fault"]["code"] == "truncated"


def test_what_waited_for_an_admission_is_brought_again(
    author: Author, run: Run, tmp_path: Path
) -> None:
    strangers = author.words(3, STRANGER)
    rest = author.words(BATCH_EVENTS_MAX)
    events = [author.genesis(), *strangers, *rest, author.admission(), strangers[0]]
    ended = run("log", "import", author.file(tmp_path / "file", events))
    assert (ended.code, ended.said["passes"]) == (0, 2)
    assert counts(ended.said) == (len(events) - 1, 1, 0)


def test_strangers_are_refused_and_counted(author: Author, run: Run, tmp_path: Path) -> None:
    events = [author.genesis(), *author.words(2, STRANGER), *author.words(1)]
    ended = run("log", "import", author.file(tmp_path / "file", events))
    assert (ended.code, counts(ended.said)) == (4, (2, 0, 2))
    assert ended.said["refusals"] == {"not_admitted": 2}


def test_an_archive_of_another_network_is_refused_as_a_whole(
    run: Run, author: Author, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(archive("local:other", [author.genesis().to_wire()]))
    ended = run("log", "import", str(file))
    assert (ended.code, ended.said["code"]) == (4, "wrong_network")


def test_a_file_that_is_there_is_replaced_only_when_told_to(
    author: Author, run: Run, tmp_path: Path
) -> None:
    file = author.file(tmp_path / "file", [author.genesis(), *author.words(3)])
    run("log", "import", file)
    assert run("log", "export", file, "--from", "2").code == 4
    ended = run("log", "export", file, "--from", "2", "--to", "3", "--force")
    assert (ended.code, ended.said["events"]) == (0, 2)
    assert len(read(Path(file).read_bytes())[0]) == 2
    assert [path.name for path in tmp_path.glob("file*")] == ["file"]


def test_what_our_key_signed_elsewhere_stops_signing_and_says_so(
    author: Author, state: StateDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = author.file(tmp_path / "file", [author.genesis(), *author.words(3)])
    words = ["--state-dir", str(state.path), "log", "import", file]
    assert exit_code(words) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("nothing is signed from now on") == 1
    assert "`wattswarm node restored`" in told
    assert exit_code(words) == 0
    assert "nothing is signed" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "state_word", "is_restored"), [("restored", "free", True), ("cloned", "cloned", False)]
)
def test_an_operators_word_is_taken_without_a_node(
    author: Author, run: Run, tmp_path: Path, word: str, state_word: str, is_restored: bool
) -> None:
    run("log", "import", author.file(tmp_path / "file", [author.genesis(), *author.words(3)]))
    said = run("node", word).said
    assert (said["state"], said["restored_at"] is not None) == (state_word, is_restored)


def test_a_restore_from_an_archive_is_announced_with_it(
    author: Author, run: Run, tmp_path: Path
) -> None:
    file = author.file(tmp_path / "file", [author.genesis(), *author.words(3)])
    ended = run("log", "import", file, "--restored")
    assert (ended.code, counts(ended.said)) == (0, (4, 0, 0))
    cloned = run("node", "cloned").said
    assert cloned["event_id"] is None, "nothing was suspected"
    assert cloned["restored_at"] is not None


def test_without_a_seed_there_is_no_log_to_import_into(tmp_path: Path, run: Run) -> None:
    ended = run("log", "import", "none", at=StateDir(tmp_path / "none"))
    assert ended.code == 3
    assert not (tmp_path / "none").exists()


def test_a_file_that_is_not_there_is_told_of(run: Run, tmp_path: Path) -> None:
    ended = run("log", "import", str(tmp_path / "none"))
    assert (ended.code, ended.said["code"]) == (3, "file_not_found")


async def test_a_running_node_gives_and_takes_archives(
    database: Database, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api_node(database, tmp_path, settings={"INGEST__ENABLED": "true"}) as node:
        connect(node, monkeypatch)
        author = Author(node.state)
        made = [author.admission(), *author.words(600, STRANGER)]
        file = author.file(tmp_path / "file", made)
        ended = await in_thread(run, "log", "import", file)
        assert (ended.code, counts(ended.said)) == (0, (601, 0, 0))
        again = await in_thread(run, "log", "import", file, "--restored")
        assert (again.code, counts(again.said)) == (0, (0, 601, 0))
        assert (await node.get("/node"))["signing"]["state"] == "free"
        copy = str(tmp_path / "copy")
        exported = await in_thread(run, "log", "export", copy, "--from", "2")
        assert (exported.code, exported.said["events"]) == (0, 601)
        assert are_equal(copy, file)


async def test_a_node_that_takes_no_archives_says_how_it_would(
    node_without_ingest: ApiNode, run: Run, tmp_path: Path
) -> None:
    author = Author(node_without_ingest.state)
    file = author.file(tmp_path / "file", author.words(1))
    ended = await in_thread(run, "log", "import", file)
    assert (ended.code, ended.said["code"]) == (4, "ingest_disabled")
    assert "ingest.enabled=true" in ended.said["remedy"]


@pytest.fixture
async def node_without_ingest(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    async with api_node(database, tmp_path) as node:
        connect(node, monkeypatch)
        yield node


def are_equal(first: str, second: str) -> bool:
    return Path(first).read_bytes() == Path(second).read_bytes()


def connect(node: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATTSWARM_API_URL", str(node.client.base_url))
    monkeypatch.setenv("WATTSWARM_API_TOKEN", node.state.known_token())


async def in_thread(run: Run, *words: str) -> Ended:
    return await trio.to_thread.run_sync(lambda: run(*words))
