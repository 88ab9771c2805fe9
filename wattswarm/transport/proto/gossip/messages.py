"""What neighbours in a topic say to each other: of who is there, and of what is new.

Source: the wire format of iroh-gossip (postcard); it is the same from 0.35 on.
"""

import ipaddress
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Final, TypeAlias

import attrs
from blake3 import blake3

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import HASH_BYTES
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.gossip.frames import MESSAGE_BYTES_MAX
from wattswarm.transport.proto.postcard import U16_MAX, Reader, option, sized, varint

IPV4_BYTES: Final = 4
IPV6_BYTES: Final = 16
ID_BYTES: Final = HASH_BYTES
ADDRESSES_MAX: Final = 64
PLACE_BYTES_MAX: Final = 256
"""Of where a node is said to be: so many nodes fit into one frame; of more, nothing is kept."""

PEERS_MAX: Final = 64
"""Nodes that one shuffle brings; upstream sends eight."""

HAVES_MAX: Final = MESSAGE_BYTES_MAX // (ID_BYTES + 1)


@attrs.frozen
class Whereabouts:
    """Where a node says that it is: a hint. Addresses are `ip:port`."""

    relay_url: str | None = None
    addresses: tuple[str, ...] = ()


@attrs.frozen
class Peer:
    """A node, and where it is said to be; None: nothing is said."""

    node: NodeId
    whereabouts: Whereabouts | None = None


class Priority(IntEnum):
    """Whether a neighbour has to be taken in (High), or only where there is a free place (Low)."""

    HIGH = 0
    LOW = 1


@attrs.frozen
class Join:
    """Says: I am new here, take me in."""

    whereabouts: Whereabouts | None = None


@attrs.frozen
class ForwardJoin:
    """Says: somebody is new; `ttl` hops are left."""

    peer: Peer
    ttl: int


@attrs.frozen
class Shuffle:
    """Says: these are some whom I know; tell the origin of as many."""

    origin: NodeId
    peers: tuple[Peer, ...]
    ttl: int


@attrs.frozen
class ShuffleReply:
    """Says: these are some whom I know."""

    peers: tuple[Peer, ...]


@attrs.frozen
class Neighbor:
    """Says: let us be neighbours."""

    priority: Priority
    whereabouts: Whereabouts | None = None


@attrs.frozen
class Disconnect:
    """Says: we are no neighbours any more; `is_alive`: but I am still here."""

    is_alive: bool


@attrs.frozen
class Gossip:
    """Says something new. `round` is how many hops it took, None: to neighbours only."""

    id: Digest
    content: bytes
    round: int | None


@attrs.frozen
class Prune:
    """Says: send me ids only."""


@attrs.frozen
class Graft:
    """Says: send me what is new again, and now what has this id, if there is one."""

    id: Digest | None
    round: int


@attrs.frozen
class IHave:
    """Says: I have these, after so many hops each."""

    ids: tuple[tuple[Digest, int], ...]


Message: TypeAlias = (
    Join
    | ForwardJoin
    | Shuffle
    | ShuffleReply
    | Neighbor
    | Disconnect
    | Gossip
    | Prune
    | Graft
    | IHave
)

MEMBERSHIP: Final = 0
BROADCAST: Final = 1
TO_ALL: Final = 0
TO_NEIGHBOURS: Final = 1


def content_id(content: bytes) -> Digest:
    """Return the id of what is said: the BLAKE3 hash of the content and of nothing else."""
    return Digest(blake3(content).digest())


def encode(message: Message) -> bytes:
    """Return the bytes of a message."""
    match message:
        case Join(where):
            return b"\0\0" + option(_where(where))
        case ForwardJoin(peer, ttl):
            return b"\0\1" + _peer(peer) + varint(ttl)
        case Shuffle(origin, peers, ttl):
            return b"\0\2" + origin + _peers(peers) + varint(ttl)
        case ShuffleReply(peers):
            return b"\0\3" + _peers(peers)
        case Neighbor(priority, where):
            return b"\0\4" + varint(priority) + option(_where(where))
        case Disconnect(is_alive):
            return b"\0\5" + bytes([is_alive, 0])
        case Gossip(name, content, hops):
            return b"\1\0" + name + sized(content) + _scope(hops)
        case Prune():
            return b"\1\1"
        case Graft(name, hops):
            return b"\1\2" + option(name) + varint(hops)
        case IHave(names):
            items = b"".join(name + varint(hops) for name, hops in names)
            return b"\1\3" + varint(len(names)) + items


def _scope(hops: int | None) -> bytes:
    return varint(TO_NEIGHBOURS) if hops is None else varint(TO_ALL) + varint(hops)


def _peers(peers: tuple[Peer, ...]) -> bytes:
    return varint(len(peers)) + b"".join(map(_peer, peers))


def _peer(peer: Peer) -> bytes:
    return peer.node + option(_where(peer.whereabouts))


