"""References to bodies that live outside the log: candidate outputs, evidence, large inputs.

A reference names its body by content, so whoever holds the body can prove that it is the right one.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import ARTIFACT_DIGEST
from wattswarm.kernel.limits import ARTIFACT_BYTES_MAX, MIME_CHARS_MAX

KEYS: Final = frozenset({"digest", "size_bytes", "mime"})


@attrs.frozen(kw_only=True)
class ArtifactRef:
    """The name, size and media type of a body in the artifact store."""

    digest: str
    size_bytes: int
    mime: str

    def to_payload(self) -> Mapping[str, Value]:
        """Return the map that stands for this reference in a payload."""
        return {"digest": self.digest, "size_bytes": self.size_bytes, "mime": self.mime}


def read(value: Value, path: str = "$") -> ArtifactRef:
    """Return the reference that `value`, a part of a payload, is.

    Raises:
        Malformed: `bad_field` or `unknown_field`, with a path that begins with `path`.
    """
    if not isinstance(value, Mapping):
        raise Malformed(code="bad_field", path=path, message="an artifact reference is a map")
    unknown = value.keys() - KEYS
    if unknown:
        raise Malformed(
            code="unknown_field",
            path=f"{path}.{min(unknown)}",
            message="not a field of a reference",
        )
    return ArtifactRef(
        digest=_digest(value.get("digest"), f"{path}.digest"),
        size_bytes=_size(value.get("size_bytes"), f"{path}.size_bytes"),
        mime=_mime(value.get("mime"), f"{path}.mime"),
    )


def _digest(value: Value | None, path: str) -> str:
    if type(value) is not str or not ARTIFACT_DIGEST.match(value):
        raise Malformed(
            code="bad_field",
            path=path,
            message="a digest is `blake3:` and 64 lower-case hex digits",
        )
    return value


def _size(value: Value | None, path: str) -> int:
    if type(value) is not int or not 0 <= value <= ARTIFACT_BYTES_MAX:
        raise Malformed(
            code="bad_field", path=path, message=f"a size is 0 to {ARTIFACT_BYTES_MAX} bytes"
        )
    return value


def _mime(value: Value | None, path: str) -> str:
    if type(value) is not str or not 1 <= len(value) <= MIME_CHARS_MAX or not value.isprintable():
        raise Malformed(
            code="bad_field",
            path=path,
            message=f"a media type is 1 to {MIME_CHARS_MAX} printable characters",
        )
    return value
