"""A lane in memory, with its trie, and what two such lanes say to each other."""

import random
from collections.abc import Iterable, Sequence

import attrs

from wattswarm.kernel import radix_trie, time_trie
from wattswarm.kernel.event import LaneClass
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.radix_trie import EMPTY, Page, Prefix, Summary
from wattswarm.transport.proto.sync.descent import Answer, Session, respond
from wattswarm.transport.proto.sync.frames import FrameReader
from wattswarm.transport.proto.sync.frames import encode as framed
from wattswarm.transport.proto.sync.lane import LaneId, lane_id
from wattswarm.transport.proto.sync.messages import decode, encode
from wattswarm.transport.proto.sync.session_key import session_key
from wattswarm.transport.proto.sync.step import Step
from wattswarm.transport.proto.sync.trie_view import View

LANE: LaneId = lane_id("global", LaneClass.WORK)
NOW_MS = 1_790_000_000_000
END_MS = 2**48 - 1
DIALER, ACCEPTOR = b"d" * 16, b"a" * 16


def random_key(rng: random.Random, at_ms: int) -> bytes:
    """Return the key of an event of this date."""
    return time_trie.key(at_ms, EventId(rng.randbytes(32)))


@attrs.define(eq=False)
class LaneSet:
    """A lane whose trie is kept as the log's writer keeps it."""

    keys_held: list[bytes] = attrs.field(factory=list[bytes])
    pages: dict[Prefix, Page] = attrs.field(factory=dict[Prefix, Page])
    top: Summary = EMPTY
    reads: int = 0

    @classmethod
    def of(cls, keys: Iterable[bytes]) -> "LaneSet":
        """Return the lane of these keys."""
        held = sorted(set(keys))
        pages: dict[Prefix, Page] = {}
        return cls(held, pages, radix_trie.build(held, pages))

    def root(self) -> Summary:
        """Return the summary of the whole lane."""
        return self.top

    def page(self, prefix: Prefix) -> Page:
        """Return a page; there must be one."""
        self.reads += 1
        return self.pages[prefix]

    def keys(self, prefix: Prefix, limit: int) -> Sequence[bytes]:
        """Return the first keys below a prefix."""
        self.reads += 1
        first, last = self._bound(prefix, "0"), self._bound(prefix, "f")
        at = _bisect(self.keys_held, first)
        found: list[bytes] = []
        while at < len(self.keys_held) and len(found) < limit and self.keys_held[at] <= last:
            found.append(self.keys_held[at])
            at += 1
        return found

    def add(self, keys: Iterable[bytes]) -> None:
        """Take keys in."""
        fresh = LaneSet.of([*self.keys_held, *keys])
        self.keys_held, self.pages, self.top = fresh.keys_held, fresh.pages, fresh.top

    def named(self, ids: Iterable[EventId]) -> set[bytes]:
        """Return the keys of events that are here."""
        wanted = set(ids)
        return {key for key in self.keys_held if key[time_trie.DATE_BYTES :] in wanted}

    def _bound(self, prefix: Prefix, digit: str) -> bytes:
        return bytes.fromhex(prefix.ljust(time_trie.KEY_NIBBLES, digit))


def _bisect(keys: Sequence[bytes], key: bytes) -> int:
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@attrs.define
class Told:
    """What a session cost, and what came of it."""

    sizes: list[int] = attrs.field(factory=list[int])
    to_beginner: set[bytes] = attrs.field(factory=set[bytes])
    to_responder: set[bytes] = attrs.field(factory=set[bytes])

    @property
    def bytes_sent(self) -> int:
        """How many bytes went over the control stream."""
        return sum(self.sizes)


@attrs.define
class Meeting:
    """Two lanes; every step crosses the wire, and events arrive when the session has ended."""

    beginner: LaneSet
    responder: LaneSet
    cut: int = END_MS
    number: int = 0

    def session(self, between: Sequence[tuple[set[bytes], set[bytes]]] = ()) -> Told:
        """Run a session.

        Args:
            between: Keys that arrive at the beginner and at the responder after each turn.
        """
        self.number += 1
        told = Told()
        key = session_key(DIALER, ACCEPTOR, self.number)
        session = Session(self.number, LANE, self.cut, key)
        arrivals = iter(between)
        step = session.open(View(self.beginner, self.cut))
        while not step.is_empty:
            asked = self._cross(step, told)
            answer = respond(asked, View(self.responder, self.cut), key)
            told.to_beginner |= self.responder.named(answer.pushed)
            self._arrive(next(arrivals, None))
            answer = self._read(session, self._cross(answer.step, told))
            told.to_responder |= self.beginner.named(answer.pushed)
            step = answer.step
        end = encode(session.end(View(self.beginner, self.cut)))
        told.sizes.append(len(framed(end)))
        self.beginner.add(told.to_beginner)
        self.responder.add(told.to_responder)
        return told

    def _read(self, session: Session, step: Step) -> Answer:
        return session.take(step, View(self.beginner, self.cut))

    def _arrive(self, keys: tuple[set[bytes], set[bytes]] | None) -> None:
        if keys is not None:
            self.beginner.add(keys[0])
            self.responder.add(keys[1])

    def _cross(self, step: Step, told: Told) -> Step:
        wire = framed(encode(step))
        told.sizes.append(len(wire))
        (frame,) = FrameReader().feed(wire)
        read = decode(frame)
        assert read == step
        return step
