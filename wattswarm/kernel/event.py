"""The event: a signed statement, its bytes, and what makes it authentic.

The bytes of the body travel and are stored as they were signed; nothing re-encodes them. An event
is *well formed* when `decode` returns it, *genuine* when its signature holds, and *authentic* when
its author is admitted as well (`governance.py`).
"""

import enum
from collections.abc import Callable, Mapping
from typing import Final, cast

import attrs
import cbor2

from wattswarm.kernel import canonical
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import ID_TEXT, KIND, SCOPE, EventId, NodeId, TaskId
from wattswarm.kernel.limits import (
    CREATED_AT_MAX,
    EPOCH_MAX,
    EVENT_BODY_BYTES_MAX,
    EVENT_WIRE_BYTES_MAX,
)
from wattswarm.kernel.signature import SIGNATURE_BYTES, Domain, KeyPair, is_valid

PROTOCOL_VERSION: Final = "wattswarm/1"

REQUIRED: Final = frozenset(
    {
        "protocol_version",
        "network_id",
        "scope",
        "class",
        "event_kind",
        "author_node_id",
        "epoch",
        "created_at",
        "payload",
    }
)
OPTIONAL: Final = frozenset({"task_id"})


class LaneClass(enum.StrEnum):
    """The class of an event; a lane is a scope and a class, read from the bytes."""

    CONTROL = "control"
    WORK = "work"
    MESSAGES = "messages"


LANE_CLASSES: Final = {item.value: item for item in LaneClass}


@attrs.frozen(kw_only=True)
class Event:
    """One signed event. Equality and hash are those of its id."""

    event_id: EventId = attrs.field(eq=True)
    body: bytes = attrs.field(eq=False, repr=False)
    signature: bytes = attrs.field(eq=False, repr=False)
    network_id: str = attrs.field(eq=False)
    scope: str = attrs.field(eq=False)
    lane_class: LaneClass = attrs.field(eq=False)
    kind: str = attrs.field(eq=False)
    author: NodeId = attrs.field(eq=False)
    task_id: TaskId | None = attrs.field(eq=False)
    epoch: int = attrs.field(eq=False)
    created_at: int = attrs.field(eq=False)
    payload: Mapping[str, Value] = attrs.field(eq=False, repr=False)

    @property
    def group_task(self) -> TaskId | None:
        """The task that this event belongs to: the one it names, or itself when it creates one."""
        return self.event_id if self.kind == "TASK_CREATED" else self.task_id

    def to_wire(self) -> bytes:
        """Return the CBOR array [body, signature]."""
        return wire(self.body, self.signature)

    def is_genuine(self) -> bool:
        """Tell whether the author signed this event's id."""
        return is_valid(self.author, _signed(self.event_id), self.signature)


@attrs.frozen(kw_only=True)
class Draft:
    """An event that nobody has signed yet; ids need no signature, so drafts can name each other."""

    kind: str
    scope: str
    lane_class: LaneClass
    task_id: TaskId | None
    epoch: int
    created_at: int
    payload: Mapping[str, Value]
    _made: dict[tuple[str, NodeId], Event] = attrs.field(
        init=False, factory=dict[tuple[str, NodeId], Event], eq=False, repr=False
    )
    """The unsigned events that were asked for: an event is named, derived from, and then signed."""

    def body(self, network_id: str, author: NodeId) -> bytes:
        """Return the canonical bytes that `author` would sign.

        Raises:
            Malformed: The draft cannot be an event (our own bug, or an input that was not checked).
        """
        return self.unsigned(network_id, author).body

    def _encoded(self, network_id: str, author: NodeId) -> bytes:
        value: dict[str, Value] = {
            "protocol_version": PROTOCOL_VERSION,
            "network_id": network_id,
            "scope": self.scope,
            "class": self.lane_class.value,
            "event_kind": self.kind,
            "author_node_id": author,
            "epoch": self.epoch,
            "created_at": self.created_at,
            "payload": self.payload,
        }
        if self.task_id is not None:
            value["task_id"] = self.task_id
        return canonical.encode(value)

    def unsigned(self, network_id: str, author: NodeId) -> Event:
        """Return the event unsigned: enough to derive from, never to be stored or sent."""
        made = self._made.get((network_id, author))
        if made is None:
            made = _made(self._encoded(network_id, author), b"")
            self._made[network_id, author] = made
        return made

    def sign(self, network_id: str, key: KeyPair) -> Event:
        """Return the event, signed."""
        made = self.unsigned(network_id, key.node_id)
        return attrs.evolve(made, signature=key.sign(_signed(made.event_id)))


def wire(body: bytes, signature: bytes) -> bytes:
    """Return the CBOR array [body, signature]: an event as it travels."""
    return cbor2.dumps([body, signature])


def event_id(body: bytes) -> EventId:
    """Return the id of the event with this body."""
    return EventId(digest(Context.EVENT_ID, body))


def _signed(name: EventId) -> bytes:
    return Domain.EVENT.encode() + b"\0" + name


