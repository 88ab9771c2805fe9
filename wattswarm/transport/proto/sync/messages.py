"""What two nodes say on the control stream, and the batches beside it; to the byte.

A type of frame that is not in the table is ignored, so that later versions can say more.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar, Final, Protocol, TypeAlias, cast

import attrs

from wattswarm.kernel import canonical, fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import HASH_BYTES
from wattswarm.kernel.ids import ID_TEXT, Digest, EventId, Seq
from wattswarm.kernel.limits import (
    CREATED_AT_MAX,
    EVENT_WIRE_BYTES_MAX,
    ID_CHARS_MAX,
    SYNC_BATCH_BYTES_MAX,
    SYNC_BATCH_EVENTS_MAX,
    SYNC_CAPABILITIES_MAX,
    SYNC_FRAME_BYTES_MAX,
    SYNC_IDS_MAX,
    SYNC_LANES_MAX,
    UINT_MAX,
)
from wattswarm.transport.proto.sync.frames import Frame
from wattswarm.transport.proto.sync.lane import LANE_BYTES, ROOT_BYTES, LaneId, LaneState
from wattswarm.transport.proto.sync.packing import Unpacker, packed
from wattswarm.transport.proto.sync.session_key import NONCE_BYTES, SESSION_BYTES
from wattswarm.transport.proto.sync.step import Step

PROTOCOL: Final = 1
FEED_EPOCH_BYTES: Final = 16
REQUEST_BYTES: Final = 4
RETRY_MS_MAX: Final = 600_000
LANE_STATE_BYTES_MIN: Final = LANE_BYTES + 1 + ROOT_BYTES + 1


@attrs.frozen(kw_only=True)
class Hello:
    """The first frame on a connection: who speaks, of which network, and what it has.

    `clock_ms` is the sender's, `nonce` fresh; `cut` and `lanes` are as in a beat.
    """

    TYPE: ClassVar[int] = 0x01
    KEYS: ClassVar[frozenset[str]] = frozenset(
        {
            "protocol",
            "network_id",
            "governance",
            "capabilities",
            "clock_ms",
            "feed_epoch",
            "nonce",
            "cut",
            "lanes",
        }
    )

    protocol: int
    network_id: str
    governance: Digest
    capabilities: tuple[str, ...]
    clock_ms: int
    feed_epoch: bytes
    nonce: bytes
    cut: int
    lanes: tuple[LaneState, ...]

    def encode(self) -> bytes:
        """Return the body."""
        return canonical.encode(
            {
                "protocol": self.protocol,
                "network_id": self.network_id,
                "governance": self.governance,
                "capabilities": list(self.capabilities),
                "clock_ms": self.clock_ms,
                "feed_epoch": self.feed_epoch,
                "nonce": self.nonce,
                "cut": self.cut,
                "lanes": [[one.lane, one.events, one.root, one.head] for one in self.lanes],
            }
        )

    @classmethod
    def decode(cls, body: Unpacker) -> "Hello":
        """Return the hello of a body; fields that this version does not know are ignored."""
        value = canonical.decode(body.rest(), bytes_max=SYNC_FRAME_BYTES_MAX)
        given = _fields(value, cls.KEYS)
        network_id = fields.text(given["network_id"], "$.network_id", bytes_max=ID_CHARS_MAX)
        if not ID_TEXT.match(network_id):
            raise fields.bad("$.network_id", "not the id of a network")
        return cls(
            protocol=fields.uint(given["protocol"], "$.protocol"),
            network_id=network_id,
            governance=Digest(fields.octets(given["governance"], "$.governance")),
            capabilities=_capabilities(given["capabilities"]),
            clock_ms=fields.uint(given["clock_ms"], "$.clock_ms", most=CREATED_AT_MAX),
            feed_epoch=fields.octets(given["feed_epoch"], "$.feed_epoch", FEED_EPOCH_BYTES),
            nonce=fields.octets(given["nonce"], "$.nonce", NONCE_BYTES),
            cut=fields.uint(given["cut"], "$.cut", most=CREATED_AT_MAX),
            lanes=_lanes(given["lanes"]),
        )


def _fields(value: Value, keys: frozenset[str]) -> Mapping[str, Value]:
    """Return the fields of a map, all of them, without those that a later version added."""
    if type(value) is dict:
        entries = cast("dict[str, Value]", value)
        value = {key: entry for key, entry in entries.items() if key in keys}
    return fields.mapping(value, "$", required=keys, optional=frozenset())


def _capabilities(value: Value) -> tuple[str, ...]:
    path = "$.capabilities"
    items = fields.array(value, path, most=SYNC_CAPABILITIES_MAX)
    return tuple(fields.text(item, path, bytes_max=ID_CHARS_MAX) for item in items)


def _lanes(value: Value) -> tuple[LaneState, ...]:
    items = fields.array(value, "$.lanes", most=SYNC_LANES_MAX)
    return _ascending([_lane(item, f"$.lanes[{at}]") for at, item in enumerate(items)])


def _lane(value: Value, path: str) -> LaneState:
    parts = fields.array(value, path, most=4)
    if len(parts) != 4:
        raise fields.bad(path, "not [lane, events, root, head]")
    return LaneState(
        lane=LaneId(fields.octets(parts[0], path, LANE_BYTES)),
        events=fields.uint(parts[1], path),
        root=fields.octets(parts[2], path, ROOT_BYTES),
        head=Seq(fields.uint(parts[3], path)),
    )


def _ascending(lanes: Sequence[LaneState]) -> tuple[LaneState, ...]:
    if any(left.lane >= right.lane for left, right in pairwise(lanes)):
        raise Malformed(code="inconsistent", message="lanes that do not ascend")
    return tuple(lanes)


@attrs.frozen(kw_only=True)
class Beat:
    """The lanes that changed since the sender's last beat, as they are below `cut`."""

    TYPE: ClassVar[int] = 0x02

    cut: int
    lanes: tuple[LaneState, ...]

    def encode(self) -> bytes:
        """Return the body."""
        made = [packed(self.cut), packed(len(self.lanes))]
        for one in self.lanes:
            made += (one.lane, packed(one.events), one.root, packed(one.head))
        return b"".join(made)

    @classmethod
    def decode(cls, body: Unpacker) -> "Beat":
        """Return the beat of a body."""
        cut = body.integer(CREATED_AT_MAX)
        count = body.count(SYNC_LANES_MAX, LANE_STATE_BYTES_MIN)
        return cls(cut=cut, lanes=_ascending([_lane_state(body) for _ in range(count)]))


