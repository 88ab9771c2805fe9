"""Events of others before they are let in: each is checked by itself, and many become few requests.

What is checked here needs nothing but the bytes. Whether the author is admitted is asked of the log
by whoever calls this: the verifier, or an import without a node.
"""

from collections.abc import Iterable, Iterator, Sequence

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, decode
from wattswarm.kernel.limits import APPEND_BYTES_MAX


def genuine(wires: Sequence[bytes], network_id: str) -> Sequence[Event | str]:
    """Return for each event itself, or the code of what is wrong with it."""
    return [_genuine(wire, network_id) for wire in wires]


def _genuine(wire: bytes, network_id: str) -> Event | str:
    try:
        event = decode(wire, network_id=network_id)
    except Malformed as error:
        return error.code
    return event if event.is_genuine() else "bad_signature"


def parcels(wires: Iterable[bytes], *, events_max: int) -> Iterator[tuple[bytes, ...]]:
    """Yield the events in parts that an actor takes whole: as many as fit, in order."""
    chosen: list[bytes] = []
    size = 0
    for wire in wires:
        if chosen and (len(chosen) >= events_max or size + len(wire) > APPEND_BYTES_MAX):
            yield tuple(chosen)
            chosen, size = [], 0
        chosen.append(wire)
        size += len(wire)
    if chosen:
        yield tuple(chosen)
