"""A row of the log as people read it."""

from collections.abc import Mapping, Sequence
from typing import cast

import attrs

from wattswarm.kernel.verdict import Verdict, explain
from wattswarm.operations.verdict_view import verdict_word
from wattswarm.store.log_record import LogRow
from wattswarm.surface.log import EventPage, EventView
from wattswarm.surface.stream import EventNews
from wattswarm.surface.words import plain, when


def event_view(row: LogRow) -> EventView:
    """Return everything about one event.

    Raises:
        LogDamaged: The row is not what was written.
    """
    event = row.event()
    return EventView(
        seq=row.seq,
        event_id=row.event_id.hex(),
        event_kind=event.kind,
        lane_class=event.lane_class.value,
        scope=event.scope,
        author=event.author.hex(),
        task_id=hex_or_none(row.task_id),
        epoch=event.epoch,
        created_at=when(event.created_at),
        received_at=when(row.received_at),
        body_bytes=len(row.body),
        chain=row.chain.hex(),
        signature=row.signature.hex(),
        payload=cast("Mapping[str, object]", plain(event.payload)),
    )


def judged_view(row: LogRow, verdict: Verdict | None) -> EventView:
    """Return everything about one event, with what became of it."""
    shown = event_view(row)
    if verdict is None:
        return shown
    word, code = verdict_word(verdict)
    return attrs.evolve(shown, verdict=word, code=code, sentence=explain(verdict, row.event()))


def event_page(rows: Sequence[LogRow], limit: int, head_seq: int) -> EventPage:
    """Return a page of at most `limit` events, of which one more was read if there is a next."""
    shown = rows[:limit]
    return EventPage(
        items=tuple(map(event_view, shown)),
        next_after=shown[-1].seq if len(rows) > limit else None,
        head_seq=head_seq,
    )


def event_news(row: LogRow) -> EventNews:
    """Return the news that an event was appended."""
    return EventNews(
        seq=row.seq,
        event_id=row.event_id.hex(),
        event_kind=row.kind,
        author=row.author.hex(),
        task_id=hex_or_none(row.task_id),
        created_at=when(row.created_at),
    )


def hex_or_none(name: bytes | None) -> str | None:
    """Return an id in hex, if there is one."""
    return None if name is None else name.hex()
