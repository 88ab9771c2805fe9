"""Plumtree: what is new goes along a tree of eager neighbours, and by its name to the others.

Nothing is passed on before the application has accepted it: a node vouches for what it forwards by
having checked it. Only what was accepted counts as seen.

Source: Leitão, Pereira, Rodrigues, "Epidemic broadcast trees" (SRDS 2007), as iroh-gossip has it.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

import attrs

from wattswarm.kernel.hashing import HASH_BYTES
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.gossip.actions import Action, Offend, Offer, Send
from wattswarm.transport.proto.gossip.frames import CONTENT_BYTES_MAX, MESSAGE_BYTES_MAX
from wattswarm.transport.proto.gossip.messages import Gossip, Graft, IHave, Prune, content_id

GRAFT_MS: Final = 80
"""From the first word of something until it is asked for, if it did not come by itself."""

GRAFT_AGAIN_MS: Final = 40
LAZY_MS: Final = 5
"""Names are gathered for so long."""

OPTIMIZE_ROUNDS: Final = 7
"""A way that is shorter by so many hops takes the place of the one in the tree."""

ROUNDS_MAX: Final = 0x3FFF
"""Hops are counted so far: two bytes, for which the longest content leaves room."""

CACHED_MS: Final = 30_000
SEEN_MS: Final = 90_000
CACHED_BYTES_MAX: Final = 8_388_608
SEEN_MAX: Final = 65_536
OFFERED_MAX: Final = 1_024
"""Messages that wait to be accepted."""

OFFERED_BY_ONE_MAX: Final = 128
"""Of these, from one peer: it cannot push out what others said."""

MISSING_MAX: Final = 4_096
TELLERS_MAX: Final = 8
"""Of something missing, so many who have it are remembered."""

NAMES_A_SECOND: Final = 2_048
"""A neighbour that names more is a flood."""

SECOND_MS: Final = 1_000
NAMES_MAX: Final = (MESSAGE_BYTES_MAX - HASH_BYTES - 1 - 3) // (HASH_BYTES + 3)
"""Names in one message."""


@attrs.define
class Missing:
    """Something that others have: who said so, after how many hops, and when to ask the next."""

    ask_at: int
    tellers: deque[tuple[NodeId, int]] = attrs.field(factory=deque[tuple[NodeId, int]])


@attrs.define
class Names:
    """How many names a neighbour said in the second that began at `since`."""

    since: int = 0
    count: int = 0


@attrs.define
class Broadcast:
    """What has been said in one topic, and who is told how."""

    eager: dict[NodeId, None] = attrs.field(factory=dict[NodeId, None])
    lazy: dict[NodeId, None] = attrs.field(factory=dict[NodeId, None])
    _seen: OrderedDict[Digest, int] = attrs.field(factory=OrderedDict[Digest, int])
    _cached: OrderedDict[Digest, tuple[int, Gossip]] = attrs.field(
        factory=OrderedDict[Digest, tuple[int, Gossip]]
    )
    _cached_bytes: int = 0
    _offered: OrderedDict[Digest, tuple[NodeId, Gossip]] = attrs.field(
        factory=OrderedDict[Digest, tuple[NodeId, Gossip]]
    )
    _missing: OrderedDict[Digest, Missing] = attrs.field(factory=OrderedDict[Digest, Missing])
    _to_name: dict[NodeId, list[tuple[Digest, int]]] = attrs.field(
        factory=dict[NodeId, list[tuple[Digest, int]]]
    )
    _name_at: int | None = None
    _named: dict[NodeId, Names] = attrs.field(factory=dict[NodeId, Names])
    _actions: list[Action] = attrs.field(factory=list[Action])

    def actions(self) -> Sequence[Action]:
        """Return what is to be done since this was last asked."""
        done, self._actions = self._actions, []
        return done

    @property
    def next_at(self) -> int | None:
        """When `tick` has something to do, in ms; None: never, as it stands."""
        dates = [each.ask_at for each in self._missing.values()]
        dates += [at for at in (self._name_at, self._oldest_end()) if at is not None]
        return min(dates, default=None)

    # --- what this node does of itself ----------------------------------------------------------

    def neighbor_up(self, peer: NodeId) -> None:
        """Tell a new neighbour everything itself."""
        self.lazy.pop(peer, None)
        self.eager[peer] = None

    def neighbor_down(self, peer: NodeId) -> None:
        """Forget what a neighbour has."""
        for known in (self.eager, self.lazy, self._to_name, self._named):
            known.pop(peer, None)
        for missing in self._missing.values():
            missing.tellers = deque(each for each in missing.tellers if each[0] != peer)

    def say(self, content: bytes, now_ms: int) -> Digest:
        """Say something to the whole topic; return its id."""
        name = content_id(content)
        if name not in self._seen:
            self._take(Gossip(name, content, 0), None, now_ms)
        return name

    def say_to_neighbours(self, content: bytes) -> None:
        """Say something to the eager neighbours only; it is forgotten at once."""
        message = Gossip(content_id(content), content, None)
        self._actions += [Send(peer, message) for peer in self.eager]

    def accept(self, name: Digest, now_ms: int) -> None:
        """Pass on what was offered: it was found to be good."""
        offered = self._offered.pop(name, None)
        if offered is not None and name not in self._seen:
            peer, message = offered
            assert message.round is not None
            onward = attrs.evolve(message, round=min(message.round + 1, ROUNDS_MAX))
            self._take(onward, peer, now_ms)

    def refuse(self, name: Digest) -> None:
        """Drop what was offered, and remember nothing of it."""
        self._offered.pop(name, None)

    def tick(self, now_ms: int) -> None:
        """Ask for what is missing, say what was gathered, and forget what is old."""
        for name in [name for name, each in self._missing.items() if each.ask_at <= now_ms]:
            self._ask(name, now_ms)
        if self._name_at is not None and self._name_at <= now_ms:
            self._say_names()
        self._forget_old(now_ms)

    # --- what neighbours say --------------------------------------------------------------------

    def hear(self, peer: NodeId, message: Gossip | Prune | Graft | IHave, now_ms: int) -> None:
        """Take in what a neighbour says."""
        match message:
            case Gossip():
                self._on_gossip(peer, message)
            case Prune():
                if self.eager.pop(peer, peer) is None:
                    self.lazy[peer] = None
            case Graft():
                self._on_graft(peer, message)
            case IHave():
                self._on_ihave(peer, message, now_ms)

    def _on_gossip(self, peer: NodeId, message: Gossip) -> None:
        """Offer what is new to the application; what is not new should come by name only."""
        is_named = content_id(message.content) == message.id
        if not is_named or len(message.content) > CONTENT_BYTES_MAX:
            self._actions.append(Offend(peer, is_flood=False))
            return
        if message.round is None:
            self._offer(peer, message)
            return
        if message.id in self._seen or message.id in self._offered:
            self._make_lazy(peer)
            return
        if not self._has_room(peer):
            self._actions.append(Offend(peer, is_flood=True))
            return
        self._offered[message.id] = peer, message
        self._optimize(peer, message, message.round)
        self._missing.pop(message.id, None)
        self._offer(peer, message)

    def _on_graft(self, peer: NodeId, message: Graft) -> None:
        """Tell a neighbour everything again, and now what it asks for."""
        self._make_eager(peer)
        if message.id is not None and message.id in self._cached:
            self._actions.append(Send(peer, self._cached[message.id][1]))

    def _on_ihave(self, peer: NodeId, message: IHave, now_ms: int) -> None:
        """Remember which neighbours have what is missing here."""
        if peer not in self.eager and peer not in self.lazy:
            return
        if self._is_flood(peer, len(message.ids), now_ms):
            self._actions.append(Offend(peer, is_flood=True))
            return
        for name, hops in message.ids:
            if name in self._seen or name in self._offered:
                continue
            missing = self._missing.get(name)
            if missing is None:
                if len(self._missing) >= MISSING_MAX:
                    self._missing.popitem(last=False)
                missing = self._missing[name] = Missing(now_ms + GRAFT_MS)
            is_told = any(teller == peer for teller, _ in missing.tellers)
            if not is_told and len(missing.tellers) < TELLERS_MAX:
                missing.tellers.append((peer, hops))

    def _has_room(self, peer: NodeId) -> bool:
        """Tell whether more may be offered by a peer: what others offer stays in any case."""
        by_peer = sum(source == peer for source, _ in self._offered.values())
        return by_peer < OFFERED_BY_ONE_MAX and len(self._offered) < OFFERED_MAX

    # --- steps ----------------------------------------------------------------------------------

    def _offer(self, peer: NodeId, message: Gossip) -> None:
        self._actions.append(Offer(message.id, message.content, peer, message.round))

    def _take(self, message: Gossip, source: NodeId | None, now_ms: int) -> None:
        """Count something as seen, and tell everybody but where it came from."""
        assert message.round is not None
        self._seen[message.id] = now_ms + SEEN_MS
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        self._keep(message, now_ms)
        self._missing.pop(message.id, None)
        self._actions += [Send(peer, message) for peer in self.eager if peer != source]
        for peer in self.lazy:
            if peer != source:
                self._to_name.setdefault(peer, []).append((message.id, message.round))
        if self._to_name and self._name_at is None:
            self._name_at = now_ms + LAZY_MS

    def _keep(self, message: Gossip, now_ms: int) -> None:
        self._cached[message.id] = now_ms + CACHED_MS, message
        self._cached_bytes += len(message.content)
        while self._cached_bytes > CACHED_BYTES_MAX:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, (_, message) = self._cached.popitem(last=False)
        self._cached_bytes -= len(message.content)

    def _say_names(self) -> None:
        for peer, names in self._to_name.items():
            for at in range(0, len(names), NAMES_MAX):
                self._actions.append(Send(peer, IHave(tuple(names[at : at + NAMES_MAX]))))
        self._to_name, self._name_at = {}, None

    def _ask(self, name: Digest, now_ms: int) -> None:
        """Ask the next who has something, and make it part of the tree."""
        missing = self._missing[name]
        if not missing.tellers:
            del self._missing[name]
            return
        peer, hops = missing.tellers.popleft()
        missing.ask_at = now_ms + GRAFT_AGAIN_MS
        self._make_eager(peer)
        self._actions.append(Send(peer, Graft(name, hops)))

    def _optimize(self, peer: NodeId, message: Gossip, hops: int) -> None:
        """Have a way that is much shorter take the place of the one that this came by."""
        missing = self._missing.get(message.id)
        if missing is None or not missing.tellers:
            return
        best, best_hops = min(missing.tellers, key=lambda each: each[1])
        if best != peer and hops - best_hops >= OPTIMIZE_ROUNDS:
            self._make_eager(best)
            self._actions.append(Send(best, Graft(None, best_hops)))
            self._make_lazy(peer)

    def _make_eager(self, peer: NodeId) -> None:
        if self.lazy.pop(peer, peer) is None:
            self.eager[peer] = None

    def _make_lazy(self, peer: NodeId) -> None:
        if self.eager.pop(peer, peer) is None:
            self.lazy[peer] = None
        self._actions.append(Send(peer, Prune()))

    def _is_flood(self, peer: NodeId, count: int, now_ms: int) -> bool:
        named = self._named.setdefault(peer, Names())
        if now_ms - named.since >= SECOND_MS:
            named.since, named.count = now_ms, 0
        named.count += count
        return named.count > NAMES_A_SECOND

    def _oldest_end(self) -> int | None:
        ends = [next(iter(self._seen.values()))] if self._seen else []
        ends += [next(iter(self._cached.values()))[0]] if self._cached else []
        return min(ends, default=None)

    def _forget_old(self, now_ms: int) -> None:
        while self._seen and next(iter(self._seen.values())) <= now_ms:
            self._seen.popitem(last=False)
        while self._cached and next(iter(self._cached.values()))[0] <= now_ms:
            self._drop_oldest()