def _where(whereabouts: Whereabouts | None) -> bytes | None:
    if whereabouts is None:
        return None
    relay = whereabouts.relay_url
    places = sorted({_place(each) for each in whereabouts.addresses})
    written = option(None if relay is None else sized(relay.encode()))
    addresses = [bytes([is_v6]) + packed + varint(port) for is_v6, packed, port in places]
    octets = written + varint(len(places)) + b"".join(addresses)
    return sized(octets if len(octets) <= PLACE_BYTES_MAX else b"")


def _place(address: str) -> tuple[bool, bytes, int]:
    """Return an address in parts that sort as it does on the wire."""
    host, _, port = address.rpartition(":")
    parsed = ipaddress.ip_address(host.strip("[]"))
    return parsed.version == 6, parsed.packed, int(port)


# --- reading --------------------------------------------------------------------------------------


def decode(message: bytes) -> Message:
    """Return what the bytes say.

    Raises:
        Malformed: They are too many, or say nothing that is known.
    """
    if len(message) > MESSAGE_BYTES_MAX:
        raise Malformed(
            code="too_large", message=f"{len(message)} bytes, at most {MESSAGE_BYTES_MAX}"
        )
    reader = Reader(message)
    kind = reader.u8(), reader.u8()
    read = READERS.get(kind)
    if read is None:
        raise reader.wrong("unknown_kind", f"no message of kind {kind[0]}/{kind[1]}")
    found = read(reader)
    reader.end()
    return found


def _read_shuffle(reader: Reader) -> Shuffle:
    origin = NodeId(reader.octets(ID_BYTES))
    return Shuffle(origin, _read_peers(reader), reader.varint(U16_MAX))


def _read_neighbor(reader: Reader) -> Neighbor:
    priority = Priority(reader.varint(Priority.LOW))
    return Neighbor(priority, reader.option(lambda: _read_where(reader)))


def _read_disconnect(reader: Reader) -> Disconnect:
    is_alive, _obsolete = reader.flag(), reader.flag()
    return Disconnect(is_alive)


def _read_gossip(reader: Reader) -> Gossip:
    name, content = _read_id(reader), reader.sized(MESSAGE_BYTES_MAX)
    is_for_all = reader.varint(TO_NEIGHBOURS) == TO_ALL
    return Gossip(name, content, reader.varint(U16_MAX) if is_for_all else None)


def _read_ihave(reader: Reader) -> IHave:
    return IHave(
        reader.items(
            lambda: (_read_id(reader), reader.varint(U16_MAX)),
            least_bytes=ID_BYTES + 1,
            most=HAVES_MAX,
        )
    )


def _read_id(reader: Reader) -> Digest:
    return Digest(reader.octets(ID_BYTES))


def _read_peers(reader: Reader) -> tuple[Peer, ...]:
    return reader.items(lambda: _read_peer(reader), least_bytes=ID_BYTES + 1, most=PEERS_MAX)


def _read_peer(reader: Reader) -> Peer:
    return Peer(NodeId(reader.octets(ID_BYTES)), reader.option(lambda: _read_where(reader)))


def _read_where(reader: Reader) -> Whereabouts:
    """Return whereabouts; none at all are an empty byte string, and too many are as none."""
    octets = reader.sized(MESSAGE_BYTES_MAX)
    if not 0 < len(octets) <= PLACE_BYTES_MAX:
        return Whereabouts()
    inner = Reader(octets)
    relay = inner.option(lambda: _read_url(inner))
    addresses = inner.items(
        lambda: _read_address(inner), least_bytes=2 + IPV4_BYTES, most=ADDRESSES_MAX
    )
    inner.end()
    return Whereabouts(relay, addresses)


def _read_url(reader: Reader) -> str:
    octets = reader.sized(MESSAGE_BYTES_MAX)
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise reader.wrong("bad_field", "a relay's address that is not UTF-8") from error


def _read_address(reader: Reader) -> str:
    if reader.varint(1) == 0:
        host = str(ipaddress.IPv4Address(reader.octets(IPV4_BYTES)))
    else:
        host = f"[{ipaddress.IPv6Address(reader.octets(IPV6_BYTES))}]"
    return f"{host}:{reader.varint(U16_MAX)}"


READERS: Final[Mapping[tuple[int, int], Callable[[Reader], Message]]] = {
    (MEMBERSHIP, 0): lambda reader: Join(reader.option(lambda: _read_where(reader))),
    (MEMBERSHIP, 1): lambda reader: ForwardJoin(_read_peer(reader), reader.varint(U16_MAX)),
    (MEMBERSHIP, 2): _read_shuffle,
    (MEMBERSHIP, 3): lambda reader: ShuffleReply(_read_peers(reader)),
    (MEMBERSHIP, 4): _read_neighbor,
    (MEMBERSHIP, 5): _read_disconnect,
    (BROADCAST, 0): _read_gossip,
    (BROADCAST, 1): lambda _reader: Prune(),
    (BROADCAST, 2): lambda reader: Graft(
        reader.option(lambda: _read_id(reader)), reader.varint(U16_MAX)
    ),
    (BROADCAST, 3): _read_ihave,
}
