"""Documents about artifacts: bodies outside the log, named by their content."""

import attrs

from wattswarm.surface.words import Hex, Time


@attrs.frozen(kw_only=True)
class ArtifactLine:
    """One stored artifact; `named` tells whether anything names it, `tasks` how many tasks do."""

    digest: str
    size_bytes: int
    stored_at: Time
    named: bool
    tasks: int


@attrs.frozen(kw_only=True)
class ArtifactPage:
    """Stored artifacts by digest; `next` is the cursor of the next page."""

    items: tuple[ArtifactLine, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class ArtifactRecord:
    """What is known of one stored artifact; at most 100 of the tasks that name it are listed."""

    digest: str
    size_bytes: int
    stored_at: Time
    mime: str | None
    named: bool
    tasks: tuple[Hex, ...]


@attrs.frozen(kw_only=True)
class ArtifactsVerified:
    """What reading every stored body found; at most 100 of the damaged ones are listed."""

    ok: bool
    artifacts: int
    bytes: int
    damaged: tuple[str, ...]
    duration_ms: int


@attrs.frozen(kw_only=True)
class ArtifactsCollected:
    """What was removed, or would have been: unnamed ones, those of ended tasks, stored answers.

    At most 100 digests are listed; `complete` is false when another collection would find more.
    """

    dry_run: bool
    unnamed: int
    ended: int
    bytes: int
    answers: int
    digests: tuple[str, ...]
    complete: bool
    duration_ms: int
