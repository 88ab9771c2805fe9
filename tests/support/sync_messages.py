"""One message of each type that nodes exchange to synchronise: seeds, and vectors."""

from collections.abc import Mapping
from typing import Final

from wattswarm.kernel.event import LaneClass
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, EventId, Seq
from wattswarm.transport.proto.sync.lane import LaneId, LaneState, lane_id
from wattswarm.transport.proto.sync.messages import (
    PROTOCOL,
    Batch,
    Beat,
    Busy,
    Fin,
    Hello,
    Ids,
    Message,
    Since,
    Want,
)
from wattswarm.transport.proto.sync.step import Cut, Item, Shorts, Step

SHARED: Final[LaneId] = lane_id("group:readers", LaneClass.WORK)
CUT: Final = 1_790_000_000_000 - 1_790_000_000_000 % 4_096
ROOT: Final = bytes(range(16))
FIRST: Final = EventId(digest(Context.EVENT_ID, b"first"))
SECOND: Final = EventId(digest(Context.EVENT_ID, b"second"))

LANES: Final = (LaneState(lane=SHARED, events=300, root=ROOT, head=Seq(1_000)),)

MESSAGES: Final[Mapping[str, Message]] = {
    "hello": Hello(
        protocol=PROTOCOL,
        network_id="lan:" + "ab" * 16,
        governance=Digest(b"g" * 32),
        capabilities=("blobs", "gossip"),
        clock_ms=1_790_000_000_000,
        feed_epoch=b"e" * 16,
        nonce=b"n" * 16,
        cut=CUT,
        lanes=LANES,
    ),
    "beat": Beat(cut=CUT, lanes=LANES),
    "since": Since(lane=SHARED, after=Seq(997), limit=256),
    "ids": Ids(
        lane=SHARED,
        after=Seq(997),
        up_to=Seq(1_000),
        has_more=False,
        ids=((Seq(998), FIRST), (Seq(1_000), SECOND)),
    ),
    "want": Want(request=1, ids=(FIRST, SECOND)),
    "batch": Batch(request=1, events=(b"\x82\x41a\x41b", b"\x82\x41c\x41d")),
    "step": Step(
        session=7,
        turn=2,
        lane=SHARED,
        cut=CUT,
        cuts=(
            Cut("01a", (Item("01a0", 70, b"tag zero"), Item("01a1c", 2, b"tag one "))),
            Cut("01b2", ()),
        ),
        lists=(Shorts("01c", (b"short  a", b"short  b")), Shorts("01d3", ())),
        picks=(Shorts("01e", (b"short  c",)),),
    ),
    "busy": Busy(30_000),
    "fin": Fin(session=7, lane=SHARED, cut=CUT, events=300, root=ROOT),
}
"""Name → message, each with every part that it may have."""
