"""The document of the contract says what the code does."""

from pathlib import Path

from wattswarm.executors import contract
from wattswarm.executors.breaker import BreakerLimits
from wattswarm.executors.command import OUTPUT_DIFFERS
from wattswarm.executors.openai import JUDGED_BAD
from wattswarm.executors.reference.verification import Finding
from wattswarm.executors.retry import PASSING_STATUSES, RetryLimits

TEXT = (Path(__file__).parents[3] / "docs" / "protocol" / "executor-contract.md").read_text("utf-8")


def test_every_code_of_ours_is_listed_once() -> None:
    codes = {*map(int, Finding), OUTPUT_DIFFERS, JUDGED_BAD}
    rows = [line.split("|")[1].strip() for line in TEXT.splitlines() if line.startswith("| 1")]
    assert sorted(map(int, rows)) == sorted(codes)


def test_the_limits_are_the_ones_in_force() -> None:
    statuses = ", ".join(map(str, sorted(PASSING_STATUSES)))
    assert f"status {statuses}" in TEXT
    assert f"{RetryLimits().attempts_max} times" in TEXT
    assert f"After {BreakerLimits().failures_max} failures" in TEXT
    assert contract.ANSWER_BYTES_MAX == 4 * 2**20
    assert contract.EVIDENCE_INLINE_BYTES_MAX == 65_536
    assert f"{contract.EVIDENCE_ITEMS_MAX} items" in TEXT
