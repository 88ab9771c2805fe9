"""A step of a descent: all that one side says in its turn, in one frame.

It names nodes of the trie by their prefixes, each told as what it shares with the one before. The
nodes of a section ascend and are disjoint: that is what bounds the work that a step can ask for.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import ClassVar, Final, TypeVar

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import (
    CREATED_AT_MAX,
    SYNC_NODES_MAX,
    SYNC_SHORTS_MAX,
)
from wattswarm.kernel.radix_trie import LEAF_KEYS_MAX, Prefix
from wattswarm.kernel.time_trie import KEY_NIBBLES
from wattswarm.transport.proto.sync.lane import LANE_BYTES, LaneId
from wattswarm.transport.proto.sync.packing import Unpacker, packed
from wattswarm.transport.proto.sync.session_key import SESSION_BYTES, TAG_BYTES

TURNS_MAX: Final = 8
CUT_ITEMS_MAX: Final = 64
"""Nodes that one is divided into: some more than are asked for, since they come by sixteen."""

NODE_BYTES_MIN: Final = 3
ITEM_BYTES_MIN: Final = 2 + 1 + 1 + TAG_BYTES


@attrs.frozen
class Item:
    """A node that the sender has: how many keys are below it, and its tag."""

    prefix: Prefix
    count: int
    tag: bytes


@attrs.frozen
class Cut:
    """All that the sender has below `parent`: nothing but what these nodes hold."""

    parent: Prefix
    items: tuple[Item, ...]


@attrs.frozen
class Shorts:
    """Short ids below a node, ascending: all that the sender has there, or those that it wants."""

    prefix: Prefix
    shorts: tuple[bytes, ...]


@attrs.frozen(kw_only=True)
class Step:
    """One turn of a session: the sender's nodes, its ids in small ones, and the ids it wants."""

    TYPE: ClassVar[int] = 0x07

    session: int
    turn: int
    lane: LaneId
    cut: int
    cuts: tuple[Cut, ...] = ()
    lists: tuple[Shorts, ...] = ()
    picks: tuple[Shorts, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the sender has nothing more to say."""
        return not (self.cuts or self.lists or self.picks)

    def encode(self) -> bytes:
        """Return the body."""
        return b"".join(
            (
                self.session.to_bytes(SESSION_BYTES, "big"),
                bytes((self.turn,)),
                self.lane,
                packed(self.cut),
                _pack_cuts(self.cuts),
                _pack_shorts(self.lists),
                _pack_shorts(self.picks),
            )
        )

    @classmethod
    def decode(cls, body: Unpacker) -> "Step":
        """Return the step of a body; see `messages.decode`."""
        session = int.from_bytes(body.take(SESSION_BYTES), "big")
        turn = body.byte()
        if turn >= TURNS_MAX:
            raise Malformed(code="bad_value", message=f"turn {turn}, the last is {TURNS_MAX - 1}")
        lane = LaneId(body.take(LANE_BYTES))
        cut = body.integer(CREATED_AT_MAX)
        sections = _Sections(body)
        return cls(
            session=session,
            turn=turn,
            lane=lane,
            cut=cut,
            cuts=sections.cuts(),
            lists=sections.shorts(),
            picks=sections.shorts(),
        )


def _pack_prefix(prefix: Prefix, before: Prefix) -> bytes:
    """Return a prefix as the number of nibbles shared with `before`, that of new ones, and them."""
    shared = 0
    for left, right in zip(prefix, before, strict=False):
        if left != right:
            break
        shared += 1
    new = prefix[shared:]
    return bytes((shared, len(new))) + bytes.fromhex(new + "0" * (len(new) % 2))


def _pack_cuts(cuts: Sequence[Cut]) -> bytes:
    made = [packed(len(cuts))]
    before = ""
    for cut in cuts:
        made += (_pack_prefix(cut.parent, before), packed(len(cut.items)))
        before = cut.parent
        for item in cut.items:
            made += (_pack_prefix(item.prefix, before), packed(item.count), item.tag)
            before = item.prefix
    return b"".join(made)


def _pack_shorts(groups: Sequence[Shorts]) -> bytes:
    made = [packed(len(groups))]
    before = ""
    for group in groups:
        made += (_pack_prefix(group.prefix, before), packed(len(group.shorts)), *group.shorts)
        before = group.prefix
    return b"".join(made)


Part = TypeVar("Part")


@attrs.define
class _Sections:
    """The three sections of a step, with what all of them together may still hold."""

    body: Unpacker
    nodes_left: int = SYNC_NODES_MAX
    shorts_left: int = SYNC_SHORTS_MAX
    _before: Prefix = ""

    def cuts(self) -> tuple[Cut, ...]:
        found = self._section(self._cut)
        _check_order([cut.parent for cut in found])
        return found

    def shorts(self) -> tuple[Shorts, ...]:
        found = self._section(self._shorts)
        _check_order([group.prefix for group in found])
        return found

    def _section(self, read: Callable[[], Part]) -> tuple[Part, ...]:
        self._before = ""
        return tuple(read() for _ in range(self._nodes(NODE_BYTES_MIN, SYNC_NODES_MAX)))

    def _nodes(self, node_bytes: int, most: int) -> int:
        count = self.body.count(min(most, self.nodes_left), node_bytes)
        self.nodes_left -= count
        return count

    def _cut(self) -> Cut:
        parent = self._prefix()
        items = tuple(self._item() for _ in range(self._nodes(ITEM_BYTES_MIN, CUT_ITEMS_MAX)))
        _check_order([item.prefix for item in items])
        if not all(item.prefix.startswith(parent) for item in items):
            raise _contradiction("a node that is not below the one that it is said to be part of")
        return Cut(parent, items)

    def _item(self) -> Item:
        prefix = self._prefix()
        count = self.body.integer()
        if not count or (len(prefix) == KEY_NIBBLES and count > 1):
            raise _contradiction(f"a node of depth {len(prefix)} with {count} keys")
        return Item(prefix, count, self.body.take(TAG_BYTES))

    def _shorts(self) -> Shorts:
        prefix = self._prefix()
        count = self.body.count(min(LEAF_KEYS_MAX, self.shorts_left), TAG_BYTES)
        self.shorts_left -= count
        shorts = tuple(self.body.take(TAG_BYTES) for _ in range(count))
        if any(left >= right for left, right in pairwise(shorts)):
            raise _contradiction("short ids that do not ascend")
        return Shorts(prefix, shorts)

    def _prefix(self) -> Prefix:
        shared, new = self.body.byte(), self.body.byte()
        if shared > len(self._before) or shared + new > KEY_NIBBLES:
            raise _contradiction(f"{shared} and {new} nibbles after {len(self._before)}")
        digits = self.body.take((new + 1) // 2).hex()
        if digits[new:].strip("0"):
            raise _contradiction("half a byte beyond a prefix that is not zero")
        self._before = self._before[:shared] + digits[:new]
        return self._before


def _check_order(prefixes: Sequence[Prefix]) -> None:
    for left, right in pairwise(prefixes):
        if left >= right or right.startswith(left):
            raise _contradiction("nodes that do not ascend, or overlap")


def _contradiction(message: str) -> Malformed:
    return Malformed(code="inconsistent", message=message)
