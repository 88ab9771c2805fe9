"""The feed: "which ids came into your log since I last asked?", lane by lane.

The fast way: it finds old events that arrive late, costs what is new, and proves nothing. Positions
are those of the log that is read, and void when its feed epoch changes.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.kernel.limits import SYNC_BATCH_EVENTS_MAX, SYNC_IDS_MAX
from wattswarm.transport.proto.sync.lane import LaneId
from wattswarm.transport.proto.sync.messages import Ids, Since, Want

START: Final = Seq(0)
SENT_IDS_MAX: Final = 8_192
"""Ids that are remembered as a peer's own: what it sent within some minutes."""

REQUESTS: Final = 2**32


@attrs.define
class SentIds:
    """The last ids that a peer sent here: it need not be told of them."""

    limit: int = SENT_IDS_MAX
    _ids: OrderedDict[EventId, None] = attrs.field(init=False, factory=OrderedDict[EventId, None])

    def add(self, ids: Iterable[EventId]) -> None:
        """Remember ids, and forget the oldest ones beyond the limit."""
        for event_id in ids:
            self._ids[event_id] = None
            self._ids.move_to_end(event_id)
        while len(self._ids) > self.limit:
            self._ids.popitem(last=False)

    def __contains__(self, event_id: EventId) -> bool:
        return event_id in self._ids


def page(
    asked: Since, rows: Sequence[tuple[Seq, EventId]], sent: SentIds, *, has_more: bool
) -> Ids:
    """Return the answer to a question, without what the asking peer sent itself.

    Args:
        rows: Of the lane, after the position asked for, in order, and no more than asked for.
        has_more: Whether the lane has rows after these.
    """
    assert len(rows) <= asked.limit, (len(rows), asked)
    return Ids(
        lane=asked.lane,
        after=asked.after,
        up_to=rows[-1][0] if rows else asked.after,
        has_more=has_more,
        ids=tuple(row for row in rows if row[1] not in sent),
    )


@attrs.define
class _LaneCursor:
    """How far a lane has been read, how far it is said to go, and what is under way."""

    at: Seq = START
    head: Seq = START
    is_asked: bool = False
    asked_head: Seq = START
    page_end: Seq = START
    missing: set[EventId] = attrs.field(factory=set[EventId])

    @property
    def is_idle(self) -> bool:
        return not (self.is_asked or self.missing)


