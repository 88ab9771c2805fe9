"""Errors of the store are sentences, with a code for machines."""

import inspect

import pytest

from wattswarm.store import errors
from wattswarm.store.errors import StoreError

EXAMPLES: tuple[tuple[StoreError, str, str], ...] = (
    (errors.StoreUnavailable(message="gone"), "store_unavailable", "not available: gone"),
    (errors.StoreFull(message="no space"), "store_full", "is full: no space"),
    (
        errors.Fenced(term=3, current_term=4),
        "fenced",
        "term 3 was replaced by the writer of term 4",
    ),
    (errors.Fenced(term=3), "fenced", "the writer of term 3 was replaced"),
    (
        errors.PositionConflict(name="tasks", shard=1, expected=2, actual=3),
        "position_conflict",
        "cursor tasks/1 is at 3, not at 2",
    ),
    (errors.SchemaMismatch(message="too new"), "schema_mismatch", "too new"),
    (errors.ServerNotStarted(message="do this"), "server_not_started", "do this"),
    (errors.LogDamaged(seq=5, message="bad"), "log_damaged", "row 5 of the log is damaged: bad"),
    (errors.ArtifactMissing(digest="d"), "artifact_missing", "artifact d is not stored here"),
    (
        errors.ArtifactDamaged(digest="d", message="m"),
        "artifact_damaged",
        "artifact d is damaged: m",
    ),
    (
        errors.ArtifactTooLarge(size_bytes=9, bytes_max=8),
        "artifact_too_large",
        "an artifact of 9 bytes or more, 8 are allowed",
    ),
)


@pytest.mark.parametrize(("error", "code", "sentence"), EXAMPLES, ids=lambda value: str(value)[:20])
def test_an_error_has_a_code_and_a_sentence(error: StoreError, code: str, sentence: str) -> None:
    assert error.code == code
    assert sentence in str(error)


def test_every_error_is_in_the_tree_that_the_module_draws() -> None:
    classes = {
        name
        for name, of in inspect.getmembers(errors, inspect.isclass)
        if issubclass(of, StoreError) and of is not StoreError
    }
    assert errors.__doc__ is not None
    assert classes == {type(error).__name__ for error, _, _ in EXAMPLES}
    tree = errors.__doc__.split()
    assert classes <= set(tree)
