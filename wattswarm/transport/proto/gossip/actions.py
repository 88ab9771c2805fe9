"""What a machine of gossip wants done by whoever runs it."""

from typing import TypeAlias

import attrs

from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.gossip.messages import Message


@attrs.frozen
class Send:
    """Send a message; the peer is dialled if it has to be."""

    peer: NodeId
    message: Message


@attrs.frozen
class Release:
    """The topic needs no link with the peer any more."""

    peer: NodeId


@attrs.frozen
class NeighborUp:
    """The peer is a neighbour now."""

    peer: NodeId


@attrs.frozen
class NeighborDown:
    """The peer is no neighbour any more."""

    peer: NodeId


@attrs.frozen
class Offer:
    """Somebody said something new: look at it, then accept or refuse its id.

    `round` is how many hops it took; None: it was for neighbours only, and goes no further.
    """

    id: Digest
    content: bytes
    peer: NodeId
    round: int | None


@attrs.frozen
class Offend:
    """The peer sent what does not have the name that it gave, or far too many names."""

    peer: NodeId
    is_flood: bool


Action: TypeAlias = Send | Release | NeighborUp | NeighborDown | Offer | Offend
