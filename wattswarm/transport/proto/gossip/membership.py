"""HyParView: a few neighbours that are talked to, and more nodes that could take their place.

Source: Leitão, Pereira, Rodrigues, "HyParView: a membership protocol for reliable gossip-based
broadcast" (DSN 2007), as iroh-gossip has it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.proto.dice import Dice, one_of, some_of
from wattswarm.transport.proto.gossip.actions import (
    Action,
    NeighborDown,
    NeighborUp,
    Release,
    Send,
)
from wattswarm.transport.proto.gossip.messages import (
    Disconnect,
    ForwardJoin,
    Join,
    Neighbor,
    Peer,
    Priority,
    Shuffle,
    ShuffleReply,
    Whereabouts,
)

ACTIVE_MAX: Final = 5
PASSIVE_MAX: Final = 30
ACTIVE_WALK: Final = 6
PASSIVE_WALK: Final = 3
"""A node that joins becomes known, and no neighbour, where so many hops are left."""

SHUFFLE_TTL: Final = 6
SHUFFLED_ACTIVE: Final = 3
SHUFFLED_PASSIVE: Final = 4
SHUFFLED_MAX: Final = SHUFFLED_ACTIVE + SHUFFLED_PASSIVE + 1
"""With the node itself; who sends more is heard as far as this."""

SHUFFLE_MS: Final = 60_000
ANSWER_MS: Final = 500
"""A node that was asked to be a neighbour answers in so long, or another is asked."""

PENDING_MAX: Final = 64

Word: TypeAlias = Join | ForwardJoin | Neighbor | Disconnect | Shuffle | ShuffleReply


@attrs.define
class Membership:
    """Who is who in one topic, for the node `me`.

    `active` are the neighbours. `alive` marks known nodes that are no neighbours because they said
    so, not because they are gone.
    """

    me: NodeId
    dice: Dice
    whereabouts: Whereabouts | None = None
    shuffle_at: int = 0
    active: dict[NodeId, None] = attrs.field(factory=dict[NodeId, None])
    passive: dict[NodeId, None] = attrs.field(factory=dict[NodeId, None])
    _alive: set[NodeId] = attrs.field(factory=set[NodeId])
    _pending: dict[NodeId, int] = attrs.field(factory=dict[NodeId, int])
    """Who was asked to be a neighbour, and until when that is waited for."""
    _answered: dict[NodeId, int] = attrs.field(factory=dict[NodeId, int])
    """Neighbours that were told so, until when that is not said again: or two would never end."""
    _places: dict[NodeId, Whereabouts] = attrs.field(factory=dict[NodeId, Whereabouts])
    _actions: list[Action] = attrs.field(factory=list[Action])

    def actions(self) -> Sequence[Action]:
        """Return what is to be done since this was last asked."""
        done, self._actions = self._actions, []
        return done

    @property
    def next_at(self) -> int:
        """When `tick` has something to do, in ms."""
        return min([self.shuffle_at, *self._pending.values(), *self._answered.values()])

    def place(self, node: NodeId) -> Whereabouts | None:
        """Return where a node is said to be."""
        return self._places.get(node)

    # --- what this node does of itself ----------------------------------------------------------

    def join(self, peers: Iterable[Peer]) -> None:
        """Ask nodes to be taken in."""
        for peer in peers:
            if peer.node != self.me:
                self._learn_place(peer.node, peer.whereabouts)
                self._send(peer.node, Join(self.whereabouts))

    def quit(self) -> None:
        """Take leave of all neighbours."""
        for node in tuple(self.active):
            self._dismiss(node, is_alive=False)
            self._remove_active(node, keep=False)
            self._actions.append(Release(node))

    def tick(self, now_ms: int) -> None:
        """Ask others in place of those that did not answer, and shuffle now and then."""
        self._answered = {node: at for node, at in self._answered.items() if at > now_ms}
        for node in [node for node, until in self._pending.items() if until <= now_ms]:
            del self._pending[node]
            if node not in self.active:
                self._forget(node)
                self._refill(now_ms, but=node)
        if self.shuffle_at <= now_ms:
            self._shuffle(now_ms)

    def lost(self, node: NodeId, now_ms: int) -> None:
        """Take into account that the link with a node is lost."""
        self._pending.pop(node, None)
        if node in self.active:
            is_known = node in self._alive
            self._remove_active(node, keep=is_known)
            self._refill(now_ms, but=node)
        elif node not in self._alive:
            self._forget(node)
        self._alive.discard(node)

    # --- what others say ------------------------------------------------------------------------

    def hear(self, peer: NodeId, message: Word, now_ms: int) -> None:
        """Take in what a node says; whoever is no neighbour then is let go."""
        match message:
            case Join():
                self._on_join(peer, message, now_ms)
            case ForwardJoin():
                self._on_forward_join(peer, message, now_ms)
            case Neighbor():
                self._on_neighbor(peer, message, now_ms)
            case Disconnect():
                self._on_disconnect(peer, message, now_ms)
                return
            case Shuffle():
                self._on_shuffle(peer, message)
            case ShuffleReply():
                self._learn(message.peers)
                self._refill(now_ms, but=None)
        if peer not in self.active and peer not in self._pending:
            self._actions.append(Release(peer))

    def _on_join(self, peer: NodeId, message: Join, now_ms: int) -> None:
        """Take a new node in, and let it become known."""
        if self._add_active(peer, message.whereabouts, Priority.HIGH):
            self._answer(peer, Priority.HIGH, now_ms)
        new = Peer(peer, message.whereabouts)
        for node in tuple(self.active):
            if node != peer:
                self._send(node, ForwardJoin(new, ACTIVE_WALK))

    def _on_forward_join(self, peer: NodeId, message: ForwardJoin, now_ms: int) -> None:
        """Become a neighbour of a new node, or pass the word on."""
        new, ttl = message.peer.node, min(message.ttl, ACTIVE_WALK)
        if new != self.me:
            self._learn_place(new, message.peer.whereabouts)
            if new in self.active or ttl == 0 or len(self.active) <= 1:
                self._ask(new, Priority.HIGH, now_ms)
            else:
                self._pass_on(peer, attrs.evolve(message, ttl=ttl))

    def _on_neighbor(self, peer: NodeId, message: Neighbor, now_ms: int) -> None:
        """Become a neighbour, or say why not."""
        was_asked = self._pending.pop(peer, None) is not None
        if not self._add_active(peer, message.whereabouts, message.priority):
            self._dismiss(peer, is_alive=True)
        elif not was_asked:
            self._answer(peer, message.priority, now_ms)

    def _on_disconnect(self, peer: NodeId, message: Disconnect, now_ms: int) -> None:
        """Have one neighbour less, and look for another."""
        self._pending.pop(peer, None)
        if peer in self.active:
            self._remove_active(peer, keep=message.is_alive)
            if message.is_alive:
                self._alive.add(peer)
            self._actions.append(Release(peer))
            self._refill(now_ms, but=peer)
        elif peer in self.passive and message.is_alive:
            self._alive.add(peer)

    def _on_shuffle(self, peer: NodeId, message: Shuffle) -> None:
        """Learn of nodes and tell of as many, or pass the word on."""
        told = message.peers[:SHUFFLED_MAX]
        onward = [node for node in self.active if node not in (peer, message.origin)]
        ttl = min(message.ttl, SHUFFLE_TTL)
        next_node = one_of(self.dice, onward) if ttl and len(self.active) > 1 else None
        if next_node is not None:
            self._send(next_node, attrs.evolve(message, peers=told, ttl=ttl - 1))
        elif message.origin != self.me:
            answer = self._sample(len(told), but=message.origin)
            self._learn(told)
            self._send(message.origin, ShuffleReply(answer))

    # --- steps ----------------------------------------------------------------------------------

    def _send(self, node: NodeId, message: Word) -> None:
        self._actions.append(Send(node, message))

    def _answer(self, node: NodeId, priority: Priority, now_ms: int) -> None:
        """Tell a node that it is a neighbour, once in a while."""
        if node not in self._answered:
            self._answered[node] = now_ms + ANSWER_MS
            self._send(node, Neighbor(priority, self.whereabouts))

    def _add_active(self, node: NodeId, where: Whereabouts | None, priority: Priority) -> bool:
        """Make a node a neighbour; False when there is no place for it."""
        if node == self.me:
            return False
        self._learn_place(node, where)
        if node not in self.active:
            if len(self.active) >= ACTIVE_MAX:
                if priority is Priority.LOW:
                    return False
                self._evict()
            self.passive.pop(node, None)
            self._alive.discard(node)
            self._pending.pop(node, None)
            self.active[node] = None
            self._actions.append(NeighborUp(node))
        return True

    def _evict(self) -> None:
        node = one_of(self.dice, self.active)
        assert node is not None
        self._dismiss(node, is_alive=True)
        self._remove_active(node, keep=True)
        self._alive.add(node)
        self._actions.append(Release(node))

    def _dismiss(self, node: NodeId, *, is_alive: bool) -> None:
        """Tell a node of others, and that it is no neighbour."""
        self._send(node, ShuffleReply(self._sample(SHUFFLED_ACTIVE + SHUFFLED_PASSIVE, but=node)))
        self._send(node, Disconnect(is_alive))

    def _remove_active(self, node: NodeId, *, keep: bool) -> None:
        del self.active[node]
        self._answered.pop(node, None)
        self._actions.append(NeighborDown(node))
        if keep:
            self._add_passive(node)
        else:
            self._forget(node)

    def _pass_on(self, peer: NodeId, message: ForwardJoin) -> None:
        new = message.peer.node
        if message.ttl == PASSIVE_WALK:
            self._add_passive(new)
        onward = one_of(self.dice, [node for node in self.active if node not in (peer, new)])
        if onward is not None and new not in self._pending:
            self._send(onward, ForwardJoin(message.peer, message.ttl - 1))

    def _ask(self, node: NodeId, priority: Priority, now_ms: int) -> None:
        """Ask a node to be a neighbour, unless it was asked and has not answered."""
        if node not in self._pending and len(self._pending) < PENDING_MAX:
            self._pending[node] = now_ms + ANSWER_MS
            self._send(node, Neighbor(priority, self.whereabouts))

    def _refill(self, now_ms: int, but: NodeId | None) -> None:
        """Ask a known node to be a neighbour while there are too few."""
        if len(self.active) + len(self._pending) >= ACTIVE_MAX:
            return
        free = [node for node in self.passive if node != but and node not in self._pending]
        node = one_of(self.dice, free)
        if node is not None:
            self._ask(node, Priority.LOW if self.active else Priority.HIGH, now_ms)

    def _shuffle(self, now_ms: int) -> None:
        self.shuffle_at = now_ms + SHUFFLE_MS
        node = one_of(self.dice, self.active)
        if node is not None:
            told = self._sample_of(self.active, SHUFFLED_ACTIVE, node)
            told += self._sample_of(self.passive, SHUFFLED_PASSIVE, node)
            self._send(
                node, Shuffle(self.me, (*told, Peer(self.me, self.whereabouts)), SHUFFLE_TTL)
            )

    def _sample(self, most: int, *, but: NodeId) -> tuple[Peer, ...]:
        """Return known nodes, and where there are too few neighbours as well."""
        told = self._sample_of(self.passive, most, but)
        return told + self._sample_of(self.active, most - len(told), but)

    def _sample_of(self, nodes: Collection[NodeId], most: int, but: NodeId) -> tuple[Peer, ...]:
        chosen = some_of(self.dice, (node for node in nodes if node != but), most)
        return tuple(Peer(node, self._places.get(node)) for node in chosen)

    def _learn(self, peers: Iterable[Peer]) -> None:
        for peer in peers:
            if peer.node != self.me and peer.node not in self.active:
                self._add_passive(peer.node)
                self._learn_place(peer.node, peer.whereabouts)

    def _add_passive(self, node: NodeId) -> None:
        if node == self.me or node in self.active or node in self.passive:
            return
        if len(self.passive) >= PASSIVE_MAX:
            oldest = one_of(self.dice, self.passive)
            assert oldest is not None
            self._forget(oldest)
        self.passive[node] = None

    def _learn_place(self, node: NodeId, where: Whereabouts | None) -> None:
        if where is not None:
            self._places[node] = where
        known = (*self.active, *self.passive, *self._pending, node)
        if len(self._places) > 2 * (ACTIVE_MAX + PASSIVE_MAX + PENDING_MAX):
            self._places = {each: self._places[each] for each in known if each in self._places}

    def _forget(self, node: NodeId) -> None:
        self.passive.pop(node, None)
        self._alive.discard(node)
        if node not in self.active:
            self._places.pop(node, None)
