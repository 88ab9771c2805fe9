"""Many nodes that gossip, in one process, under one clock and one seed."""

import heapq
import random
from collections import Counter
from collections.abc import Iterable, Sequence

import attrs
import pytest

from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.gossip.actions import Action, Offer, Send
from wattswarm.transport.proto.gossip.membership import ACTIVE_MAX, PASSIVE_MAX
from wattswarm.transport.proto.gossip.messages import (
    Gossip,
    Message,
    Peer,
    content_id,
    decode,
    encode,
)
from wattswarm.transport.proto.gossip.topic import Topic

DELAY_MS = (5, 30)
SETTLE_MS = 20_000


def node(number: int) -> NodeId:
    return NodeId(number.to_bytes(32, "big"))


@attrs.define
class Swarm:
    """Topics of many nodes, and the words that are on their way between them."""

    dice: random.Random
    loss: float = 0.0
    now_ms: int = 0
    topics: dict[NodeId, Topic] = attrs.field(factory=dict[NodeId, Topic])
    delivered: Counter[tuple[NodeId, Digest]] = attrs.field(factory=Counter[tuple[NodeId, Digest]])
    hops: dict[Digest, int] = attrs.field(factory=dict[Digest, int])
    payloads: Counter[Digest] = attrs.field(factory=Counter[Digest])
    _queue: list[tuple[int, int, NodeId, NodeId, bytes]] = attrs.field(
        factory=list[tuple[int, int, NodeId, NodeId, bytes]]
    )
    _ticks: list[tuple[int, NodeId]] = attrs.field(factory=list[tuple[int, NodeId]])
    _sent: int = 0
    _free_at: dict[tuple[NodeId, NodeId], int] = attrs.field(
        factory=dict[tuple[NodeId, NodeId], int]
    )

    def add(self, number: int, contact: int | None) -> None:
        """Have a node join by way of another."""
        me = node(number)
        self.topics[me] = Topic.of(me, self.dice, self.now_ms)
        known = [] if contact is None else [Peer(node(contact))]
        self.do(me, self.topics[me].join(known))

    def kill(self, nodes: Iterable[NodeId]) -> None:
        """Have nodes vanish: their neighbours lose the links."""
        gone = set(nodes)
        for each in gone:
            del self.topics[each]
        for me, topic in self.topics.items():
            for lost in gone & set(topic.neighbours):
                self.do(me, topic.lost(lost, self.now_ms))

    def say(self, number: int, content: bytes) -> Digest:
        """Have a node say something."""
        me = node(number)
        self.delivered[me, content_id(content)] += 1
        self.do(me, self.topics[me].say(content, self.now_ms))
        return content_id(content)

    def do(self, me: NodeId, actions: Sequence[Action]) -> None:
        """Carry out what a node wants done; what is offered is good."""
        for action in actions:
            match action:
                case Send(peer, message):
                    self._send(me, peer, message)
                case Offer(name, _, _, hops):
                    self.delivered[me, name] += 1
                    self.hops[name] = max(self.hops.get(name, 0), hops or 0)
                    self.do(me, self.topics[me].accept(name, self.now_ms))
                case _:
                    pass
        if me in self.topics:
            heapq.heappush(self._ticks, (self.topics[me].next_at, me))

    def run(self, for_ms: int) -> None:
        """Let time pass."""
        end = self.now_ms + for_ms
        while True:
            word = self._queue[0][0] if self._queue else end + 1
            tick = self._ticks[0][0] if self._ticks else end + 1
            if min(word, tick) > end:
                self.now_ms = end
                return
            self.now_ms = max(self.now_ms, min(word, tick))
            if word <= tick:
                self._arrive()
            else:
                self._tick()

    def _send(self, source: NodeId, target: NodeId, message: Message) -> None:
        if isinstance(message, Gossip):
            self.payloads[message.id] += 1
        is_lost = isinstance(message, Gossip) and self.dice.random() < self.loss
        if is_lost:
            return
        at = self.now_ms + self.dice.randint(*DELAY_MS)
        at = self._free_at[source, target] = max(at, self._free_at.get((source, target), 0))
        self._sent += 1
        heapq.heappush(self._queue, (at, self._sent, source, target, encode(message)))

    def _arrive(self) -> None:
        _, _, source, target, written = heapq.heappop(self._queue)
        topic = self.topics.get(target)
        if topic is not None:
            self.do(target, topic.hear(source, decode(written), self.now_ms))
        elif source in self.topics:
            self.do(source, self.topics[source].lost(target, self.now_ms))

    def _tick(self) -> None:
        _, me = heapq.heappop(self._ticks)
        topic = self.topics.get(me)
        if topic is not None and topic.next_at <= self.now_ms:
            self.do(me, topic.tick(self.now_ms))


