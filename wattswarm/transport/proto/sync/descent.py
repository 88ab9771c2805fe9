"""The descent: two nodes find out which keys of a lane only one of them has.

Each turn is one step, answered by one step. Whoever gets nodes compares them with its own: of those
that differ, it divides the large ones and lists the small ones. Whoever gets a list picks what it
lacks, and pushes what the other side lacks; so does who gets nodes, with the keys that are in none
of them. Only the one who began remembers that there is a session.

What does not fit into an answer is left out; who began keeps it for its next turn. Being silent
about a node that differs is safe: roots will differ again, and then there is less in the way.

Source: A. Auvolat and F. Taïani, "Merkle Search Trees", SRDS 2019, for descending in trees that are
functions of sets; docs/decisions/0023 for the rest.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar, assert_never

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import SYNC_FRAME_BYTES_MAX, SYNC_NODES_MAX, SYNC_SHORTS_MAX
from wattswarm.kernel.radix_trie import Prefix
from wattswarm.kernel.time_trie import DATE_BYTES, KEY_NIBBLES
from wattswarm.transport.proto.sync.lane import LaneId, root_of
from wattswarm.transport.proto.sync.messages import Fin
from wattswarm.transport.proto.sync.session_key import TAG_BYTES, SessionKey
from wattswarm.transport.proto.sync.step import TURNS_MAX, Cut, Item, Shorts, Step
from wattswarm.transport.proto.sync.trie_view import View

FIRST_NODES: Final = 32
NEXT_NODES: Final = 16
KEYS_MAX: Final = 4_096
"""Keys that one node is searched for, and that one step pushes."""

STEP_HEAD_BYTES: Final = 64
NODE_BYTES_MAX: Final = 2 + KEY_NIBBLES // 2 + 8 + TAG_BYTES


Part = TypeVar("Part")


@attrs.frozen
class Answer:
    """What a step leads to.

    `pushed`: ids that the other side lacks, oldest first in each part of the trie; to be sent in
    batches. `picked`: how many events the other side was asked for.
    """

    step: Step
    pushed: tuple[EventId, ...]

    @property
    def picked(self) -> int:
        """How many events the step asks the other side for."""
        return sum(len(group.shorts) for group in self.step.picks)


def respond(step: Step, view: View, key: SessionKey) -> Answer:
    """Return the answer to a step of somebody else's session; nothing is kept.

    Args:
        view: The lane below the cut of the step.

    Raises:
        Malformed: `inconsistent`: it is not the other side's turn, or it contradicts itself.
    """
    if step.turn % 2:
        raise Malformed(code="inconsistent", message=f"turn {step.turn} is not the beginner's")
    return _Reply(step, view, key).answer()


def last_word(session: int, lane: LaneId, view: View) -> Fin:
    """Return the end of a session: the lane below the cut as it is by now, on either side."""
    return Fin(
        session=session,
        lane=lane,
        cut=view.cut,
        events=view.root.count,
        root=root_of(view.root),
    )


Matter: TypeAlias = Shorts | Item
"""What is to be compared: a list, or a node by its tag."""


@attrs.define
class Session:
    """One session, on the side that began it: a question at a time, and a last turn."""

    number: int
    lane: LaneId
    cut: int
    key: SessionKey
    pushed: int = attrs.field(init=False, default=0)
    picked: int = attrs.field(init=False, default=0)
    _turn: int = attrs.field(init=False, default=0)
    _left: tuple[Matter, ...] = attrs.field(init=False, default=())

    def open(self, view: View) -> Step:
        """Return the first step."""
        opening = _Writer(self.key)
        opening.describe("", view, FIRST_NODES)
        return opening.step(session=self.number, turn=0, lane=self.lane, cut=self.cut)

    def take(self, step: Step, view: View) -> Answer:
        """Return what an answer leads to. Its step is empty when nothing is left to be said.

        Raises:
            Malformed: `inconsistent`: it is no answer to the last step, or contradicts itself.
        """
        expected = (self.number, self._turn + 1, self.lane, self.cut)
        if (step.session, step.turn, step.lane, step.cut) != expected:
            raise Malformed(code="inconsistent", message="no answer to the step that was sent")
        reply = _Reply(step, view, self.key, deque(self._left))
        answer = reply.answer()
        self._left = tuple(reply.matters)
        self.pushed += len(answer.pushed)
        self.picked += answer.picked
        self._turn += 2
        return answer

    def end(self, view: View) -> Fin:
        """Return the last word, once all that was found has been taken in."""
        return last_word(self.number, self.lane, view)

    @property
    def has_found(self) -> bool:
        """Whether either side lacked anything, by what was said.

        A peer can list what it does not have: whoever runs the session counts it as worth its while
        when what was picked has arrived.
        """
        return bool(self.pushed or self.picked)


@attrs.define
class _Writer:
    """Fills a step, as far as one step goes."""

    key: SessionKey
    _cuts: dict[Prefix, Cut] = attrs.field(init=False, factory=dict[Prefix, Cut])
    _lists: dict[Prefix, Shorts] = attrs.field(init=False, factory=dict[Prefix, Shorts])
    _picks: dict[Prefix, Shorts] = attrs.field(init=False, factory=dict[Prefix, Shorts])
    _nodes_left: int = attrs.field(init=False, default=SYNC_NODES_MAX)
    _shorts_left: int = attrs.field(init=False, default=SYNC_SHORTS_MAX)
    _bytes_left: int = attrs.field(init=False, default=SYNC_FRAME_BYTES_MAX - STEP_HEAD_BYTES)

    def describe(self, prefix: Prefix, view: View, want: int) -> bool:
        """Tell what there is below a prefix, and return whether there was room for it."""
        if view.summary(prefix).is_leaf:
            return self._list(prefix, view)
        nodes = view.divide(prefix, want)
        items = tuple(Item(at, there.count, self.key.tag(there)) for at, there in nodes)
        if not self._has_room(prefix, items):
            return False
        self._cuts[prefix] = Cut(prefix, items)
        return True

    def pick(self, prefix: Prefix, shorts: Sequence[bytes]) -> bool:
        """Ask for events below a prefix, and return whether there was room for it."""
        return self._add(self._picks, Shorts(prefix, tuple(shorts)))

    def step(self, *, session: int, turn: int, lane: LaneId, cut: int) -> Step:
        """Return the step, such as it is now."""
        return Step(
            session=session,
            turn=turn,
            lane=lane,
            cut=cut,
            cuts=_in_order(self._cuts),
            lists=_in_order(self._lists),
            picks=_in_order(self._picks),
        )

    def _list(self, prefix: Prefix, view: View) -> bool:
        keys = view.keys(prefix, KEYS_MAX)
        return self._add(
            self._lists, Shorts(prefix, tuple(sorted({self.key.short(key) for key in keys})))
        )

    def _add(self, groups: dict[Prefix, Shorts], group: Shorts) -> bool:
        if not self._has_room(group.prefix, (), len(group.shorts)):
            return False
        groups[group.prefix] = group
        return True

    def _has_room(self, prefix: Prefix, items: Sequence[Item], shorts: int = 0) -> bool:
        """Tell whether a node fits in with what belongs to it, and if so count it."""
        nodes = 1 + len(items)
        size = _size(prefix) + sum(_size(item.prefix) for item in items) + TAG_BYTES * shorts
        if nodes > self._nodes_left or shorts > self._shorts_left or size > self._bytes_left:
            return False
        self._nodes_left -= nodes
        self._shorts_left -= shorts
        self._bytes_left -= size
        return True


def _in_order(parts: Mapping[Prefix, Part]) -> tuple[Part, ...]:
    return tuple(parts[prefix] for prefix in sorted(parts))


def _size(prefix: Prefix) -> int:
    """Return what a node takes at most: its prefix, a number, and a tag."""
    return NODE_BYTES_MAX - (KEY_NIBBLES - len(prefix)) // 2


@attrs.define
class _Reply:
    """Answers one step: first what ends the matter, then what goes deeper."""

    given: Step
    view: View
    key: SessionKey
    matters: deque[Matter] = attrs.field(factory=deque[Matter])
    _out: _Writer = attrs.field(init=False)
    _pushed: list[bytes] = attrs.field(init=False, factory=list[bytes])

    def __attrs_post_init__(self) -> None:
        self._out = _Writer(self.key)
        # What is new is deeper, and nearer to its end, than what was left over.
        items = [item for cut in self.given.cuts for item in cut.items]
        self.matters.extendleft(reversed([*self.given.lists, *items]))

    def answer(self) -> Answer:
        """Return the answer, as far as one goes; `matters` are what it does not deal with."""
        for settle in self._settled():
            settle()
            if not self._has_room():
                break
        while self.matters and self._has_room() and self._take_up(self.matters[0]):
            self.matters.popleft()
        given = self.given
        step = self._out.step(
            session=given.session, turn=given.turn + 1, lane=given.lane, cut=given.cut
        )
        pushed = dict.fromkeys(EventId(key[DATE_BYTES:]) for key in self._pushed[:KEYS_MAX])
        return Answer(step if step.turn < TURNS_MAX else _nothing(step), tuple(pushed))

    def _has_room(self) -> bool:
        return not self.view.is_spent and len(self._pushed) < KEYS_MAX

    def _settled(self) -> Iterator[Callable[[], None]]:
        """Yield what is to be done without a word of ours: pushing what is wanted, and what the
        other side has nothing in the place of.
        """
        yield from (partial(self._serve, group) for group in self.given.picks)
        yield from (partial(self._push_outside, cut) for cut in self.given.cuts)

    def _serve(self, group: Shorts) -> None:
        wanted = set(group.shorts)
        keys = self.view.keys(group.prefix, KEYS_MAX)
        self._pushed += (key for key in keys if self.key.short(key) in wanted)

    def _push_outside(self, cut: Cut) -> None:
        prefixes = [item.prefix for item in cut.items]
        ours = sum(self.view.summary(prefix).count for prefix in prefixes)
        if ours != self.view.summary(cut.parent).count:
            self._pushed += self.view.outside(cut.parent, prefixes, KEYS_MAX)

    def _take_up(self, matter: Matter) -> bool:
        """Compare something, and return whether there was room for what is to be said of it."""
        match matter:
            case Shorts():
                return self._compare_list(matter)
            case Item():
                return self._compare(matter)
            case _:  # exhaustive
                assert_never(matter)

    def _compare_list(self, theirs: Shorts) -> bool:
        has_all = self.view.summary(theirs.prefix).count <= KEYS_MAX
        ours = {self.key.short(key): key for key in self.view.keys(theirs.prefix, KEYS_MAX)}
        lacking = [short for short in theirs.shorts if short not in ours]
        if lacking and has_all and not self._out.pick(theirs.prefix, lacking):
            return False
        known = set(theirs.shorts)
        self._pushed += (key for short, key in ours.items() if short not in known)
        return True

    def _compare(self, theirs: Item) -> bool:
        ours = self.view.summary(theirs.prefix)
        if self.key.tag(ours) != theirs.tag:
            return self._out.describe(theirs.prefix, self.view, NEXT_NODES)
        if ours.count != theirs.count:
            message = f"{theirs.count} keys below a node that has {ours.count} by its tag"
            raise Malformed(code="inconsistent", message=message)
        return True


def _nothing(step: Step) -> Step:
    return attrs.evolve(step, cuts=(), lists=(), picks=())
