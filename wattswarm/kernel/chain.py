"""The arrival chain: each row of the log seals all rows before it.

chain(n) = BLAKE3(chain(n - 1) ‖ event id of row n), from 32 zero bytes: whoever has kept a later
value sees an edited, removed or reordered row. It says nothing about other nodes, whose events
arrived in another order.
"""

from collections.abc import Iterable
from itertools import accumulate

from wattswarm.kernel.hashing import CHAIN_START, Context, digest
from wattswarm.kernel.ids import Digest, EventId

START = Digest(CHAIN_START)


def link(before: Digest, event_id: EventId) -> Digest:
    """Return the chain value of the row that holds `event_id` and follows the row of `before`."""
    return digest(Context.CHAIN, before, event_id)


def links(before: Digest, event_ids: Iterable[EventId]) -> tuple[Digest, ...]:
    """Return the chain values of the rows after `before`: result[i] ↔ event_ids[i]."""
    _, *following = accumulate(event_ids, link, initial=before)
    return tuple(following)