@attrs.define
class FeedReader:
    """Reads the lanes of one peer: one page of a lane at a time, and then the events it lacks.

    A position is kept once everything before it has arrived, or has been given up; so a restart
    asks again for some ids and loses none.

    Attributes:
        feed_epoch: Of the peer's database.
    """

    feed_epoch: bytes
    _lanes: dict[LaneId, _LaneCursor] = attrs.field(init=False, factory=dict[LaneId, _LaneCursor])
    _requests: int = attrs.field(init=False, default=0)
    _open: dict[int, tuple[LaneId, frozenset[EventId]]] = attrs.field(
        init=False, factory=dict[int, tuple[LaneId, frozenset[EventId]]]
    )

    @classmethod
    def resume(
        cls, feed_epoch: bytes, kept: Mapping[LaneId, Seq], kept_epoch: bytes
    ) -> "FeedReader":
        """Return the reader of a peer, from the kept positions if they are of its feed epoch."""
        reader = cls(feed_epoch)
        for lane, at in kept.items():
            reader._lanes[lane] = _LaneCursor(at if kept_epoch == feed_epoch else START)
        return reader

    def restart(self, feed_epoch: bytes) -> bool:
        """Go back to the beginning of all lanes if the epoch is another; return whether it is."""
        if feed_epoch == self.feed_epoch:
            return False
        self.feed_epoch = feed_epoch
        self._lanes = {lane: _LaneCursor() for lane in self._lanes}
        self._open.clear()
        return True

    def follow(self, lane: LaneId) -> None:
        """Read a lane from now on; others are not remembered, whatever the peer says of them."""
        self._lanes.setdefault(lane, _LaneCursor())

    def hear(self, lane: LaneId, head: Seq) -> None:
        """Take notice of how far a lane goes, by the peer's word; of a lane that is followed."""
        cursor = self._lanes.get(lane)
        if cursor is not None:
            cursor.head = max(cursor.head, head)

    def positions(self) -> Mapping[LaneId, Seq]:
        """Return the positions to be kept, by lane."""
        return {lane: cursor.at for lane, cursor in self._lanes.items()}

    def is_drained(self, lane: LaneId) -> bool:
        """Tell whether all that the peer has spoken of has been read."""
        cursor = self._lanes.get(lane, _LaneCursor())
        return cursor.is_idle and cursor.at >= cursor.head

    def ask(self, lane: LaneId, limit: int = SYNC_IDS_MAX) -> Since | None:
        """Return the next question of a lane; None when one is under way, or nothing is new."""
        cursor = self._lanes.get(lane)
        if cursor is None or not cursor.is_idle or cursor.at >= cursor.head:
            return None
        cursor.is_asked, cursor.asked_head = True, cursor.head
        return Since(lane=lane, after=cursor.at, limit=limit)

    def take(self, page: Ids, known: Collection[EventId]) -> tuple[Want, ...]:
        """Return what to ask for, so that everything on a page is here; often nothing.

        Args:
            known: Those of the page's ids that are in the log, or were asked of somebody.

        Raises:
            Malformed: `inconsistent`: it is no answer to what was asked.
        """
        cursor = self._lanes.get(page.lane)
        if cursor is None or not cursor.is_asked or page.after != cursor.at:
            raise Malformed(code="inconsistent", message="a page that was not asked for")
        cursor.is_asked = False
        cursor.page_end = page.up_to
        cursor.head = _head_after(cursor, page)
        lacking = list(dict.fromkeys(one for _seq, one in page.ids if one not in known))
        cursor.missing = set(lacking)
        self._go_on(cursor)
        return tuple(self._wants(page.lane, lacking))

    def receive(self, request: int, ids: Collection[EventId]) -> Collection[EventId]:
        """Take notice of a batch; return which of the events asked for it does not hold.

        These are given up, here: another peer has them, or the descent finds them.

        Raises:
            Malformed: `inconsistent`: nobody asked, or not for all of this.
        """
        lane, wanted = self._open.pop(request, (None, frozenset[EventId]()))
        if lane is None or not wanted.issuperset(ids):
            raise Malformed(code="inconsistent", message="a batch that was not asked for")
        self._settle(lane, wanted)
        return wanted.difference(ids)

    def give_up(self, request: int) -> Collection[EventId]:
        """Wait no longer for a batch; return the ids that were promised and not delivered."""
        lane, wanted = self._open.pop(request, (None, frozenset[EventId]()))
        if lane is not None:
            self._settle(lane, wanted)
        return wanted

    def forget_question(self, lane: LaneId) -> None:
        """Wait no longer for a page; the lane may be asked for again."""
        if lane in self._lanes:
            self._lanes[lane].is_asked = False

    def _wants(self, lane: LaneId, lacking: Sequence[EventId]) -> Iterator[Want]:
        for start in range(0, len(lacking), SYNC_BATCH_EVENTS_MAX):
            ids = tuple(lacking[start : start + SYNC_BATCH_EVENTS_MAX])
            self._requests = self._requests % (REQUESTS - 1) + 1
            self._open[self._requests] = (lane, frozenset(ids))
            yield Want(request=self._requests, ids=ids)

    def _settle(self, lane: LaneId, ids: Collection[EventId]) -> None:
        cursor = self._lanes[lane]
        cursor.missing.difference_update(ids)
        self._go_on(cursor)

    def _go_on(self, cursor: _LaneCursor) -> None:
        if cursor.is_idle:
            cursor.at = max(cursor.at, cursor.page_end)


def _head_after(cursor: _LaneCursor, page: Ids) -> Seq:
    """Return how far the lane goes by a page: the last one ends it, whatever was said before."""
    if page.has_more:
        return max(cursor.head, Seq(page.up_to + 1))
    return page.up_to if cursor.head == cursor.asked_head else cursor.head
