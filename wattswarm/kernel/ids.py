"""Names: an object is named by the event that made it, a node by its public key."""

import re
from typing import Final, NewType

EventId = NewType("EventId", bytes)
"""BLAKE3 of an event's body, 32 bytes."""

TaskId = EventId
"""A task is its TASK_CREATED event."""

NodeId = NewType("NodeId", bytes)
"""Ed25519 public key, 32 bytes."""

Digest = NewType("Digest", bytes)
"""BLAKE3 of some content, 32 bytes: a governance version (a pin), a policy, a group of rows."""

Seq = NewType("Seq", int)
"""Local position in the log: 1, 2, 3 … without gaps; means nothing on another node."""

ID_TEXT: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
SCOPE: Final = re.compile(r"(?:global|(?:region|node|group):[A-Za-z0-9._-]{1,128})\Z")
KIND: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}\Z")
ARTIFACT_DIGEST: Final = re.compile(r"blake3:[0-9a-f]{64}\Z")

SHORT_HEX: Final = 12


def short(name: bytes) -> str:
    """Return the first twelve hex digits of an id, for people."""
    return name.hex()[:SHORT_HEX]
