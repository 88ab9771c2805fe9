"""The time-trie of a lane: a radix trie over (created_at, event id), recent events together.

A key is the date as 48 bits, big-endian, and the id: 38 bytes. The set of a lane's keys is the set
of its events in the log, all of them and nothing else; the root is what two nodes compare.
"""

from typing import Final

import attrs

from wattswarm.kernel.hashing import HASH_BYTES
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.radix_trie import Prefix

DATE_BYTES: Final = 6
KEY_BYTES: Final = DATE_BYTES + HASH_BYTES
KEY_NIBBLES: Final = 2 * KEY_BYTES


def key(created_at: int, event_id: EventId) -> bytes:
    """Return the key of an event."""
    return created_at.to_bytes(DATE_BYTES, "big") + event_id


@attrs.frozen
class Bounds:
    """The first and the last possible key below a node, both inclusive."""

    first_at: int
    first_id: bytes
    last_at: int
    last_id: bytes


def bounds(prefix: Prefix) -> Bounds:
    """Return the bounds of the keys that begin with `prefix`."""
    first = bytes.fromhex(prefix.ljust(KEY_NIBBLES, "0"))
    last = bytes.fromhex(prefix.ljust(KEY_NIBBLES, "f"))
    return Bounds(*_split(first), *_split(last))


def _split(whole: bytes) -> tuple[int, bytes]:
    return int.from_bytes(whole[:DATE_BYTES], "big"), whole[DATE_BYTES:]
