"""Finding each other on a local network: signed announcements, and who founds a network.

An announcement says in one datagram which network a node is in, who founded that, and at which port
the node is to be found; the address is the one that it came from. It is a hint: whoever is dialled
proves who it is, and a network is what its genesis record makes it. So an announcement that is sent
once more by somebody else leads to the right node or to none.

A node that hears of no network of its name for a while founds one. Of two founders that meet, the
one with the larger genesis key gives way.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from wattswarm.kernel import canonical, fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.limits import CREATED_AT_MAX, ID_CHARS_MAX
from wattswarm.kernel.signature import SIGNATURE_BYTES, Domain, KeyPair, is_valid, message
from wattswarm.transport.proto.dice import Dice

GROUP: Final = "239.255.42.99"
PORT: Final = 37_931
DATAGRAM_BYTES_MAX: Final = 1_024
"""Goes unsplit over every network, and bounds what is looked at."""

FORM: Final = 1
FIELDS: Final = 7
PORT_MAX: Final = 65_535

LISTEN_MS: Final = 3_000
"""A node that knows no network listens for so long before it founds one."""

EVERY_MS: Final = 5_000
JITTER: Final = 0.2
"""Share by which each pause between two announcements is shorter or longer."""

MISSED: Final = 6
"""After so many announcements that did not come a node is not known any more."""

NEIGHBOURS_MAX: Final = 256


@attrs.frozen(kw_only=True)
class Announcement:
    """What a node says of itself. `sent_at` (ms) is by its own clock: the later of two stands."""

    lan_name: str
    network_id: str
    genesis: NodeId
    node: NodeId
    port: int
    sent_at: int

    def encode(self, key: KeyPair) -> bytes:
        """Return the datagram, signed by the node."""
        assert key.node_id == self.node, "a node announces itself"
        said = self._said()
        return canonical.encode([*said, key.sign(message(Domain.ANNOUNCE, said))])

    def _said(self) -> Sequence[Value]:
        return [
            FORM,
            self.lan_name,
            self.network_id,
            self.genesis,
            self.node,
            self.port,
            self.sent_at,
        ]

    @classmethod
    def read(cls, datagram: bytes) -> "Announcement":
        """Return what a datagram says.

        Raises:
            Malformed: It is too large, of another form, or not signed by the node that it names.
        """
        if len(datagram) > DATAGRAM_BYTES_MAX:
            raise Malformed(
                code="too_large",
                message=f"{len(datagram)} bytes, at most {DATAGRAM_BYTES_MAX} are announced",
            )
        items = fields.array(canonical.decode(datagram, bytes_max=DATAGRAM_BYTES_MAX), "$")
        if len(items) != FIELDS + 1:
            raise fields.bad("$", f"{len(items)} items, {FIELDS + 1} are expected")
        form, lan_name, network_id, genesis, node, port, sent_at, signature = items
        fields.uint(form, "$[0]", least=FORM, most=FORM)
        said = cls(
            lan_name=fields.text(lan_name, "$[1]", bytes_max=ID_CHARS_MAX),
            network_id=fields.text(network_id, "$[2]", bytes_max=ID_CHARS_MAX),
            genesis=NodeId(fields.octets(genesis, "$[3]")),
            node=NodeId(fields.octets(node, "$[4]")),
            port=fields.uint(port, "$[5]", least=1, most=PORT_MAX),
            sent_at=fields.uint(sent_at, "$[6]", most=CREATED_AT_MAX),
        )
        signed = message(Domain.ANNOUNCE, said._said())
        if not is_valid(said.node, signed, fields.octets(signature, "$[7]", SIGNATURE_BYTES)):
            raise Malformed(code="bad_signature", path="$[7]", message="not signed by the node")
        return said


def pause_ms(dice: Dice) -> int:
    """Return how long to wait until the next announcement."""
    return round(EVERY_MS * dice.uniform(1 - JITTER, 1 + JITTER))


@attrs.frozen
class Neighbour:
    """A node that was heard of: what it says, from where, and when last (ms, by our clock)."""

    said: Announcement
    host: str
    heard_at: int

    @property
    def address(self) -> str:
        """Where it is to be found."""
        return f"{self.host}:{self.said.port}"


@attrs.define
class Neighbourhood:
    """Who is about: the nodes of one LAN name that were heard of lately, `NEIGHBOURS_MAX` at most.

    `port` is this node's own.
    """

    me: NodeId
    lan_name: str
    port: int
    _known: OrderedDict[NodeId, Neighbour] = attrs.field(factory=OrderedDict[NodeId, Neighbour])

    def hear(self, said: Announcement, host: str, now_ms: int) -> bool:
        """Take an announcement in; tell whether it is news: a node, a network or an address."""
        if said.lan_name != self.lan_name or said.node == self.me:
            return False
        self._forget(now_ms)
        held = self._known.get(said.node)
        if held is not None and held.said.sent_at > said.sent_at:
            return False
        self._known[said.node] = heard = Neighbour(said, host, now_ms)
        self._known.move_to_end(said.node)
        if len(self._known) > NEIGHBOURS_MAX:
            self._known.popitem(last=False)
        return held is None or _place(held) != _place(heard)

    def is_double(self, said: Announcement) -> bool:
        """Tell whether somebody else has this node's key; it may be our own word of before, too."""
        return said.node == self.me and said.port != self.port

    def of(self, network_id: str, now_ms: int) -> tuple[Neighbour, ...]:
        """Return those of a network, the latest first."""
        self._forget(now_ms)
        return tuple(each for each in self._latest() if each.said.network_id == network_id)

    def first_founded(self, now_ms: int) -> Neighbour | None:
        """Return a node of the network to join: the one whose genesis key is the smallest."""
        self._forget(now_ms)
        return min(self._latest(), key=lambda each: each.said.genesis, default=None)

    def _latest(self) -> Iterator[Neighbour]:
        return reversed(self._known.values())

    def _forget(self, now_ms: int) -> None:
        oldest = now_ms - MISSED * EVERY_MS
        for node in [node for node, each in self._known.items() if each.heard_at < oldest]:
            del self._known[node]


def gives_way(mine: NodeId, theirs: NodeId, *, has_only_genesis: bool) -> bool:
    """Tell whether the founder with the key `mine` moves over to the network of `theirs`.

    Args:
        has_only_genesis: Its log holds its own genesis events and no others, to be given up.
    """
    return has_only_genesis and mine > theirs


def _place(neighbour: Neighbour) -> tuple[str, str]:
    return neighbour.said.network_id, neighbour.address
