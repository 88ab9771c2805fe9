"""Spans, sizes, bars, and how failures become exit codes."""

import pytest

from wattswarm.cli.client import find_access
from wattswarm.cli.failure import Failure, usage
from wattswarm.cli.node import assignments
from wattswarm.cli.spans import span_ms
from wattswarm.cli.views import style
from wattswarm.config.state_dir import StateDir
from wattswarm.surface.words import moment, plain, when


@pytest.mark.parametrize(
    ("word", "ms"), [("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("2h", 7_200_000)]
)
def test_spans_have_units(word: str, ms: int) -> None:
    assert span_ms(word) == ms


@pytest.mark.parametrize("word", ["", "5", "s", "-1s", "1.5s", "1d", "1s ", "٣s", "9" * 10 + "s"])
def test_other_words_are_no_spans(word: str) -> None:
    with pytest.raises(Failure) as caught:
        span_ms(word)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0ms"),
        (999, "999ms"),
        (1_000, "1.0s"),
        (59_000, "59s"),
        (60_000, "1.0m"),
        (90_000_000, "1.0d"),
    ],
)
def test_durations_are_shown_in_their_largest_unit(ms: int, text: str) -> None:
    assert style.duration(ms) == text


@pytest.mark.parametrize(
    ("us", "text"), [(9, "9µs"), (1_500, "1.5ms"), (99_900, "99.9ms"), (2_000_000, "2.0s")]
)
def test_microseconds_are_shown_as_people_read_them(us: int, text: str) -> None:
    assert style.micros(us) == text


@pytest.mark.parametrize(
    ("value", "most", "drawn"),
    [(0, 8, "    "), (4, 8, "██  "), (8, 8, "████"), (99, 8, "████"), (1, 0, "    ")],
)
def test_a_bar_shows_a_share(value: float, most: float, drawn: str) -> None:
    assert style.bar(value, most, width=4).plain == drawn


@pytest.mark.parametrize(("size", "text"), [(5, "5 B"), (2_048, "2.0 KiB"), (3_145_728, "3.0 MiB")])
def test_sizes_are_shown_as_people_read_them(size: int, text: str) -> None:
    assert style.size(size) == text


def test_a_long_text_is_cut_at_its_first_line() -> None:
    assert style.cut("one\ntwo") == "one"
    assert style.cut("x" * 100, 10) == "x" * 9 + "…"
    assert style.cut(None) == ""


def test_times_are_rfc_3339_with_milliseconds_both_ways() -> None:
    assert when(0) == "1970-01-01T00:00:00.000Z"
    assert when(1_780_000_000_123) == "2026-05-28T20:26:40.123Z"
    assert moment(when(1_780_000_000_123)) == 1_780_000_000_123
    assert when(2**48 - 1).startswith("9999-12-31T23:59:59")


def test_signed_values_become_json() -> None:
    assert plain({"a": b"\x01", "b": [b"\x02", {"c": 1}], "d": ("x",)}) == {
        "a": "01",
        "b": ["02", {"c": 1}],
        "d": ["x"],
    }


@pytest.mark.parametrize(
    ("code", "status", "exit_code"),
    [
        ("not_found", 404, 3),
        ("contract_invalid", 422, 4),
        ("stale_pin", 409, 4),
        ("unauthorized", 401, 1),
        ("overloaded", 503, 1),
        ("not_ready", 503, 5),
        ("timed_out", 504, 6),
        ("internal", 500, 1),
        ("bad_parameter", 400, 2),
        ("state_dir_locked", 0, 4),
        ("restart_limit", 0, 70),
        ("seed_malformed", 0, 1),
    ],
)
def test_a_code_has_one_exit_code(code: str, status: int, exit_code: int) -> None:
    assert Failure(code=code, message="", status=status).exit_code == exit_code


def test_assignments_keep_what_stands_after_the_first_equals_sign() -> None:
    assert assignments(["a.b=1", "c=x=y"]) == {"a.b": "1", "c": "x=y"}
    with pytest.raises(Failure):
        assignments(["a"])


def test_a_usage_failure_says_how() -> None:
    failure = usage("that is wrong", "do this")
    assert (failure.exit_code, failure.advice) == (2, "do this")


def test_the_environment_names_another_node(tmp_path) -> None:
    access = find_access(
        StateDir(tmp_path), {"WATTSWARM_API_URL": "http://there/", "WATTSWARM_API_TOKEN": "t"}
    )
    assert (access.url, access.token) == ("http://there", "t")
    assert "token" not in repr(access)
