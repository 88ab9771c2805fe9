"""When to do what with which neighbour: beats, then the feed, and the descent only when both fail.

A policy and no more: it is told what was heard and what came of what it asked for; it says what to
do now, and when to be asked again.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.proto.sync.allowance import Allowance
from wattswarm.transport.proto.sync.lane import LaneId

BEAT_MS: Final = 30_000
BEAT_JITTER_MS: Final = 10_000
UNEQUAL_BEATS: Final = 2
BACKOFF_MS_MIN: Final = 30_000
BACKOFF_MS_MAX: Final = 600_000
BARREN_MAX: Final = 3
"""Sessions in a row that found nothing, although roots differed, before a peer is left alone."""

AVOIDED_MS: Final = 600_000

Dice: TypeAlias = Callable[[int], int]
"""Returns one of 0 … n − 1, each as likely as the others."""


@attrs.frozen
class SendBeat:
    """Tell a neighbour which lanes have changed."""

    peer: NodeId


@attrs.frozen
class ReadFeed:
    """Ask a neighbour for the next page of a lane."""

    peer: NodeId
    lane: LaneId


@attrs.frozen
class Descend:
    """Begin a session with a neighbour."""

    peer: NodeId
    lane: LaneId
    cut: int


Action: TypeAlias = SendBeat | ReadFeed | Descend


@attrs.frozen(kw_only=True)
class Heard:
    """What a neighbour's beat says of a lane, held against our own.

    Attributes:
        is_equal: Whether our root below the neighbour's cut is its root. Compared by whoever has
            the larger cut, the other waits for its own clock. has_news: Whether the neighbour's
            feed goes further than was read.
    """

    peer: NodeId
    lane: LaneId
    is_control: bool
    cut: int
    is_equal: bool
    has_news: bool


@attrs.define
class _LaneView:
    is_control: bool
    cut: int = 0
    unequal_beats: int = 0
    has_news: bool = False
    is_reading: bool = False
    backoff_ms: int = 0
    quiet_until: int = 0

    @property
    def differs(self) -> bool:
        """Whether a descent is due once the feed is drained; the control lane waits for nothing."""
        return self.unequal_beats >= (1 if self.is_control else UNEQUAL_BEATS)

    @property
    def is_drained(self) -> bool:
        return not (self.has_news or self.is_reading)


@attrs.define
class _Neighbour:
    beat_at: int
    allowance: Allowance
    quiet_until: int = 0
    barren: int = 0
    avoided_until: int = 0
    lanes: dict[LaneId, _LaneView] = attrs.field(factory=dict[LaneId, _LaneView])

    @property
    def has_equal_control(self) -> bool:
        return not any(one.is_control and one.unequal_beats for one in self.lanes.values())


@attrs.define
class Schedule:
    """All neighbours of a node; one session at a time, whoever it is with."""

    _neighbours: dict[NodeId, _Neighbour] = attrs.field(
        init=False, factory=dict[NodeId, _Neighbour]
    )
    _session: tuple[NodeId, LaneId] | None = attrs.field(init=False, default=None)

    def join(self, peer: NodeId, now_ms: int, dice: Dice) -> None:
        """Take in a neighbour whose hello has been answered."""
        self._neighbours[peer] = _Neighbour(_next_beat(now_ms, dice), Allowance(now_ms))

    def leave(self, peer: NodeId) -> None:
        """Forget a neighbour, and the session with it."""
        self._neighbours.pop(peer, None)
        if self._session is not None and self._session[0] == peer:
            self._session = None

    def hear(self, heard: Heard) -> None:
        """Take notice of a lane in a neighbour's hello or beat; of one that this node has, too."""
        lanes = self._neighbours[heard.peer].lanes
        lane = lanes.setdefault(heard.lane, _LaneView(heard.is_control))
        lane.cut = heard.cut
        lane.has_news = heard.has_news
        lane.unequal_beats = 0 if heard.is_equal else lane.unequal_beats + 1
        if heard.is_equal:
            lane.backoff_ms = lane.quiet_until = 0

    def has_read(self, peer: NodeId, lane: LaneId, *, has_news: bool) -> None:
        """Take notice that a page was read, and its events brought in or given up."""
        neighbour = self._neighbours.get(peer)
        if neighbour is not None and lane in neighbour.lanes:
            neighbour.lanes[lane].is_reading = False
            neighbour.lanes[lane].has_news = has_news

    def has_descended(self, peer: NodeId, lane: LaneId, now_ms: int, *, has_found: bool) -> None:
        """Take notice of the end of a session, however it ended."""
        self._session = None
        neighbour = self._neighbours.get(peer)
        if neighbour is not None and lane in neighbour.lanes:
            view = neighbour.lanes[lane]
            view.unequal_beats = 0
            _back_off(view, now_ms, has_found=has_found)
            _judge(neighbour, now_ms, has_found=has_found)

    def spend(self, peer: NodeId, size: int, now_ms: int) -> None:
        """Count bytes of a neighbour, in either direction."""
        if peer in self._neighbours:
            self._neighbours[peer].allowance.spend(size, now_ms)

    def be_refused(self, peer: NodeId, retry_after_ms: int, now_ms: int) -> None:
        """Leave a neighbour alone for as long as it asks for in a BUSY."""
        if peer in self._neighbours:
            self._neighbours[peer].quiet_until = now_ms + min(retry_after_ms, BACKOFF_MS_MAX)

    def admit_session(self, peer: NodeId, now_ms: int) -> int:
        """Return 0 and count a session that a neighbour begins, or how long it has to wait."""
        neighbour = self._neighbours[peer]
        wait = max(neighbour.allowance.session_wait_ms(now_ms), neighbour.avoided_until - now_ms)
        if wait <= 0:
            neighbour.allowance.begin_session(now_ms)
        return max(0, wait)

    def wait_ms(self, peer: NodeId, now_ms: int) -> int:
        """Return how long a neighbour has to wait before it is served anything else."""
        return self._neighbours[peer].allowance.wait_ms(now_ms)

    def next(self, now_ms: int, dice: Dice) -> tuple[Action, ...]:
        """Return all that is to be done now, and count it as begun."""
        return (*self._beats(now_ms, dice), *self._feeds(now_ms), *self._descents(now_ms, dice))

    def wake_at(self, now_ms: int) -> int:
        """Return when to ask again, if nothing is heard before; later than now."""
        times = (at for one in self._neighbours.values() for at in _times(one, now_ms))
        return min((at for at in times if at > now_ms), default=now_ms + BEAT_MS)

    def _beats(self, now_ms: int, dice: Dice) -> Iterator[Action]:
        for peer, neighbour in self._neighbours.items():
            if neighbour.beat_at <= now_ms:
                neighbour.beat_at = _next_beat(now_ms, dice)
                yield SendBeat(peer)

    def _feeds(self, now_ms: int) -> Iterator[Action]:
        for peer, neighbour in self._neighbours.items():
            if not _may_ask(neighbour, now_ms):
                continue
            for name, lane in sorted(neighbour.lanes.items(), key=_control_first):
                if lane.has_news and not lane.is_reading:
                    lane.is_reading = True
                    yield ReadFeed(peer, name)

    def _descents(self, now_ms: int, dice: Dice) -> Iterator[Action]:
        if self._session is not None:
            return
        due = list(self._due(now_ms))
        urgent = [each for each in due if self._neighbours[each.peer].lanes[each.lane].is_control]
        choice = urgent or due
        if choice:
            chosen = choice[dice(len(choice))]
            self._session = (chosen.peer, chosen.lane)
            self._neighbours[chosen.peer].allowance.begin_session(now_ms)
            yield chosen

    def _due(self, now_ms: int) -> Iterator[Descend]:
        for peer, one in self._neighbours.items():
            if not _may_descend(one, now_ms):
                continue
            for name, lane in one.lanes.items():
                is_its_turn = lane.is_control or one.has_equal_control
                if is_its_turn and _is_due(lane, now_ms):
                    yield Descend(peer, name, lane.cut)


