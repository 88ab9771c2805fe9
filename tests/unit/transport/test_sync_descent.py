"""The descent: single steps, and answers that contradict what was asked."""

import random

import attrs
import pytest

from tests.support.lane_set import ACCEPTOR, DIALER, END_MS, LANE, NOW_MS, LaneSet, random_key
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.radix_trie import LEAF_KEYS_MAX
from wattswarm.transport.proto.sync.descent import KEYS_MAX, Session, respond
from wattswarm.transport.proto.sync.lane import root_of
from wattswarm.transport.proto.sync.session_key import SessionKey, session_key
from wattswarm.transport.proto.sync.step import TURNS_MAX, Cut, Item, Shorts, Step
from wattswarm.transport.proto.sync.trie_view import View

KEY = session_key(DIALER, ACCEPTOR, 1)
RNG = random.Random(1)
FEW = [random_key(RNG, NOW_MS + at) for at in range(10)]
MANY = [random_key(RNG, NOW_MS + at) for at in range(LEAF_KEYS_MAX * 20)]
ASKED = Step(session=1, turn=0, lane=LANE, cut=END_MS)


def view_of(keys: list[bytes]) -> View:
    return View(LaneSet.of(keys), END_MS)


def ids(keys: list[bytes]) -> set[EventId]:
    return {EventId(key[6:]) for key in keys}


def session() -> Session:
    return Session(1, LANE, END_MS, KEY)


def test_a_small_lane_is_listed_and_a_large_one_divided() -> None:
    listed = session().open(view_of(FEW))
    assert [len(group.shorts) for group in listed.lists] == [len(FEW)]
    assert not listed.cuts
    divided = session().open(view_of(MANY))
    assert not divided.lists
    (cut,) = divided.cuts
    assert sum(item.count for item in cut.items) == len(MANY)
    assert len(cut.items) >= 32


def test_a_list_is_answered_with_what_is_wanted_and_what_is_not_on_it() -> None:
    asked = session().open(view_of(FEW[:6]))
    answer = respond(asked, view_of(FEW[3:]), KEY)
    assert set(answer.pushed) == ids(FEW[6:])
    assert answer.picked == 3
    answer = respond(attrs.evolve(answer.step, turn=2), view_of(FEW[:6]), KEY)
    assert set(answer.pushed) == ids(FEW[:3])
    assert answer.step.is_empty


def test_keys_between_the_nodes_of_a_cut_are_pushed_without_a_question() -> None:
    view = view_of(MANY)
    nodes = view.divide("", 32)
    items = tuple(Item(at, there.count, KEY.tag(there)) for at, there in nodes[1:])
    answer = respond(attrs.evolve(ASKED, cuts=(Cut("", items),)), view, KEY)
    assert answer.step.is_empty
    assert set(answer.pushed) == ids([key for key in MANY if key.hex().startswith(nodes[0][0])])


def test_a_lane_of_nobody_is_pushed_as_far_as_one_step_goes() -> None:
    whole = [random_key(RNG, NOW_MS + at) for at in range(KEYS_MAX + 500)]
    answer = respond(attrs.evolve(ASKED, lists=(Shorts("", ()),)), view_of(whole), KEY)
    assert set(answer.pushed) == ids(whole[:KEYS_MAX])


def test_nothing_is_picked_from_a_range_that_was_not_searched_to_its_end() -> None:
    whole = [random_key(RNG, NOW_MS + at) for at in range(KEYS_MAX + 1)]
    asked = attrs.evolve(ASKED, lists=(Shorts("", (KEY.short(whole[-1]),)),))
    assert respond(asked, view_of(whole), KEY).picked == 0


def test_a_node_with_our_tag_and_another_count_is_an_offence() -> None:
    view = view_of(MANY)
    item = Item("", len(MANY) + 1, KEY.tag(view.root))
    with pytest.raises(Malformed, match="by its tag") as caught:
        respond(attrs.evolve(ASKED, cuts=(Cut("", (item,)),)), view, KEY)
    assert caught.value.code == "inconsistent"


def test_only_who_began_takes_even_turns() -> None:
    with pytest.raises(Malformed, match="not the beginner's"):
        respond(attrs.evolve(ASKED, turn=1), view_of(FEW), KEY)


@pytest.mark.parametrize(
    "wrong", [{"session": 2}, {"turn": 3}, {"lane": b"another!"}, {"cut": END_MS - 1}]
)
def test_an_answer_is_to_the_step_that_was_sent(wrong: dict[str, object]) -> None:
    begun = session()
    begun.open(view_of(FEW))
    with pytest.raises(Malformed, match="no answer to the step"):
        begun.take(attrs.evolve(ASKED, **{"turn": 1, **wrong}), view_of(FEW))


def test_the_last_answer_is_answered_by_nobody() -> None:
    begun = session()
    begun.open(view_of(MANY))
    for turn in range(1, TURNS_MAX, 2):
        unlike = Step(
            session=1, turn=turn, lane=LANE, cut=END_MS, cuts=(Cut("", (Item("0", 9, b"x" * 8),)),)
        )
        answer = begun.take(unlike, view_of(MANY))
    assert answer.step.is_empty


def test_a_session_tells_whether_it_found_anything_and_ends_with_the_root() -> None:
    begun = session()
    step = begun.open(view_of(FEW))
    answer = respond(step, view_of(FEW[:5]), KEY)
    assert not begun.has_found
    begun.take(answer.step, view_of(FEW))
    assert begun.has_found
    end = begun.end(view_of(FEW))
    assert (end.session, end.lane, end.cut) == (1, LANE, END_MS)
    assert (end.events, end.root) == (len(FEW), root_of(view_of(FEW).root))


def test_each_session_has_tags_of_its_own() -> None:
    root = view_of(FEW).root
    keys: list[SessionKey] = [
        session_key(DIALER, ACCEPTOR, 1),
        session_key(DIALER, ACCEPTOR, 2),
        session_key(ACCEPTOR, DIALER, 1),
    ]
    assert len({key.tag(root) for key in keys}) == len(keys)
    assert len({key.short(FEW[0]) for key in keys}) == len(keys)