def grown(count: int, seed: int, **faults: float) -> Swarm:
    """Return a swarm of nodes that have joined one after another by way of the first."""
    swarm = Swarm(random.Random(seed), **faults)
    swarm.add(0, None)
    for number in range(1, count):
        swarm.add(number, swarm.dice.randrange(number))
        swarm.run(50)
    swarm.run(SETTLE_MS)
    return swarm


def is_connected(swarm: Swarm) -> bool:
    reached, edge = set[NodeId](), [next(iter(swarm.topics))]
    while edge:
        each = edge.pop()
        if each not in reached:
            reached.add(each)
            edge += swarm.topics[each].neighbours
    return reached == set(swarm.topics)


@pytest.mark.parametrize(("count", "seed"), [(30, 1), (30, 2), (200, 3)])
def test_everybody_is_told_once_over_a_tree(count: int, seed: int) -> None:
    swarm = grown(count, seed)
    assert is_connected(swarm)
    for topic in swarm.topics.values():
        assert len(topic.neighbours) <= ACTIVE_MAX
        assert len(topic.members.passive) <= PASSIVE_MAX
    for number in range(20):
        swarm.say(0, b"warm up %d" % number)
        swarm.run(500)
    said = [swarm.say(0, b"news %d" % number) for number in range(10)]
    swarm.run(5_000)
    assert {swarm.delivered[me, name] for me in swarm.topics for name in said} == {1}
    redundancy = sum(swarm.payloads[name] for name in said) / (len(said) * (count - 1)) - 1
    assert redundancy < 0.1, "telling everybody by all neighbours would be about 4"
    assert max(swarm.hops[name] for name in said) <= 12


def test_neighbourhood_is_mutual() -> None:
    swarm = grown(100, 4)
    for me, topic in swarm.topics.items():
        for neighbour in topic.neighbours:
            assert me in swarm.topics[neighbour].neighbours


@pytest.mark.parametrize("seed", range(3))
def test_a_fifth_of_the_nodes_may_vanish(seed: int) -> None:
    swarm = grown(100, 10 + seed)
    swarm.kill(swarm.dice.sample(sorted(swarm.topics)[1:], 20))
    swarm.run(SETTLE_MS)
    assert is_connected(swarm)
    name = swarm.say(0, b"still here")
    swarm.run(5_000)
    assert {swarm.delivered[me, name] for me in swarm.topics} == {1}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_lost_is_asked_for(seed: int) -> None:
    swarm = grown(60, 20 + seed, loss=0.05)
    said = [swarm.say(number, b"news %d" % number) for number in range(20)]
    swarm.run(10_000)
    told = sum(swarm.delivered[me, name] == 1 for me in swarm.topics for name in said)
    assert told / (len(said) * len(swarm.topics)) > 0.99
    assert all(count <= 1 for count in swarm.delivered.values())


def test_one_seed_gives_one_run() -> None:
    first, second = grown(40, 30), grown(40, 30)
    assert {me: topic.neighbours for me, topic in first.topics.items()} == {
        me: topic.neighbours for me, topic in second.topics.items()
    }
