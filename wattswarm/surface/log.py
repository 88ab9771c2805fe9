"""Documents about the event log."""

from collections.abc import AsyncGenerator, Mapping

import attrs

from wattswarm.surface.words import Hex, Time, VerdictWord


@attrs.frozen(kw_only=True)
class LogHead:
    """Where the log ends."""

    seq: int
    chain: Hex
    writer_term: int
    projected_seq: int


@attrs.frozen(kw_only=True)
class EventView:
    """One event as it stands in the log; the payload's bytes are shown in hex."""

    seq: int
    event_id: Hex
    event_kind: str
    lane_class: str
    scope: str
    author: Hex
    task_id: Hex | None
    epoch: int
    created_at: Time
    received_at: Time
    body_bytes: int
    chain: Hex
    signature: Hex
    payload: Mapping[str, object]
    verdict: VerdictWord | None = None
    """What became of it, where a single event is shown; not in lists."""
    code: str | None = None
    sentence: str | None = None


@attrs.frozen(kw_only=True)
class EventPage:
    """Events in the order of the log; `next_after` is where the next page begins."""

    items: tuple[EventView, ...]
    next_after: int | None
    head_seq: int


@attrs.frozen(kw_only=True)
class LogFault:
    """The first thing that is wrong with a log."""

    seq: int
    event_id: Hex
    code: str
    message: str


@attrs.frozen(kw_only=True)
class Verified:
    """What reading the whole log found: every signature, every link of the chain, every number."""

    ok: bool
    events: int
    head_seq: int
    chain: Hex
    duration_ms: int
    fault: LogFault | None = None


@attrs.frozen(kw_only=True)
class ScopeDigest:
    """One digest for all derived rows of a scope."""

    scope: str
    digest: Hex
    groups: int


@attrs.frozen(kw_only=True)
class Digests:
    """The digests of all scopes at one position, and one over them."""

    digest: Hex
    projected_seq: int
    head_seq: int
    scopes: tuple[ScopeDigest, ...]


@attrs.frozen(kw_only=True)
class Replayed:
    """What a rebuild of the projections gave; `equal` is null when nothing could be compared."""

    events: int
    groups: int
    duration_ms: int
    digest: Hex
    verified: bool
    equal: bool | None = None
    differing_scopes: tuple[str, ...] = ()
    quarantined: tuple[Hex, ...] = ()


@attrs.frozen(kw_only=True)
class Ingested:
    """What became of an archive of events."""

    received: int
    appended: int
    already: int
    refused: int
    head_seq: int
    refusals: Mapping[str, int]
    """Refused events by code."""
    intact: bool
    """The archive is as it was made: its trailer fits what was received."""


@attrs.frozen(kw_only=True)
class Part:
    """A part of the log: after one seq and up to another (None: its end), of a scope or a task.

    Events of governance that lie between are in it in any case.
    """

    after: int = 0
    up_to: int | None = None
    scope: str | None = None
    task: str | None = None


@attrs.frozen(kw_only=True)
class Exported:
    """What was written into a file; `hash` is that of the archive's trailer."""

    file: str
    network_id: str
    events: int
    bytes: int
    hash: Hex


@attrs.frozen(kw_only=True)
class ArchiveFault:
    """Where an archive could not be taken apart any further."""

    code: str
    message: str


@attrs.frozen(kw_only=True)
class Imported:
    """What became of the events of a file; `passes` is more than 1 when some had to wait for others
    that came later in it.
    """

    file: str
    received: int
    appended: int
    already: int
    refused: int
    refusals: Mapping[str, int]
    """Refused events by code."""
    intact: bool
    """The file is as it was made, to its last byte."""
    passes: int
    duration_ms: int
    fault: ArchiveFault | None = None


@attrs.frozen
class EventArchive:
    """An archive of events that is made while it is sent; without its trailer it is not whole."""

    chunks: AsyncGenerator[bytes, None]
