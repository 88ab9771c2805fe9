"""An archive of events: their wire forms one after the other, a CBOR sequence (RFC 8742).

Only split here, not believed: whoever appends the events checks each of them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from wattswarm.actors.messages import Ingested as Answer
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import APPEND_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_WIRE_BYTES_MAX
from wattswarm.surface.log import Ingested

PAIR: Final = 0x82
"""Head of an array of two items."""

BYTES: Final = 0x40
LENGTH_BYTES: Final = {24: 1, 25: 2, 26: 4}
"""Bytes that the length takes, by the low five bits of the head of a byte string."""


def split(archive: bytes) -> Iterator[tuple[bytes, ...]]:
    """Yield the events of an archive in requests that an actor takes whole.

    Raises:
        Malformed: `not_an_event` or `too_large`, with the position in bytes.
    """
    chosen: list[bytes] = []
    size = 0
    for wire in _events(archive):
        if chosen and (len(chosen) == BATCH_EVENTS_MAX or size + len(wire) > APPEND_BYTES_MAX):
            yield tuple(chosen)
            chosen, size = [], 0
        chosen.append(wire)
        size += len(wire)
    if chosen:
        yield tuple(chosen)


def _events(archive: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(archive):
        end = _end(archive, at)
        yield archive[at:end]
        at = end


def _end(archive: bytes, start: int) -> int:
    """Return where the array of two byte strings that begins here ends."""
    if archive[start] != PAIR:
        raise _wrong(start, "no array of two byte strings begins")
    end = _skip(archive, _skip(archive, start + 1))
    if end > len(archive):
        raise _wrong(start, "it ends within the event that begins")
    if end - start > EVENT_WIRE_BYTES_MAX:
        raise Malformed(code="too_large", message=f"the event at byte {start} is too large")
    return end


def _skip(archive: bytes, at: int) -> int:
    """Return where the byte string that begins here ends, within the archive or beyond it."""
    head = archive[at] if at < len(archive) else 0
    kind, low = head & 0xE0, head & 0x1F
    width = LENGTH_BYTES.get(low, 0)
    if kind != BYTES or (low >= 24 and not width):
        raise _wrong(at, "no byte string of known length begins")
    body = at + 1 + width
    length = int.from_bytes(archive[at + 1 : body], "big") if width else low
    return body + length


def _wrong(at: int, expected: str) -> Malformed:
    message = f"not an archive of events: {expected}, at byte {at}"
    return Malformed(code="not_an_event", message=message)


@attrs.define
class Ingestion:
    """What has become of the events of an archive so far."""

    received: int = 0
    appended: int = 0
    already: int = 0
    parked: int = 0
    refusals: Counter[str] = attrs.field(factory=Counter[str])

    def count(self, events: Sequence[bytes], answer: Answer) -> None:
        """Count the answer to one request."""
        self.received += len(events)
        self.appended += answer.accepted
        self.already += answer.already
        self.parked += answer.parked
        self.refusals.update(refusal.code for refusal in answer.refused)

    def view(self, head_seq: int) -> Ingested:
        """Return the whole; events that wait in memory for their date count as refused for now."""
        refusals = dict(self.refusals)
        if self.parked:
            refusals["parked"] = self.parked
        return Ingested(
            received=self.received,
            appended=self.appended,
            already=self.already,
            refused=sum(refusals.values()),
            head_seq=head_seq,
            refusals=refusals,
        )
