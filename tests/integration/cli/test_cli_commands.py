"""The commands, in process, against a small node on a real socket."""

import io
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.support.served_node import TOKEN, ServedNode, served_node
from tests.support.small_governance import KEYS
from wattswarm.cli.main import exit_code
from wattswarm.cli.watch import outcome
from wattswarm.surface.board import MessageOrder
from wattswarm.surface.task import TaskView


@attrs.frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def problem(self) -> Any:
        """The one JSON document on stderr."""
        (line,) = self.err.splitlines()
        return json.loads(line)


Run = Callable[..., Ended]


@pytest.fixture
def served() -> Iterator[ServedNode]:
    with served_node() as served:
        yield served


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(state: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> Ended:
        code = exit_code(["--state-dir", str(state), *words])
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture
def connected(served: ServedNode, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("WATTSWARM_API_URL", served.url)
    monkeypatch.setenv("WATTSWARM_API_TOKEN", TOKEN)
    return run


@pytest.fixture
def contract(tmp_path: Path) -> str:
    file = tmp_path / "contract.json"
    file.write_text('{"task_type": "summarize", "name": "a document", "inputs": {"text": "a"}}')
    return str(file)


def submitted(run: Run, contract: str) -> str:
    ended = run("--json", "task", "submit", contract)
    assert ended.code == 0, ended.err
    return ended.document["task_id"]


def posted(run: Run, *words: str) -> str:
    ended = run("--json", "topic", "post", *words)
    assert ended.code == 0, ended.err
    return ended.document["event_id"]


# --- every command has a table for people and a document for programs


@pytest.mark.parametrize(
    "words",
    [
        "node status",
        "executors list",
        "executors check one",
        "task list",
        "task show TASK",
        "task explain TASK",
        "task decision TASK",
        "task watch TASK",
        "governance show",
        "governance show 0",
        "governance history",
        "governance pending",
        "governance grant NODE verifier proposer --dry-run",
        "governance grant NODE finalizer --threshold 4 --in 10m",
        f"governance revoke-role {KEYS[1].node_id.hex()[:8]} verifier",
        "governance set-param settle_ms 5 --effective-at 2031-01-01T00:00:00Z",
        "governance set-policy vp.crosscheck.v1 --remove",
        "governance set-threshold 3",
        "governance open-role verifier",
        "governance close-role verifier",
        "governance set-admission open",
        "governance admit NODE",
        "task feedback TASK --bad --reason wrong",
        "task reject-reuse TASK",
        "knowledge find",
        "knowledge find --task-type summarize --limit 1",
        "knowledge show TASK",
        "knowledge similar TASK",
        "node reputation",
        "task announce TASK market --summary why",
        "task announcements --feed market",
        "task execution-sets TASK",
        "topic post news hello --scope group:x",
        "topic list",
        "topic list news --scope global",
        "topic show MESSAGE",
        "topic subscribe news --gossip messages --provides local_store",
        "topic unsubscribe news",
        "topic subscriptions --all",
        "log checkpoint --scope group:x",
        "log checkpoints",
        "governance statements",
        "governance revoke " + "e1" * 32 + " --reason why --dry-run",
        "governance restore " + "e1" * 32,
        "governance penalize NODE --from 2026-01-01T00:00:00Z --until 2027-01-01T00:00:00Z",
        "governance penalize NODE --cut --keep e3 e1e1",
        "governance pardon NODE",
        "log head",
        "log show",
        "log show 1",
        "log show --task TASK",
        "log verify",
        "log replay --verify",
        "log digest",
        "artifacts list",
        "artifacts show blake3:",
        "artifacts verify",
        "artifacts collect --dry-run",
        "actors tree",
        "actors top",
        "actors inspect sel_writer",
        "actors restart sel_writer",
        "actors kill sel_writer",
        "actors suspend sel_writer",
        "actors resume sel_writer",
        "actors tune sel_writer batch=64 concurrency=2 --for 10m",
        "actors dead-letters list",
        "actors dead-letters retry 1",
        "actors dead-letters drop 2",
        "config show",
        "chaos points",
        "chaos arm kill log --for 5s",
        "chaos status",
        "chaos disarm",
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_command_shows_a_table_or_one_document(
    connected: Run, served: ServedNode, contract: str, words: str, as_json: bool
) -> None:
    task_id = submitted(connected, contract)
    served.run(served.node.finish, task_id)
    assert connected("executors", "add", "one", "http://127.0.0.1:9").code == 0
    message_id = posted(connected, "news", "hello", "--reply-to", task_id)

    given = words.replace("TASK", task_id[:8]).replace("NODE", "5e" * 32)
    given = given.replace("MESSAGE", message_id[:8]).split()
    ended = connected(*["--json"] * as_json, *given)
    assert ended.code == 0, (ended.out, ended.err)
    assert ended.out
    assert ended.err == ""
    if as_json:
        assert isinstance(ended.document, dict)


def test_knowledge_is_exported_as_json_lines_below_a_header(
    connected: Run, served: ServedNode, contract: str, tmp_path: Path
) -> None:
    names = [submitted(connected, contract) for _ in range(3)]
    for name in names:
        served.run(served.node.finish, name)
    assert connected("task", "feedback", names[0], "--bad", "--reason", "wrong").code == 0
    file = tmp_path / "known.jsonl"
    ended = connected(
        "--json", "knowledge", "export", "--task-type", "summarize", "--out", str(file)
    )
    assert (ended.code, ended.document["lines"]) == (0, 3)
    header, *lines = map(json.loads, file.read_text().splitlines())
    assert header["format"] == "wattswarm-knowledge/1"
    assert header["lines"] == len(lines) == 3
    assert {line["value"]["task_id"] for line in lines} == {*names}

    assert connected("knowledge", "export", "--task", names[0], "--out", str(file)).code == 0
    _, *lines = map(json.loads, file.read_text().splitlines())
    assert [line["kind"] for line in lines] == ["precedent", "feedback", "contribution"]


@pytest.mark.parametrize("words", ["", "--task-type a --task b"])
def test_an_export_is_of_one_thing(connected: Run, tmp_path: Path, words: str) -> None:
    file = tmp_path / "known.jsonl"
    ended = connected("knowledge", "export", *words.split(), "--out", str(file))
    assert (ended.code, file.exists()) == (2, False)


def test_feedback_is_bad_or_none_and_about_what_is_final(connected: Run, contract: str) -> None:
    task_id = submitted(connected, contract)
    assert connected("task", "feedback", task_id).code == 2
    ended = connected("--json", "task", "feedback", task_id, "--bad")
    assert (ended.code, ended.problem["code"]) == (4, "not_final")


def test_a_message_comes_from_an_argument_a_file_or_stdin(
    connected: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "message.txt"
    file.write_text("from a file")
    names = [posted(connected, "news", "said"), posted(connected, "news", "--file", str(file))]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from stdin")))
    names.append(posted(connected, "news", "--file", "-"))
    texts = [connected("--json", "topic", "show", name).document["text"] for name in names]
    assert texts == ["said", "from a file", "from stdin"]


def test_a_message_that_is_none_is_refused(connected: Run, tmp_path: Path) -> None:
    file = tmp_path / "message.bin"
    file.write_bytes(b"\xff")
    for words in (["news"], ["news", "a", "--file", str(file)], ["news", "--file", str(file)]):
        ended = connected("--json", "topic", "post", *words)
        assert (ended.code, ended.problem["code"]) == (2, "usage")
    ended = connected("--json", "topic", "post", "news", "--file", str(tmp_path / "none"))
    assert ended.problem["code"] == "file_not_found"
    ended = connected("--json", "topic", "post", "news", "")
    assert (ended.code, ended.problem["code"]) == (4, "bad_field")


def test_messages_are_followed_by_feed_until_enough_have_come(
    connected: Run, served: ServedNode
) -> None:
    heard = threading.Event()

    def speak() -> None:
        for number in itertools.count():
            for feed in ("other", "news"):
                order = MessageOrder(feed_key=feed, text=str(number))
                served.run(served.node.post_message, order)
            if heard.wait(0.05):
                return

    speaking = threading.Thread(target=speak)
    speaking.start()
    ended = connected("--json", "topic", "watch", "news", "--count", "2", "--timeout-s", "20")
    heard.set()
    speaking.join()
    assert ended.code == 0, ended.err
    one, two = (json.loads(line) for line in ended.out.splitlines())
    assert (one["feed_key"], int(two["text"])) == ("news", int(one["text"]) + 1)
    late = connected("--json", "topic", "watch", "news", "--timeout-s", "0.1")
    assert (late.code, late.problem["code"]) == (6, "timed_out")


def test_a_task_is_stopped_resumed_and_killed(connected: Run, contract: str) -> None:
    task_id = submitted(connected, contract)
    for action, state in [
        ("suspend", "suspended"),
        ("stop", "stopped"),
        ("resume", "open"),
        ("kill", "killed"),
    ]:
        ended = connected("--json", "task", action, task_id[:8], "--reason", "why")
        assert (ended.code, ended.document["task"]["state"]) == (0, state)
        assert ended.document["controls"][0]["reason"] == "why"
    assert "was already killed" in connected("task", "kill", task_id).out
    assert connected("task", "resume", task_id).code == 4
    assert connected("--json", "task", "watch", task_id).code == 1


def test_governance_is_drafted_signed_and_superseded(connected: Run, served: ServedNode) -> None:
    node = "5e" * 32
    shown = connected("governance", "grant", node, "verifier", "--dry-run")
    assert "nothing was" in shown.out
    assert "5e5e5e5e5e5e: – → verifier" in shown.out
    assert connected("--json", "governance", "pending").document["items"] == []

    drafted = connected("--json", "governance", "grant", node, "verifier").document
    assert (drafted["missing"], drafted["is_dry_run"]) == (1, False)
    refused = connected("--json", "governance", "set-threshold", "3")
    assert (refused.code, refused.problem["code"]) == (4, "already_proposed")
    assert "--supersede" in refused.problem["remedy"]
    second = connected("--json", "governance", "set-param", "a", "true", "--supersede").document
    assert second["version"]["supersedes"] == [drafted["version"]["version_id"]]
    assert second["version"]["params"]["a"] is True

    name = second["version"]["version_id"]
    other = served.node.council.other.writes
    served.run(partial(other.sign_version, name, dry_run=False))
    listed = connected("--json", "governance", "history").document["items"]
    assert [row["number"] for row in listed] == [1, 0]
    again = connected("governance", "sign", name[:8])
    assert (again.code, "signed already" in again.out) == (0, True)


def test_whose_turn_it_is_not_says_so(connected: Run, served: ServedNode) -> None:
    served.node.council.finalizers.reverse()
    ended = connected("--json", "governance", "set-threshold", "3")
    assert (ended.code, ended.problem["code"]) == (4, "not_the_drafter")
    assert "--out-of-turn" in ended.problem["remedy"]
    assert connected("governance", "set-threshold", "3", "--out-of-turn").code == 0


@pytest.fixture
def going_on(connected: Run, tmp_path: Path) -> str:
    file = tmp_path / "continuous.json"
    file.write_text(
        '{"task_type": "t", "inputs": {}, "mode": "continuous", "budget_mode": "epoch_renew"}'
    )
    return submitted(connected, str(file))


def test_an_epoch_is_ended_and_the_next_one_shown(connected: Run, going_on: str) -> None:
    refused = connected("--json", "task", "end-epoch", going_on)
    assert (refused.code, refused.problem["code"]) == (4, "too_early")
    assert "--now" in refused.problem["remedy"]
    ended = connected("task", "end-epoch", going_on[:8], "--now", "--reason", "why")
    assert (ended.code, "epoch 2 is open" in ended.out) == (0, True), ended
    assert "epoch 2 is open" in connected("task", "show", going_on).out
    again = connected("--json", "task", "end-epoch", going_on, "--out-of-turn").document
    assert (again["missing"], again["opened"]["epoch"]) == (0, 3)
    assert connected("task", "end-epoch", "ff").code == 3


def test_of_a_continuous_task_one_epoch_is_watched(
    connected: Run, served: ServedNode, going_on: str
) -> None:
    served.run(served.node.finish, going_on)
    assert connected("--json", "task", "watch", going_on).code == 0
    served.run(partial(served.node.end_epoch, going_on, reason=None, out_of_turn=True))
    view = partial(served.node.task, going_on)
    shown = served.run(view)
    assert isinstance(shown, TaskView)
    assert [outcome(shown, epoch) for epoch in (1, 2)] == [0, None]
    served.run(partial(served.node.end_epoch, going_on, reason=None, out_of_turn=True))
    shown = served.run(view)
    assert isinstance(shown, TaskView)
    assert [outcome(shown, epoch) for epoch in (1, 2, 3)] == [0, 1, None]
    over = connected("--json", "task", "watch", going_on, "--timeout-s", "0")
    assert over.code == 6


def test_an_event_is_revoked_by_two_and_restored(connected: Run, served: ServedNode) -> None:
    name = "e1" * 32
    begun = connected("governance", "revoke", "e1e1", "--reason", "wrong")
    assert (begun.code, "1 more of the finalizers" in begun.out) == (0, True)
    (waiting,) = connected("--json", "governance", "statements").document["items"]
    assert (waiting["state"], waiting["missing"], waiting["target"]) == ("waits", 1, name)
    refused = connected("--json", "governance", "revoke", name)
    assert (refused.code, refused.problem["code"]) == (4, "already_signed")

    other = served.node.council.other.states
    served.run(partial(other.sign_statement, waiting["statement_id"][:8], dry_run=False))
    assert "holds" in connected("governance", "statements").out
    again = connected("governance", "revoke", name)
    assert (again.code, "holds already" in again.out) == (0, True)
    assert "nothing was ever said" in connected("governance", "restore", "e1e2").out
    assert connected("--json", "governance", "restore", name).document["statement"]["missing"] == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("revoke e4", 3),
        ("revoke xyz", 3),
        ("revoke e1", 4),
        ("revoke e3", 4),
        ("revoke", 2),
        ("penalize ff --cut", 3),
        ("penalize NODE", 4),
        ("penalize NODE --from 2026-01-01T00:00:00Z", 4),
        ("penalize NODE --cut --until 2026-01-01T00:00:00Z", 4),
        ("penalize NODE --from yesterday --until 2026-01-01T00:00:00Z", 4),
        ("penalize NODE --from 2026-01-02T00:00:00Z --until 2026-01-01T00:00:00Z", 4),
        ("penalize NODE --cut --keep e4", 3),
        ("pardon ff", 3),
        ("sign-statement ff", 3),
        ("statements --cursor x", 2),
    ],
)
def test_a_statement_that_cannot_be_is_refused(connected: Run, words: str, code: int) -> None:
    ended = connected("governance", *words.replace("NODE", "5e" * 32).split())
    assert ended.code == code, ended.err
    assert ended.err
    assert connected("--json", "governance", "statements").document["items"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("grant ff verifier", 3),
        ("grant xyz verifier", 3),
        ("show 99", 3),
        ("sign ff", 3),
        ("sign 0", 4),
        ("set-threshold 1", 4),
        ("set-param admission ajar", 4),
        ("set-policy vp.none", 4),
        ("set-policy vp.none --remove", 4),
        ("set-threshold 3 --effective-at yesterday", 4),
        ("set-threshold 3 --in soon", 2),
        ("set-threshold many", 2),
        ("grant ff boss", 2),
        ("grant ff", 2),
        ("open-role finalizer", 2),
        ("set-admission ajar", 2),
    ],
)
def test_an_order_for_governance_that_cannot_be_is_refused(
    connected: Run, words: str, code: int
) -> None:
    ended = connected("governance", *words.split())
    assert ended.code == code
    assert ended.err
    assert connected("--json", "governance", "pending").document["items"] == []


def test_a_creator_says_its_words_once(connected: Run, contract: str, tmp_path: Path) -> None:
    task_id = submitted(connected, contract)
    receipt = tmp_path / "receipt.json"
    receipt.write_text('{"paid": 3}')
    for words in (
        ["approve-claim", task_id, "c1"],
        ["decline-claim", task_id, "c1", "--reason", "busy"],
        ["accept", task_id, "cd"],
        ["reject", task_id, "cd", "--retry", "--reason", "shorter"],
        ["settle", task_id, "c1", "--receipt", '{"paid": 3}'],
    ):
        first = connected("--json", "task", *words)
        assert (first.code, first.document["already"]) == (0, False), first.err
        again = connected("task", *words)
        assert (again.code, "said already" in again.out) == (0, True)
    filed = connected("--json", "task", "settle", task_id, "c1", "--receipt", str(receipt))
    assert filed.document["already"], "a file and its content are one receipt"
    assert connected("task", "accept", task_id, "ff").code == 3


@pytest.mark.parametrize("receipt", ["{", "no-such-file.json", "[" * 1_000, "x" * 5_000])
def test_a_receipt_that_is_no_json_is_refused(connected: Run, contract: str, receipt: str) -> None:
    task_id = submitted(connected, contract)
    ended = connected("--json", "task", "settle", task_id, "c1", "--receipt", receipt)
    assert (ended.code, ended.problem["code"]) == (4, "bad_json")


def test_json_may_stand_before_or_after_the_command(connected: Run) -> None:
    assert (
        connected("log", "head", "--json").document == connected("--json", "log", "head").document
    )


# --- tasks


def test_a_contract_can_come_from_stdin(
    connected: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "stdin"
    file.write_text('{"task_type": "x"}')
    with file.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert connected("task", "submit", "-").code == 0


def test_the_sample_can_be_submitted(connected: Run, tmp_path: Path) -> None:
    sample = connected("task", "sample")
    file = tmp_path / "sample.json"
    file.write_text(sample.out)
    assert connected("task", "validate", str(file)).code == 0
    assert connected("task", "submit", str(file)).code == 0


def test_a_wrong_contract_is_refused_with_every_path(connected: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"task_typ": "x", "lease_ms": -1}')
    for words in (["submit"], ["validate"], ["submit", "--dry-run"]):
        ended = connected("task", *words, str(file))
        assert ended.code == 4
        assert "$.task_typ" in ended.out + ended.err
        assert "$.lease_ms" in ended.out + ended.err
    assert connected("--json", "task", "list").document["items"] == []


@pytest.mark.parametrize(
    ("content", "code"), [("", 4), ("[]", 4), ("{", 4), ("[" * 5_000, 4), (" " * 1_100_000, 4)]
)
def test_a_file_without_a_contract_is_refused(
    connected: Run, tmp_path: Path, content: str, code: int
) -> None:
    file = tmp_path / "contract.json"
    file.write_text(content)
    assert connected("task", "submit", str(file)).code == code


def test_one_key_submits_once(connected: Run, contract: str) -> None:
    first = connected("--json", "task", "submit", contract, "--idempotency-key", "k").document
    again = connected("--json", "task", "submit", contract, "--idempotency-key", "k").document
    assert (again["task_id"], again["already"]) == (first["task_id"], True)


def test_watching_ends_with_the_task(connected: Run, served: ServedNode, contract: str) -> None:
    task_id = submitted(connected, contract)
    threading.Timer(0.3, lambda: served.run(served.node.finish, task_id)).start()
    ended = connected("--json", "task", "watch", task_id, "--timeout-s", "10")
    lines = [json.loads(line)["task"]["state"] for line in ended.out.splitlines()]
    assert ended.code == 0
    assert lines == ["open", "final"]


def test_a_task_that_does_not_end_in_time_has_its_own_exit_code(
    connected: Run, contract: str
) -> None:
    task_id = submitted(connected, contract)
    ended = connected("task", "watch", task_id, "--timeout-s", "0.2")
    assert ended.code == 6


def test_a_task_that_ended_otherwise_has_failed(
    connected: Run, served: ServedNode, contract: str
) -> None:
    task_id = submitted(connected, contract)
    served.node.made[task_id].state = "expired"
    assert connected("task", "watch", task_id).code == 1


# --- who signs


def test_who_signs_is_said_and_shown(connected: Run) -> None:
    assert "free" in connected("node", "status").out
    assert "stopped since" in connected("node", "cloned").out
    assert "(cloned)" in connected("node", "status").out
    assert "but for what was opened by" in connected("node", "restored").out


# --- actors, log, executors


def test_top_writes_one_line_for_each_look(connected: Run) -> None:
    ended = connected("--json", "actors", "top", "--count", "3", "--every-s", "0.01")
    assert len(ended.out.splitlines()) == 3


def test_a_dial_that_is_none_is_refused_with_its_range(connected: Run) -> None:
    ended = connected("--json", "actors", "tune", "sel_writer", "speed=1")
    assert ended.code == 4
    assert ended.problem["code"] == "dial_invalid"


@pytest.mark.parametrize(
    "words",
    [
        "actors tune sel_writer",
        "actors tune sel_writer batch",
        "actors tune sel_writer batch=x",
        "actors tune sel_writer batch=1 --for soon",
        "executors add one http://a --header x",
        "up --set x",
        "up --nonsense",
        "chaos arm nonsense log",
        "nonsense",
        "task submit",
        "task watch a b",
    ],
)
def test_a_command_that_is_called_wrongly_says_how(connected: Run, words: str) -> None:
    ended = connected(*words.split())
    assert ended.code == 2
    assert ended.err
    assert ended.out == ""


def test_a_forged_log_fails_to_verify(connected: Run, served: ServedNode) -> None:
    served.run(served.node.append, "FORGED", None)
    ended = connected("--json", "log", "verify")
    assert ended.code == 1
    assert ended.document["fault"]["code"] == "bad_signature"


def test_an_executor_that_does_not_answer_is_added_and_told_of(connected: Run) -> None:
    ended = connected("executors", "add", "one", "http://127.0.0.1:1")
    assert ended.code == 1
    assert "connection refused" in ended.out
    assert connected("executors", "remove", "one").code == 0
    assert connected("executors", "remove", "one").code == 3


def test_what_is_not_there_has_its_own_exit_code(connected: Run) -> None:
    for words in ("task show 00", "log show ff", "actors inspect nobody", "executors check x"):
        ended = connected("--json", *words.split())
        assert (ended.code, ended.problem["code"]) == (3, "not_found")


# --- access


def test_a_wrong_token_is_told_with_a_remedy(
    connected: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTSWARM_API_TOKEN", "wrong")
    ended = connected("node", "status")
    assert ended.code == 1
    assert "WATTSWARM_API_TOKEN" in ended.err


def test_without_a_node_commands_say_how_to_start_one(run: Run) -> None:
    for words in ("node status", "task list", "actors top", "log head"):
        ended = run("--json", *words.split())
        assert (ended.code, ended.problem["code"]) == (5, "not_reachable")
        assert "wattswarm up" in ended.problem["remedy"]


def test_a_node_that_is_gone_is_not_reachable(
    run: Run, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTSWARM_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WATTSWARM_API_TOKEN", TOKEN)
    assert run("node", "status").code == 5


def test_a_server_that_is_no_node_is_told(connected: Run, served: ServedNode) -> None:
    served.node.state = "read_only"
    assert connected("node", "status").code == 5


def test_down_without_a_node_is_done(run: Run) -> None:
    ended = run("--json", "down")
    assert ended.code == 0
    assert ended.document == {"pid": None}


# --- config and doctor, without a node


def test_config_commands_need_no_node(run: Run, state: Path) -> None:
    assert "[actors.sel_writer]" in run("config", "default").out
    assert run("config", "validate").code == 0
    shown = run("--json", "config", "show", "api.listen").document["settings"]
    assert [row["source"] for row in shown] == ["built-in"]
    assert run("config", "show", "nonsense").code == 3

    state.mkdir()
    (state / "config.toml").write_text("[api]\nlistn = 1\n")
    ended = run("--json", "config", "validate")
    assert ended.code == 1
    assert "api.listen" in ended.document["problems"][0]["remedy"]
    assert run("config", "show").code == 1


def test_doctor_finds_nothing_wrong_with_a_fresh_place(run: Run) -> None:
    ended = run("--json", "doctor")
    assert ended.code == 0, ended.out
    areas = {finding["area"] for finding in ended.document["findings"]}
    assert {"config", "state dir", "disk", "database", "ports", "clock", "node"} <= areas


def test_doctor_says_how_to_mend_what_it_finds(
    run: Run, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.mkdir(mode=0o700)
    seed = state / "node_seed.hex"
    seed.write_text("07" * 32)
    seed.chmod(0o644)
    monkeypatch.setenv("WATTSWARM_PG_URL", "postgresql://me:hunter2@127.0.0.1:1/x")
    monkeypatch.setenv("WATTSWARM_STORE__DISK_FREE_MIB_MIN", "1048576")
    ended = run("--json", "doctor")
    assert ended.code == 1
    errors = {
        finding["area"]: finding
        for finding in ended.document["findings"]
        if finding["level"] == "error"
    }
    assert {"keys", "database", "disk"} <= errors.keys()
    assert all(finding["remedy"] for finding in errors.values())
    assert "hunter2" not in ended.out


BROKEN_URLS = (
    "postgresql://me:hunter2@[::1/x",
    "postgresql://me:hunter2@127.0.0.1:port/x",
    "password=hunter2 nonsense",
)


@pytest.mark.parametrize("url", BROKEN_URLS)
def test_a_node_whose_database_is_named_wrongly_does_not_begin_to_start(
    run: Run, state: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WATTSWARM_PG_URL", url)
    ended = run("up")
    assert ended.code == 1
    assert "store.pg_url" in ended.err
    assert "hunter2" not in ended.out + ended.err
    assert not (state / "node_seed.hex").exists()


def test_a_node_whose_schema_has_no_proper_name_does_not_begin_to_start(
    run: Run, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTSWARM_PG_SCHEMA", "Bad Name")
    ended = run("up")
    assert ended.code == 1
    assert "store.pg_schema" in ended.err
    assert not (state / "node_seed.hex").exists()


@pytest.mark.parametrize("url", BROKEN_URLS)
def test_doctor_tells_of_a_database_that_is_named_wrongly(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WATTSWARM_PG_URL", url)
    ended = run("doctor")
    assert ended.code == 1
    assert "store.pg_url" in ended.out
    assert "hunter2" not in ended.out + ended.err


def test_doctor_of_a_broken_configuration_still_looks_at_the_rest(run: Run, state: Path) -> None:
    state.mkdir()
    (state / "config.toml").write_text("nonsense")
    ended = run("doctor")
    assert ended.code == 1
    assert "disk" in ended.out


# --- help


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(run: Run, shell: str) -> None:
    ended = run("completion", shell)
    assert ended.code == 0
    assert "wattswarm" in ended.out


def test_every_group_has_help(run: Run) -> None:
    groups = [
        "node",
        "executors",
        "task",
        "governance",
        "log",
        "actors",
        "config",
        "chaos",
        "demo",
        "up",
        "down",
        "doctor",
    ]
    for group in ([], *([group] for group in groups)):
        ended = run(*group, "--help")
        assert ended.code == 0
        assert "Usage:" in ended.out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from wattswarm.cli.main import exit_code\n"
        "assert exit_code(['--help']) == 0\n"
        "heavy = {'trio', 'httpx2', 'msgspec', 'psycopg', 'starlette', 'structlog', 'cbor2'}\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
