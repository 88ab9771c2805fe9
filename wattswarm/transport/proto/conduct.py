"""How peers behave, and what that costs them: a warning, the link, or a ban that expires.

A peer is judged by what it sent to this node and by nothing that others say of it. What an honest
node never does (a wrong signature on an event, lists that contradict themselves) is a ban at once;
what happens to honest nodes too adds up and is forgiven with time. No judgement decides what
belongs to the log.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

import attrs

from wattswarm.kernel.ids import NodeId

FORGIVEN_MS: Final = 30_000
"""In so long one point is forgiven."""

DISCONNECT_POINTS: Final = 10
BAN_POINTS: Final = 30
BAN_MS: Final = 600_000
BAN_MS_MAX: Final = 86_400_000
"""Each further ban is twice as long as the one before, up to a day."""

REMEMBERED_MS: Final = BAN_MS_MAX
"""A ban that ended so long ago does not make the next one longer."""

PEERS_MAX: Final = 4_096


class Offence(StrEnum):
    """What a peer did; the value is what operators read."""

    LATE = "late"
    """It did not deliver in time what it offered."""
    BUSY_IGNORED = "busy_ignored"
    """It asked again before the time that it was told."""
    FOUND_NOTHING = "found_nothing"
    """It claimed a difference again and again, and there was none."""
    OVER_BUDGET = "over_budget"
    """It sent more than any peer may."""
    MALFORMED = "malformed"
    """It sent what is no message."""
    WRONG_NETWORK = "wrong_network"
    """It sent what belongs to another network."""
    NOT_ADMITTED = "not_admitted"
    """It passed on events of an author who is not admitted here."""
    CONTRADICTION = "contradiction"
    """It sent a message that contradicts itself."""
    WRONG_CONTENT = "wrong_content"
    """What it sent does not have the name that it gave."""
    BAD_SIGNATURE = "bad_signature"
    """It passed on what its author did not sign."""


POINTS: Final[Mapping[Offence, int]] = {
    Offence.LATE: 1,
    Offence.BUSY_IGNORED: 1,
    Offence.NOT_ADMITTED: 1,
    Offence.FOUND_NOTHING: 3,
    Offence.OVER_BUDGET: 5,
    Offence.MALFORMED: 10,
    Offence.WRONG_NETWORK: 10,
    Offence.CONTRADICTION: BAN_POINTS,
    Offence.WRONG_CONTENT: BAN_POINTS,
    Offence.BAD_SIGNATURE: BAN_POINTS,
}


class Measure(StrEnum):
    """What is to be done about a peer now."""

    NOTHING = "nothing"
    DISCONNECT = "disconnect"
    BAN = "ban"


@attrs.define
class Record:
    """What is known of one peer. Times are ms by this node's clock; `banned_until` 0: it is not.

    `points` are as of `counted_at`; `bans` counts those in a row.
    """

    counted_at: int
    points: int = 0
    bans: int = 0
    banned_until: int = 0
    offences: Counter[Offence] = attrs.field(factory=Counter[Offence])

    def forgive(self, now_ms: int) -> None:
        """Take off what has been forgiven by now."""
        forgiven = max(0, now_ms - self.counted_at) // FORGIVEN_MS
        self.points = max(0, self.points - forgiven)
        self.counted_at += forgiven * FORGIVEN_MS
        if now_ms >= self.banned_until + REMEMBERED_MS:
            self.bans = 0


@attrs.define
class Conduct:
    """The records of peers, `PEERS_MAX` at most: who has done nothing lately is forgotten first."""

    _records: OrderedDict[NodeId, Record] = attrs.field(factory=OrderedDict[NodeId, Record])

    def note(self, peer: NodeId, offence: Offence, now_ms: int) -> Measure:
        """Count an offence, and return what it leads to."""
        record = self._record(peer, now_ms)
        was_warned = record.points >= DISCONNECT_POINTS
        record.offences[offence] += 1
        record.points += POINTS[offence]
        if record.points >= BAN_POINTS:
            self._ban(record, now_ms)
            return Measure.BAN
        is_too_much = record.points >= DISCONNECT_POINTS and not was_warned
        return Measure.DISCONNECT if is_too_much else Measure.NOTHING

    def ban(self, peer: NodeId, until_ms: int, now_ms: int) -> None:
        """Ban a peer because the operator says so."""
        self._record(peer, now_ms).banned_until = until_ms

    def unban(self, peer: NodeId, now_ms: int) -> None:
        """Let a peer come again, with a clean slate."""
        record = self._record(peer, now_ms)
        record.banned_until = record.points = record.bans = 0

    def banned_until(self, peer: NodeId, now_ms: int) -> int | None:
        """Return until when a peer is banned, in ms; None when it is not."""
        record = self._records.get(peer)
        if record is None or record.banned_until <= now_ms:
            return None
        return record.banned_until

    def offences(self) -> Iterator[tuple[NodeId, Mapping[Offence, int]]]:
        """Yield what was counted of each peer that did anything, since it is remembered."""
        for peer, record in self._records.items():
            if record.offences:
                yield peer, dict(record.offences)

    def _record(self, peer: NodeId, now_ms: int) -> Record:
        if peer not in self._records:
            if len(self._records) >= PEERS_MAX:
                self._forget_one(now_ms)
            self._records[peer] = Record(now_ms)
        self._records.move_to_end(peer)
        record = self._records[peer]
        record.forgive(now_ms)
        return record

    def _forget_one(self, now_ms: int) -> None:
        """Forget who has done nothing for the longest time; whoever is banned last of all."""
        free = (peer for peer, each in self._records.items() if each.banned_until <= now_ms)
        del self._records[next(free, next(iter(self._records)))]

    def _ban(self, record: Record, now_ms: int) -> None:
        length_ms = min(BAN_MS_MAX, BAN_MS << min(record.bans, 16))
        record.banned_until = max(record.banned_until, now_ms + length_ms)
        record.bans += 1
        record.points = 0