def _lane_state(body: Unpacker) -> LaneState:
    return LaneState(
        lane=LaneId(body.take(LANE_BYTES)),
        events=body.integer(),
        root=body.take(ROOT_BYTES),
        head=Seq(body.integer()),
    )


@attrs.frozen(kw_only=True)
class Since:
    """Asks for the ids of a lane that came into the receiver's log after a position."""

    TYPE: ClassVar[int] = 0x03

    lane: LaneId
    after: Seq
    limit: int

    def encode(self) -> bytes:
        """Return the body."""
        return self.lane + packed(self.after) + packed(self.limit)

    @classmethod
    def decode(cls, body: Unpacker) -> "Since":
        """Return the question of a body."""
        lane, after = LaneId(body.take(LANE_BYTES)), Seq(body.integer())
        limit = body.integer(SYNC_IDS_MAX)
        if not limit:
            raise Malformed(code="bad_value", message="a page of no ids")
        return cls(lane=lane, after=after, limit=limit)


@attrs.frozen(kw_only=True)
class Ids:
    """A page of the sender's feed: the ids at positions after one and up to another.

    What the receiver sent itself is left out, so that a page may be empty and go on.
    """

    TYPE: ClassVar[int] = 0x04

    lane: LaneId
    after: Seq
    up_to: Seq
    has_more: bool
    ids: tuple[tuple[Seq, EventId], ...]

    def encode(self) -> bytes:
        """Return the body."""
        made = [self.lane, packed(self.after), packed(self.up_to - self.after)]
        made += (bytes((self.has_more,)), packed(len(self.ids)))
        before = self.after
        for seq, event_id in self.ids:
            made += (packed(seq - before), event_id)
            before = seq
        return b"".join(made)

    @classmethod
    def decode(cls, body: Unpacker) -> "Ids":
        """Return the page of a body."""
        lane, after = LaneId(body.take(LANE_BYTES)), body.integer()
        up_to = after + body.integer(UINT_MAX - after)
        more = body.byte()
        if more > 1 or (more and up_to == after):
            raise Malformed(code="inconsistent", message="a page that goes on where it began")
        ids: list[tuple[Seq, EventId]] = []
        at = after
        for _ in range(body.count(SYNC_IDS_MAX, 1 + HASH_BYTES)):
            step = body.integer(up_to - at)
            if not step:
                raise Malformed(code="inconsistent", message="two ids at one position")
            at += step
            ids.append((Seq(at), EventId(body.take(HASH_BYTES))))
        return cls(
            lane=lane, after=Seq(after), up_to=Seq(up_to), has_more=bool(more), ids=tuple(ids)
        )


