"""One topic of gossip: who is there, and what is said, as one machine."""

from collections.abc import Iterable, Sequence

import attrs

from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.dice import Dice
from wattswarm.transport.proto.gossip.actions import Action, NeighborDown, NeighborUp
from wattswarm.transport.proto.gossip.broadcast import Broadcast
from wattswarm.transport.proto.gossip.membership import SHUFFLE_MS, Membership
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
    Prune,
    Shuffle,
    ShuffleReply,
    Whereabouts,
)


@attrs.define
class Topic:
    """Takes words, losses and ticks in; each returns what is to be done."""

    members: Membership
    broadcast: Broadcast = attrs.field(factory=Broadcast)

    @classmethod
    def of(
        cls, me: NodeId, dice: Dice, now_ms: int, whereabouts: Whereabouts | None = None
    ) -> "Topic":
        """Return a topic in which this node is alone. The first shuffle comes at some time."""
        first_ms = now_ms + round(dice.uniform(0.5, 1) * SHUFFLE_MS)
        return cls(Membership(me, dice, whereabouts, first_ms))

    @property
    def neighbours(self) -> tuple[NodeId, ...]:
        """Who is talked to."""
        return tuple(self.members.active)

    @property
    def next_at(self) -> int:
        """When `tick` has something to do, in ms."""
        at = self.broadcast.next_at
        return self.members.next_at if at is None else min(at, self.members.next_at)

    def join(self, peers: Iterable[Peer]) -> Sequence[Action]:
        """Ask nodes to be taken in."""
        self.members.join(peers)
        return self._done()

    def quit(self) -> Sequence[Action]:
        """Take leave."""
        self.members.quit()
        return self._done()

    def say(self, content: bytes, now_ms: int) -> Sequence[Action]:
        """Say something to everybody in the topic."""
        self.broadcast.say(content, now_ms)
        return self._done()

    def accept(self, name: Digest, now_ms: int) -> Sequence[Action]:
        """Pass on what was offered."""
        self.broadcast.accept(name, now_ms)
        return self._done()

    def refuse(self, name: Digest) -> Sequence[Action]:
        """Drop what was offered."""
        self.broadcast.refuse(name)
        return self._done()

    def hear(self, peer: NodeId, message: Message, now_ms: int) -> Sequence[Action]:
        """Take in what a peer says."""
        match message:
            case Join() | ForwardJoin() | Neighbor() | Disconnect() | Shuffle() | ShuffleReply():
                self.members.hear(peer, message, now_ms)
            case Gossip() | Prune() | Graft() | IHave():
                self.broadcast.hear(peer, message, now_ms)
        return self._done()

    def lost(self, peer: NodeId, now_ms: int) -> Sequence[Action]:
        """Take into account that the link with a peer is lost."""
        self.members.lost(peer, now_ms)
        return self._done()

    def tick(self, now_ms: int) -> Sequence[Action]:
        """Do what is due."""
        self.members.tick(now_ms)
        self.broadcast.tick(now_ms)
        return self._done()

    def _done(self) -> Sequence[Action]:
        done = list(self.members.actions())
        for action in done:
            match action:
                case NeighborUp(peer):
                    self.broadcast.neighbor_up(peer)
                case NeighborDown(peer):
                    self.broadcast.neighbor_down(peer)
                case _:
                    pass
        return [*done, *self.broadcast.actions()]
