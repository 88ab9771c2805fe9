"""What failures mean, and which calls are made again."""

from random import Random

import pytest

from wattswarm.executors.contract import Outcome
from wattswarm.executors.errors import (
    EvidenceRefused,
    ExecutorContractBroken,
    ExecutorError,
    ExecutorRefused,
    ExecutorTooSlow,
    ExecutorUnavailable,
    failure_of,
    inconclusive_of,
)
from wattswarm.executors.retry import RetryLimits, pause_ms


def _unavailable(retry_after_ms: int | None = None) -> ExecutorError:
    return ExecutorUnavailable(
        executor="one", call="execute", reason="gone", retry_after_ms=retry_after_ms
    )


def _refused(status: int, retry_after_ms: int | None = None) -> ExecutorError:
    return ExecutorRefused(
        executor="one", call="execute", status=status, retry_after_ms=retry_after_ms
    )


def _evidence(rule: str) -> ExecutorError:
    return EvidenceRefused(executor="one", call="evidence", rule=rule, uri="u", message="m")


SLOW = ExecutorTooSlow(executor="one", call="execute", waited_ms=5)
BROKEN = ExecutorContractBroken(
    executor="one", call="execute", rule="bad_json", path="$.x", message="not JSON"
)


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (SLOW, "timeout", 300),
        (BROKEN, "invalid_output", 301),
        (_unavailable(), "other", 303),
        (_refused(500), "other", 303),
        (_refused(422), "other", 0),
        (_evidence("digest_mismatch"), "invalid_output", 203),
        (_evidence("auth_denied"), "invalid_output", 202),
        (_evidence("foreign_origin"), "invalid_output", 200),
    ],
)
def test_a_failure_leaves_a_reason_and_a_code(error: ExecutorError, reason: str, code: int) -> None:
    failure = failure_of(error)
    assert (failure.reason, failure.reason_codes) == (reason, (code,))
    assert "one" in failure.message


@pytest.mark.parametrize(
    ("error", "code"), [(SLOW, 201), (_unavailable(), 200), (_refused(500), 200)]
)
def test_a_verifier_without_an_answer_is_inconclusive(error: ExecutorError, code: int) -> None:
    found = inconclusive_of(error)
    assert found is not None
    assert (found.outcome, found.score_bp, found.reason_codes) == (Outcome.INCONCLUSIVE, 0, (code,))


def test_a_verifier_whose_executor_breaks_the_contract_says_nothing() -> None:
    assert inconclusive_of(BROKEN) is None


LIMITS = RetryLimits(attempts_max=4, backoff_ms_min=100, backoff_ms_max=250)


def test_pauses_double_up_to_a_bound_and_end() -> None:
    pauses = [pause_ms(_unavailable(), made, LIMITS, Random(1)) for made in (1, 2, 3, 4)]
    assert pauses[3] is None
    for pause, full in zip(pauses[:3], (100, 200, 250), strict=True):
        assert pause is not None
        assert full // 2 <= pause <= full


def test_the_executors_own_wish_counts_within_reason() -> None:
    assert pause_ms(_refused(503, 7_000), 1, LIMITS, Random(1)) == 7_000
    assert pause_ms(_unavailable(10**9), 1, LIMITS, Random(1)) == 60_000


@pytest.mark.parametrize("error", [SLOW, BROKEN, _refused(500), _refused(422), _evidence("x")])
def test_what_will_not_pass_is_not_tried_again(error: ExecutorError) -> None:
    assert pause_ms(error, 1, LIMITS, Random(1)) is None