@attrs.frozen(kw_only=True)
class Want:
    """Asks for events by their ids; the answer is a batch with the same number."""

    TYPE: ClassVar[int] = 0x05

    request: int
    ids: tuple[EventId, ...]

    def encode(self) -> bytes:
        """Return the body."""
        return self.request.to_bytes(REQUEST_BYTES, "big") + packed(len(self.ids)) + _join(self.ids)

    @classmethod
    def decode(cls, body: Unpacker) -> "Want":
        """Return the question of a body."""
        request = int.from_bytes(body.take(REQUEST_BYTES), "big")
        count = body.count(SYNC_BATCH_EVENTS_MAX, HASH_BYTES)
        ids = tuple(EventId(body.take(HASH_BYTES)) for _ in range(count))
        if not ids or len(set(ids)) < len(ids):
            raise Malformed(code="inconsistent", message="no id, or one that is wanted twice")
        return cls(request=request, ids=ids)


def _join(parts: Sequence[bytes]) -> bytes:
    return b"".join(parts)


@attrs.frozen(kw_only=True)
class Batch:
    """Events as they travel; on a stream of its own. Request 0 is what nobody asked for by id."""

    TYPE: ClassVar[int] = 0x06

    request: int
    events: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the body."""
        made = [self.request.to_bytes(REQUEST_BYTES, "big"), packed(len(self.events))]
        for event in self.events:
            made += (packed(len(event)), event)
        return b"".join(made)

    @classmethod
    def decode(cls, body: Unpacker) -> "Batch":
        """Return the batch of a body; its events are judged by somebody else."""
        request = int.from_bytes(body.take(REQUEST_BYTES), "big")
        count = body.count(SYNC_BATCH_EVENTS_MAX, 2)
        events = tuple(body.take(body.integer(EVENT_WIRE_BYTES_MAX)) for _ in range(count))
        size = sum(map(len, events))
        if size > SYNC_BATCH_BYTES_MAX:
            raise Malformed(code="too_large", message=f"a batch of {size} bytes of events")
        return cls(request=request, events=events)


@attrs.frozen
class Busy:
    """The sender did not do what it was asked, and will not for some time."""

    TYPE: ClassVar[int] = 0x09

    retry_after_ms: int

    def encode(self) -> bytes:
        """Return the body: a CBOR map, which can say more one day."""
        return canonical.encode({"retry_after_ms": self.retry_after_ms})

    @classmethod
    def decode(cls, body: Unpacker) -> "Busy":
        """Return the refusal of a body."""
        value = canonical.decode(body.rest(), bytes_max=SYNC_FRAME_BYTES_MAX)
        keys = frozenset({"retry_after_ms"})
        given = _fields(value, keys)
        wait = fields.uint(given["retry_after_ms"], "$.retry_after_ms", most=RETRY_MS_MAX)
        return cls(wait)


@attrs.frozen(kw_only=True)
class Fin:
    """The end of a session, and the sender's lane below the session's cut by now."""

    TYPE: ClassVar[int] = 0x0A

    session: int
    lane: LaneId
    cut: int
    events: int
    root: bytes

    def encode(self) -> bytes:
        """Return the body."""
        session = self.session.to_bytes(SESSION_BYTES, "big")
        return session + self.lane + packed(self.cut) + packed(self.events) + self.root

    @classmethod
    def decode(cls, body: Unpacker) -> "Fin":
        """Return the end of a body."""
        return cls(
            session=int.from_bytes(body.take(SESSION_BYTES), "big"),
            lane=LaneId(body.take(LANE_BYTES)),
            cut=body.integer(CREATED_AT_MAX),
            events=body.integer(),
            root=body.take(ROOT_BYTES),
        )


Message: TypeAlias = Hello | Beat | Since | Ids | Want | Batch | Step | Busy | Fin


class _Form(Protocol):
    TYPE: ClassVar[int]

    @classmethod
    def decode(cls, body: Unpacker) -> Message: ...


FORMS: Final[Mapping[int, type[_Form]]] = {
    form.TYPE: form for form in (Hello, Beat, Since, Ids, Want, Batch, Step, Busy, Fin)
}
BATCH_FRAME_BYTES_MAX: Final = SYNC_BATCH_BYTES_MAX + 4 * SYNC_BATCH_EVENTS_MAX + 16
"""Of the one frame on a batch's stream: its events, their lengths, and the head."""


def encode(message: Message) -> Frame:
    """Return the frame of a message."""
    return Frame(message.TYPE, message.encode())


def decode(frame: Frame) -> Message | None:
    """Return the message of a frame; None when this version knows no such type.

    Raises:
        Malformed: The peer broke the form: `truncated`, `too_many`, `too_large`, `bad_value`,
            `bad_field`, what `canonical.decode` raises, or `inconsistent` where the message
            contradicts itself.
    """
    form = FORMS.get(frame.kind)
    if form is None:
        return None
    body = Unpacker(frame.body)
    message = form.decode(body)
    body.end()
    return message
