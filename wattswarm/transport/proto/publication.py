"""What is said on a lane's gossip topic: small events themselves, of large ones the ids.

Gossip is never the only way: what is missed here is found by repair. A message is a canonical array
`[1, nonce, [[body, signature]…]]` or `[2, nonce, [id…]]`; the nonce makes two messages about the
same events two messages, since gossip knows a message by the hash of its content.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel import canonical, fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.hashing import HASH_BYTES, Context, digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.signature import SIGNATURE_BYTES
from wattswarm.transport.proto.gossip.frames import CONTENT_BYTES_MAX

NONCE_BYTES: Final = 8
OVERHEAD_BYTES: Final = 1 + 1 + (1 + NONCE_BYTES) + 3
"""The array, its form, the nonce, and the head of an array of fewer than 65 536 items."""

ID_ITEM_BYTES: Final = 2 + HASH_BYTES
SIGNATURE_ITEM_BYTES: Final = 2 + SIGNATURE_BYTES
IDS_MAX: Final = (CONTENT_BYTES_MAX - OVERHEAD_BYTES) // ID_ITEM_BYTES
PARTS: Final = 3


class Form(IntEnum):
    """What follows the nonce."""

    EVENTS = 1
    IDS = 2


@attrs.frozen
class Said:
    """Events as they travel: body and signature, of which nothing has been checked but the size."""

    events: tuple[tuple[bytes, bytes], ...]


@attrs.frozen
class Named:
    """Ids of events that whoever said so has."""

    ids: tuple[EventId, ...]


Publication: TypeAlias = Said | Named


def topic_id(network_id: str, scope: str, lane_class: LaneClass) -> Digest:
    """Return the gossip topic of a lane."""
    named: Value = [network_id, scope, lane_class.value]
    return digest(Context.GOSSIP_TOPIC, canonical.encode(named))


def publications(events: Iterable[Event]) -> tuple[Publication, ...]:
    """Return events of one lane as few messages say them: in their order, then those too large."""
    small: list[Event] = []
    large: list[EventId] = []
    for event in events:
        if _size_bytes(event) > CONTENT_BYTES_MAX - OVERHEAD_BYTES:
            large.append(event.event_id)
        else:
            small.append(event)
    named = (tuple(large[at : at + IDS_MAX]) for at in range(0, len(large), IDS_MAX))
    return (*map(_said, _batches(small)), *map(Named, named))


def encode(publication: Publication, nonce: bytes) -> bytes:
    """Return the content of a message."""
    assert len(nonce) == NONCE_BYTES, len(nonce)
    match publication:
        case Said(events):
            form, items = Form.EVENTS, [list(pair) for pair in events]
        case Named(ids):
            form, items = Form.IDS, list(ids)
    content = canonical.encode([int(form), nonce, items])
    assert len(content) <= CONTENT_BYTES_MAX, len(content)
    return content


def read(content: bytes) -> Publication:
    """Return what a message says.

    Raises:
        Malformed: It is too large, or no message of either form.
    """
    parts = fields.array(canonical.decode(content, bytes_max=CONTENT_BYTES_MAX), "$")
    if len(parts) != PARTS:
        raise fields.bad("$", f"{len(parts)} items, {PARTS} are expected")
    form, nonce, said = parts
    fields.octets(nonce, "$[1]", NONCE_BYTES)
    items = fields.array(said, "$[2]")
    if not items:
        raise fields.bad("$[2]", "nothing is said")
    match fields.uint(form, "$[0]"):
        case Form.EVENTS:
            return Said(tuple(_pair(item, f"$[2][{at}]") for at, item in enumerate(items)))
        case Form.IDS:
            return Named(tuple(_id(item, f"$[2][{at}]") for at, item in enumerate(items)))
        case unknown:
            raise Malformed(code="unknown_form", path="$[0]", message=f"no such form: {unknown}")


def _batches(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Yield as many events at a time as one message holds."""
    batch: list[Event] = []
    room = CONTENT_BYTES_MAX - OVERHEAD_BYTES
    for event in events:
        if batch and _size_bytes(event) > room:
            yield batch
            batch, room = [], CONTENT_BYTES_MAX - OVERHEAD_BYTES
        batch.append(event)
        room -= _size_bytes(event)
    if batch:
        yield batch


def _said(events: Sequence[Event]) -> Said:
    return Said(tuple((event.body, event.signature) for event in events))


def _size_bytes(event: Event) -> int:
    """Return how much of a message an event takes, at most: a pair of two byte strings."""
    return 1 + 3 + len(event.body) + SIGNATURE_ITEM_BYTES


def _pair(item: Value, path: str) -> tuple[bytes, bytes]:
    match fields.array(item, path):
        case [bytes() as body, bytes() as signature] if len(signature) == SIGNATURE_BYTES:
            return body, signature
        case _:
            raise fields.bad(path, "not a body and a signature")


def _id(item: Value, path: str) -> EventId:
    return EventId(fields.octets(item, path))
