"""What can go wrong in the store, split by what the catcher does.

StoreError
├ StoreUnavailable    try again with back-off; what was being committed may or may not be there
├ StoreFull           refuse writes, go on reading, probe until one commits
├ Fenced              stop for good: another writer has the log
├ PositionConflict    forget what is cached, read the position again, go on from there
├ SchemaMismatch      refuse to start: the database is not one that this version can use
├ ServerNotStarted    refuse to start: tell the operator what to change
├ LogDamaged          raise an alarm: a row of the log is not what was written
├ ArtifactTooLarge    refuse it: nothing was stored
├ ArtifactMissing     fetch it from somebody who has it
└ ArtifactDamaged     the file was removed; fetch it again
"""

from typing import ClassVar

import attrs

from wattswarm.kernel.errors import WattSwarmError


class StoreError(WattSwarmError):
    """Root of the errors of the store; never raised itself."""

    code: ClassVar[str] = "store_error"


@attrs.define(eq=False, kw_only=True)
class StoreUnavailable(StoreError):
    """The server cannot be reached, ended the session, or did not answer in time; or the disk
    failed.

    `is_commit_unknown`: a commit was under way, so the caller reads the ids again before it answers
        anybody (appending the same events once more does just that).
    """

    code: ClassVar[str] = "store_unavailable"

    message: str
    is_commit_unknown: bool = False

    def __str__(self) -> str:
        return f"the store is not available: {self.message}"


@attrs.define(eq=False, kw_only=True)
class StoreFull(StoreError):
    """There is no room left on the disk of the database; nothing was written."""

    code: ClassVar[str] = "store_full"

    message: str

    def __str__(self) -> str:
        return f"the disk of the database is full: {self.message}"


@attrs.define(eq=False, kw_only=True)
class Fenced(StoreError):
    """Another writer has taken the log over; this one has written nothing since, and never will."""

    code: ClassVar[str] = "fenced"

    term: int
    current_term: int | None = None

    def __str__(self) -> str:
        by = "" if self.current_term is None else f" by the writer of term {self.current_term}"
        return f"the writer of term {self.term} was replaced{by}"


@attrs.define(eq=False, kw_only=True)
class PositionConflict(StoreError):
    """A cursor is not where the caller thought: it was moved, or the tables were swapped."""

    code: ClassVar[str] = "position_conflict"

    name: str
    shard: int
    expected: int
    actual: int | None

    def __str__(self) -> str:
        return f"cursor {self.name}/{self.shard} is at {self.actual}, not at {self.expected}"


@attrs.define(eq=False, kw_only=True)
class SchemaMismatch(StoreError):
    """The database is of another version, or a migration was changed after it had run."""

    code: ClassVar[str] = "schema_mismatch"

    message: str

    def __str__(self) -> str:
        return self.message


@attrs.define(eq=False, kw_only=True)
class ServerNotStarted(StoreError):
    """The embedded server cannot run here; the message says what to do about it."""

    code: ClassVar[str] = "server_not_started"

    message: str

    def __str__(self) -> str:
        return self.message


@attrs.define(eq=False, kw_only=True)
class LogDamaged(StoreError):
    """A stored row does not say what was written; `wattswarm log verify` finds the first one."""

    code: ClassVar[str] = "log_damaged"

    seq: int
    message: str

    def __str__(self) -> str:
        return f"row {self.seq} of the log is damaged: {self.message}"


@attrs.define(eq=False, kw_only=True)
class ArtifactTooLarge(StoreError):
    """A body is larger than artifacts may be; nothing was stored."""

    code: ClassVar[str] = "artifact_too_large"

    size_bytes: int
    bytes_max: int

    def __str__(self) -> str:
        return f"an artifact of {self.size_bytes} bytes or more, {self.bytes_max} are allowed"


@attrs.define(eq=False, kw_only=True)
class ArtifactMissing(StoreError):
    """No artifact of this digest is stored here."""

    code: ClassVar[str] = "artifact_missing"

    digest: str

    def __str__(self) -> str:
        return f"artifact {self.digest} is not stored here"


@attrs.define(eq=False, kw_only=True)
class ArtifactDamaged(StoreError):
    """The stored bytes are not those of the digest, or not as long as the reference says."""

    code: ClassVar[str] = "artifact_damaged"

    digest: str
    message: str

    def __str__(self) -> str:
        return f"artifact {self.digest} is damaged: {self.message}"