def decode(wire: bytes, *, network_id: str | None = None) -> Event:
    """Return the well-formed event of a CBOR array [body, signature]; sizes first, then syntax.

    The signature is not checked here: see `Event.is_genuine`.

    Raises:
        Malformed: With a code and a path; `wrong_network` when `network_id` is given and differs.
    """
    body, signature = _pair(canonical.decode(wire, bytes_max=EVENT_WIRE_BYTES_MAX))
    return decode_body(body, signature, network_id=network_id)


def _pair(value: Value) -> tuple[bytes, bytes]:
    match value:
        case [bytes() as body, bytes() as signature]:
            pass
        case _:
            raise Malformed(code="not_an_event", message="an event is the array [body, signature]")
    if len(signature) != SIGNATURE_BYTES:
        raise Malformed(code="bad_signature", path="$[1]", message="a signature has 64 bytes")
    return body, signature


def decode_body(body: bytes, signature: bytes, *, network_id: str | None = None) -> Event:
    """Return the well-formed event with this body; see `decode`."""
    value = canonical.decode(body, bytes_max=EVENT_BODY_BYTES_MAX)
    return _event_of(value, body, signature, network_id)


def decode_again(wire: bytes, *, network_id: str | None = None) -> Event:
    """Return the event of bytes that `decode` has accepted in another process of this node.

    Everything is checked but the one thing that takes most of the time: that the encoding is the
    deterministic one.
    """
    body, signature = _pair(canonical.decode(wire, bytes_max=EVENT_WIRE_BYTES_MAX))
    return _event_of(canonical.loads(body), body, signature, network_id)


def restore(body: bytes, signature: bytes) -> Event:
    """Return the event with a body from the log, into which only what `decode` accepts gets.

    Whoever calls it compares the event's id with the name under which the body was kept.
    """
    return _event_of(canonical.loads(body), body, signature, None)


def _made(body: bytes, signature: bytes) -> Event:
    """Return the event of a body that was encoded here, and so is deterministic."""
    if len(body) > EVENT_BODY_BYTES_MAX:
        raise Malformed(
            code="too_large",
            message=f"{len(body)} bytes, at most {EVENT_BODY_BYTES_MAX} are allowed",
        )
    return _event_of(canonical.loads(body), body, signature, None)


def _event_of(value: object, body: bytes, signature: bytes, network_id: str | None) -> Event:
    if type(value) is not dict:
        raise Malformed(code="not_an_event", message="an event's body is a map")
    fields = cast("dict[str, Value]", value)
    _check_keys(fields)
    _text(fields, "protocol_version", PROTOCOL_VERSION.__eq__)
    _text(fields, "network_id", ID_TEXT.match)
    _text(fields, "scope", SCOPE.match)
    _text(fields, "event_kind", KIND.match)
    _text(fields, "class", LANE_CLASSES.__contains__)
    author = _bytes32(fields, "author_node_id")
    task = _bytes32(fields, "task_id") if "task_id" in fields else None
    epoch = _uint(fields, "epoch", EPOCH_MAX)
    created_at = _uint(fields, "created_at", CREATED_AT_MAX)
    payload = fields["payload"]
    if type(payload) is not dict:
        raise Malformed(code="bad_field", path="$.payload", message="a payload is a map")
    if network_id is not None and fields["network_id"] != network_id:
        raise Malformed(
            code="wrong_network",
            path="$.network_id",
            message=f"an event of network {fields['network_id']}, not of {network_id}",
        )
    return Event(
        event_id=event_id(body),
        body=body,
        signature=signature,
        network_id=cast("str", fields["network_id"]),
        scope=cast("str", fields["scope"]),
        lane_class=LANE_CLASSES[cast("str", fields["class"])],
        kind=cast("str", fields["event_kind"]),
        author=NodeId(author),
        task_id=None if task is None else EventId(task),
        epoch=epoch,
        created_at=created_at,
        payload=cast("dict[str, Value]", payload),
    )


def _check_keys(fields: Mapping[str, Value]) -> None:
    keys = fields.keys()
    if keys >= REQUIRED and keys - REQUIRED <= OPTIONAL:
        return
    missing = ", ".join(sorted(REQUIRED - keys)) or "none"
    unknown = ", ".join(sorted(keys - REQUIRED - OPTIONAL)) or "none"
    raise Malformed(code="bad_keys", message=f"missing keys: {missing}; unknown keys: {unknown}")


def _text(fields: Mapping[str, Value], key: str, is_allowed: Callable[[str], object]) -> None:
    value = fields[key]
    if type(value) is not str or not is_allowed(value):
        raise Malformed(code="bad_field", path=f"$.{key}", message=f"not a valid {key}")


def _bytes32(fields: Mapping[str, Value], key: str) -> bytes:
    value = fields[key]
    if type(value) is not bytes or len(value) != 32:
        raise Malformed(
            code="bad_field", path=f"$.{key}", message=f"{key} is a byte string of 32 bytes"
        )
    return value


def _uint(fields: Mapping[str, Value], key: str, most: int) -> int:
    value = fields[key]
    if type(value) is not int or not 0 <= value <= most:
        raise Malformed(
            code="bad_field", path=f"$.{key}", message=f"{key} is an integer of 0 to {most}"
        )
    return value
