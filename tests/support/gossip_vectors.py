"""Messages of gossip, with the bytes that iroh-gossip itself has sent or taken."""

from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.gossip.messages import (
    Disconnect,
    ForwardJoin,
    Gossip,
    Graft,
    IHave,
    Join,
    Message,
    Neighbor,
    Peer,
    Priority,
    Prune,
    Shuffle,
    ShuffleReply,
    Whereabouts,
)

A, B = "aa" * 32, "bb" * 32
HI = "85052e9aab1b67b6622d94a08441b09fd5b7aca61ee360416d70de5da67d86ca"
HERE = Whereabouts(addresses=("127.0.0.1:4433",))


def node(text: str) -> NodeId:
    return NodeId(bytes.fromhex(text))


def name(text: str) -> Digest:
    return Digest(bytes.fromhex(text))


VECTORS: list[tuple[Message, str]] = [
    (Join(), "000000"),
    (Join(HERE), "000001090001007f000001d122"),
    (ForwardJoin(Peer(node(A)), 6), f"0001{A}0006"),
    (Shuffle(node(A), (Peer(node(B)),), 6), f"0002{A}01{B}0006"),
    (ShuffleReply((Peer(node(B)),)), f"000301{B}00"),
    (Neighbor(Priority.HIGH), "00040000"),
    (Neighbor(Priority.LOW), "00040100"),
    (Disconnect(is_alive=True), "00050100"),
    (Gossip(name(HI), b"hi", 0), f"0100{HI}0268690000"),
    (Gossip(name(HI), b"hi", None), f"0100{HI}02686901"),
    (Prune(), "0101"),
    (Graft(None, 2), "01020002"),
    (Graft(name(A), 3), f"010201{A}03"),
    (IHave(((name(A), 300),)), f"010301{A}ac02"),
]
