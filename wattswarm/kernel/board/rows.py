"""Events of the board as rows: those of its kind's tables, or one that says why it has no effect.

Every table begins with the event's id, the name of the group. Which revision stands is no row: the
views in SQL say it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.board.judging import NOTHING_VOIDED, Statements, judge
from wattswarm.kernel.event import Event
from wattswarm.kernel.payloads.board import (
    CheckpointCreated,
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
    FeedSubscriptionUpdated,
    TaskAnnounced,
    TopicMessagePosted,
)
from wattswarm.kernel.rows.table import Row, Rows, TableShape, shape
from wattswarm.kernel.verdict import Ignored

Make: TypeAlias = "Callable[[Event, Any], Iterator[Row]]"

COMMON: Final = "event_id bytes, scope text, author bytes, created_at uint"
VERDICTS: Final = "board_verdicts"


@attrs.frozen
class BoardTable:
    """A table of the events of one kind, and what makes its rows."""

    kind: str
    shape: TableShape
    make: Make


def _common(event: Event) -> Row:
    return (event.event_id, event.scope, event.author, event.created_at)


def _parts(ref: ArtifactRef | None) -> Row:
    return (None, None, None) if ref is None else (ref.digest, ref.size_bytes, ref.mime)


def _joined(words: tuple[str, ...] | None) -> str | None:
    return None if words is None else ",".join(words)


def _message(event: Event, said: TopicMessagePosted) -> Iterator[Row]:
    yield (*_common(event), said.feed_key, said.reply_to, said.text, *_parts(said.body))


def _subscription(event: Event, said: FeedSubscriptionUpdated) -> Iterator[Row]:
    yield (
        *_common(event),
        said.feed_key,
        said.revision,
        said.active,
        _joined(said.gossip_kinds),
        _joined(said.provides),
        said.retention_ms,
    )


def _announcement(event: Event, said: TaskAnnounced) -> Iterator[Row]:
    yield (
        *_common(event),
        said.announcement_key,
        said.feed_key,
        said.task,
        said.revision,
        said.summary,
        *_parts(said.detail),
    )


def _intent(event: Event, said: ExecutionIntentDeclared) -> Iterator[Row]:
    yield (
        *_common(event),
        said.task,
        said.execution_set,
        said.revision,
        said.role_hint,
        said.intent,
    )


def _set(event: Event, said: ExecutionSetConfirmed) -> Iterator[Row]:
    yield (*_common(event), said.task, said.execution_set, said.revision, len(said.members))


def _members(event: Event, said: ExecutionSetConfirmed) -> Iterator[Row]:
    for member in said.members:
        yield (event.event_id, member.node, member.role_hint)


def _checkpoint(event: Event, said: CheckpointCreated) -> Iterator[Row]:
    yield (*_common(event), said.seq, said.chain, len(said.lanes))


def _lanes(event: Event, said: CheckpointCreated) -> Iterator[Row]:
    for lane in said.lanes:
        yield (
            event.event_id,
            lane.scope,
            lane.lane_class.value,
            lane.cut,
            lane.events,
            lane.root,
        )


_TABLES: Final[Mapping[str, BoardTable]] = {
    "topic_messages": BoardTable(
        TopicMessagePosted.kind,
        shape(
            f"{COMMON}, feed_key text, reply_to bytes?, text text?,"
            "body_digest text?, body_size_bytes uint?, body_mime text?",
            1,
        ),
        _message,
    ),
    "feed_subscriptions": BoardTable(
        FeedSubscriptionUpdated.kind,
        shape(
            f"{COMMON}, feed_key text, revision uint, is_active bool,"
            "gossip_kinds text?, provides text?, retention_ms uint?",
            1,
        ),
        _subscription,
    ),
    "task_announcements": BoardTable(
        TaskAnnounced.kind,
        shape(
            f"{COMMON}, announcement_key text, feed_key text, task_id bytes, revision uint,"
            "summary text?, detail_digest text?, detail_size_bytes uint?, detail_mime text?",
            1,
        ),
        _announcement,
    ),
    "execution_intents": BoardTable(
        ExecutionIntentDeclared.kind,
        shape(
            f"{COMMON}, task_id bytes, execution_set text, revision uint,"
            "role_hint text, intent text",
            1,
        ),
        _intent,
    ),
    "execution_sets": BoardTable(
        ExecutionSetConfirmed.kind,
        shape(f"{COMMON}, task_id bytes, execution_set text, revision uint, members uint", 1),
        _set,
    ),
    "execution_set_members": BoardTable(
        ExecutionSetConfirmed.kind, shape("event_id bytes, node bytes, role_hint text", 2), _members
    ),
    "checkpoints": BoardTable(
        CheckpointCreated.kind,
        shape(f"{COMMON}, seq uint, chain bytes, lanes uint", 1),
        _checkpoint,
    ),
    "checkpoint_lanes": BoardTable(
        CheckpointCreated.kind,
        shape("event_id bytes, scope text, class text, cut uint, events uint, root bytes", 3),
        _lanes,
    ),
}

TABLES: Final[Mapping[str, TableShape]] = {
    **{name: table.shape for name, table in _TABLES.items()},
    VERDICTS: shape(f"{COMMON}, event_kind text, code text", 1),
}
"""The tables of the board."""

TABLES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    kind: tuple(name for name, table in _TABLES.items() if table.kind == kind)
    for kind in {table.kind for table in _TABLES.values()}
}
"""Kind → the tables that its events have rows in, the verdicts apart."""


def rows(event: Event, statements: Statements = NOTHING_VOIDED) -> Rows:
    """Return all rows of an event's group: for the tables of its kind, and that of verdicts."""
    names = TABLES_OF[event.kind]
    said = judge(event, statements)
    if isinstance(said, Ignored):
        verdict: Row = (*_common(event), event.kind, said.code)
        return {**dict.fromkeys(names, ()), VERDICTS: (verdict,)}
    return {**{name: tuple(_TABLES[name].make(event, said)) for name in names}, VERDICTS: ()}
