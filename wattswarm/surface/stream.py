"""Documents of the live stream."""

from typing import Literal

import attrs

from wattswarm.surface.words import Hex, Time

StreamKind = Literal["event", "task", "node"]


@attrs.frozen(kw_only=True)
class EventNews:
    """An event was appended."""

    seq: int
    event_id: Hex
    event_kind: str
    author: Hex
    task_id: Hex | None
    created_at: Time


@attrs.frozen(kw_only=True)
class TaskNews:
    """The derived state of a task moved; `seq` is how far the projection has come."""

    seq: int
    task_id: Hex
    state: str


@attrs.frozen(kw_only=True)
class NodeNews:
    """The node itself changed."""

    state: str
    reason: str


News = EventNews | TaskNews | NodeNews

KINDS: dict[type, StreamKind] = {EventNews: "event", TaskNews: "task", NodeNews: "node"}
"""The name of each kind of news on the stream."""
