"""A reference names a body by content, size and media type."""

import pytest

from wattswarm.kernel import artifact
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import artifact_digest

REFERENCE = ArtifactRef(digest=artifact_digest(b"body"), size_bytes=4, mime="text/plain")


def test_a_reference_is_read_back_from_its_payload() -> None:
    assert artifact.read(REFERENCE.to_payload()) == REFERENCE


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"digest": "sha256:" + "0" * 64}, "$.digest", "bad_field"),
        ({"digest": "blake3:" + "A" * 64}, "$.digest", "bad_field"),
        ({"digest": b"x"}, "$.digest", "bad_field"),
        ({"size_bytes": -1}, "$.size_bytes", "bad_field"),
        ({"size_bytes": 2**40}, "$.size_bytes", "bad_field"),
        ({"size_bytes": True}, "$.size_bytes", "bad_field"),
        ({"mime": ""}, "$.mime", "bad_field"),
        ({"mime": "text/\n"}, "$.mime", "bad_field"),
        ({"uri": "x"}, "$.uri", "unknown_field"),
    ],
)
def test_each_field_has_its_form(change: dict[str, Value], path: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        artifact.read({**REFERENCE.to_payload(), **change})
    assert (refused.value.path, refused.value.code) == (path, code)


@pytest.mark.parametrize("value", [b"x", [], "blake3:", {}])
def test_anything_else_is_refused(value: Value) -> None:
    with pytest.raises(Malformed):
        artifact.read(value)