def _next_beat(now_ms: int, dice: Dice) -> int:
    return now_ms + BEAT_MS - BEAT_JITTER_MS + dice(2 * BEAT_JITTER_MS + 1)


def _control_first(entry: tuple[LaneId, _LaneView]) -> tuple[bool, LaneId]:
    return not entry[1].is_control, entry[0]


def _may_ask(one: _Neighbour, now_ms: int) -> bool:
    return one.quiet_until <= now_ms and not one.allowance.wait_ms(now_ms)


def _may_descend(one: _Neighbour, now_ms: int) -> bool:
    quiet = max(one.quiet_until, one.avoided_until)
    return quiet <= now_ms and not one.allowance.session_wait_ms(now_ms)


def _is_due(lane: _LaneView, now_ms: int) -> bool:
    return lane.differs and lane.is_drained and lane.quiet_until <= now_ms


def _back_off(lane: _LaneView, now_ms: int, *, has_found: bool) -> None:
    doubled = min(BACKOFF_MS_MAX, max(BACKOFF_MS_MIN, 2 * lane.backoff_ms))
    lane.backoff_ms = 0 if has_found else doubled
    lane.quiet_until = now_ms + lane.backoff_ms


def _judge(neighbour: _Neighbour, now_ms: int, *, has_found: bool) -> None:
    neighbour.barren = 0 if has_found else neighbour.barren + 1
    if neighbour.barren >= BARREN_MAX:
        neighbour.barren = 0
        neighbour.avoided_until = now_ms + AVOIDED_MS


def _times(one: _Neighbour, now_ms: int) -> Iterator[int]:
    """Yield when anything of a neighbour may come to be done."""
    yield from (one.beat_at, one.quiet_until, one.avoided_until)
    yield now_ms + one.allowance.session_wait_ms(now_ms)
    yield now_ms + one.allowance.wait_ms(now_ms)
    yield from (lane.quiet_until for lane in one.lanes.values())
