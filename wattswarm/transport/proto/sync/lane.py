"""What two nodes say of a lane: its name on the wire, and its root below a cut in time."""

from typing import Final, NewType

import attrs

from wattswarm.kernel import canonical
from wattswarm.kernel.event import LaneClass
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Seq
from wattswarm.kernel.radix_trie import Summary

LaneId = NewType("LaneId", bytes)
"""Eight bytes that stand for a scope and a class; they name none to who does not know it."""

LANE_BYTES: Final = 8
ROOT_BYTES: Final = 16
CUT_AGO_MS: Final = 15_000
"""What is younger may still be on its way to somebody."""

CUT_STEP_MS: Final = 4_096
"""Cuts of two nodes fall on the same dates; twelve bits are three nibbles of a key."""


def lane_id(scope: str, lane_class: LaneClass) -> LaneId:
    """Return the name of a lane on the wire."""
    named = digest(Context.LANE_ID, canonical.encode([scope, lane_class.value]))
    return LaneId(named[:LANE_BYTES])


def cut_at(now_ms: int) -> int:
    """Return the date below which lanes are compared, in ms since the Unix epoch."""
    settled = max(0, now_ms - CUT_AGO_MS)
    return settled - settled % CUT_STEP_MS


@attrs.frozen(kw_only=True)
class LaneState:
    """A lane as its node has it: the trie below a cut, and the last position in the node's log."""

    lane: LaneId
    events: int
    root: bytes
    head: Seq


def root_of(summary: Summary) -> bytes:
    """Return what is said of the root of a trie."""
    return summary.digest[:ROOT_BYTES]
