"""Settings of one executor: strict to read, silent about secrets."""

from pathlib import Path
from typing import Any

import pytest

from wattswarm.executors.contract import Capabilities
from wattswarm.executors.errors import ExecutorUnavailable
from wattswarm.executors.settings import bearer_token, read
from wattswarm.kernel.errors import Malformed

LEAST: dict[str, Any] = {"name": "one", "base_url": "http://127.0.0.1:8787/"}


def test_little_needs_to_be_said() -> None:
    settings = read(LEAST)
    assert (settings.base_url, settings.profile) == ("http://127.0.0.1:8787", "default")
    assert read(settings.to_plain()) == settings


def test_everything_survives_the_registry() -> None:
    everything = {
        **LEAST,
        "profile": "p",
        "timeout_ms": 5,
        "probe_timeout_ms": 6,
        "concurrency": 7,
        "headers": {"x-team": "blue"},
        "bearer_token_env": "TOKEN",
        "task_types": ["a"],
        "provider_family": "f",
        "model_id": "m",
    }
    assert read(read(everything).to_plain()) == read(everything)


def test_what_an_executor_says_of_itself_is_kept() -> None:
    said = Capabilities(task_types=("a",), profiles=("p",), provider_family="f", model_id="m")
    learned = read(LEAST).learned(said)
    assert (learned.task_types, learned.provider_family, learned.model_id) == (("a",), "f", "m")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "a b"}, "$.name"),
        ({"name": ""}, "$.name"),
        ({"base_url": "ftp://x"}, "$.base_url"),
        ({"base_url": "http://user:pw@x"}, "$.base_url"),
        ({"base_url": "http://x?a=1"}, "$.base_url"),
        ({"base_url": "http://x:99999"}, "$.base_url"),
        ({"base_url": "http://[x"}, "$.base_url"),
        ({"base_url": "http://x\r\ny"}, "$.base_url"),
        ({"timeout_ms": 0}, "$.timeout_ms"),
        ({"timeout_ms": True}, "$.timeout_ms"),
        ({"concurrency": 10_000}, "$.concurrency"),
        ({"headers": {"a b": "c"}}, "$.headers.a b"),
        ({"headers": {"x": "a\r\nb: c"}}, "$.headers.x"),
        ({"headers": {"Authorization": "Bearer x"}}, "$.headers.Authorization"),
        ({"headers": {f"x{n}": "" for n in range(40)}}, "$.headers"),
        ({"bearer_token_env": "Bearer abc"}, "$.bearer_token_env"),
        ({"bearer_token_env": "A", "bearer_token_file": "/b"}, "$.bearer_token_file"),
        ({"task_types": [1]}, "$.task_types[0]"),
    ],
)
def test_a_wrong_setting_is_told_by_its_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(Malformed) as caught:
        read({**LEAST, **change})
    assert caught.value.path == path


def test_an_unknown_setting_gets_a_suggestion() -> None:
    with pytest.raises(Malformed, match="did you mean `timeout_ms`"):
        read({**LEAST, "timeout": 5})


def test_header_values_are_never_shown() -> None:
    settings = read({**LEAST, "headers": {"x-api-key": "k3y"}})
    assert "k3y" not in f"{settings} {settings!r} {settings.shown()}"
    assert settings.to_plain()["headers"] == {"x-api-key": "k3y"}


def test_a_token_comes_from_a_file_or_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    by_file = read({**LEAST, "bearer_token_file": str(file)})
    by_name = read({**LEAST, "bearer_token_env": "TOKEN"})
    assert bearer_token(by_file, {}) == "s3cret"
    assert bearer_token(by_name, {"TOKEN": "s3cret"}) == "s3cret"
    assert bearer_token(read(LEAST), {}) is None


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", b"a\nb"])
def test_a_file_without_a_token_is_told_and_not_shown(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ExecutorUnavailable) as caught:
        bearer_token(read({**LEAST, "bearer_token_file": str(file)}), {})
    assert str(file) in str(caught.value)
    assert "two words" not in str(caught.value)


def test_a_token_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExecutorUnavailable, match="cannot be read"):
        bearer_token(read({**LEAST, "bearer_token_file": str(tmp_path / "none")}), {})


@pytest.mark.parametrize(
    "host",
    ["..", "a..b", "a" * 64, "[v1.x]", "a b", "%31", "-a", "[::1", "\u00fc.example", "a\0", ""],
)
def test_a_host_that_cannot_be_asked_for_is_refused(host: str) -> None:
    with pytest.raises(Malformed) as caught:
        read({"name": "one", "base_url": f"http://{host}/"})
    assert caught.value.path == "$.base_url"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8787", "[::1]:1", "my_service", "a.example.", "EXAMPLE.com"]
)
def test_hosts_are_names_and_addresses(host: str) -> None:
    assert read({"name": "one", "base_url": f"http://{host}/"}).base_url == f"http://{host}"


def test_no_token_file_has_a_name_that_no_file_can_have() -> None:
    with pytest.raises(Malformed) as caught:
        read({"name": "one", "base_url": "http://localhost", "bearer_token_file": "a\0b"})
    assert caught.value.path == "$.bearer_token_file"
