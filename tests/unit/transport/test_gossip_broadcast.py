"""Plumtree step by step, and what no neighbour can do to it."""

import pytest

from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.transport.proto.gossip.actions import Action, Offend, Offer, Send
from wattswarm.transport.proto.gossip.broadcast import (
    CACHED_MS,
    GRAFT_AGAIN_MS,
    GRAFT_MS,
    LAZY_MS,
    MISSING_MAX,
    NAMES_A_SECOND,
    OFFERED_BY_ONE_MAX,
    OPTIMIZE_ROUNDS,
    SEEN_MS,
    Broadcast,
)
from wattswarm.transport.proto.gossip.frames import CONTENT_BYTES_MAX, frame
from wattswarm.transport.proto.gossip.messages import (
    Gossip,
    Graft,
    IHave,
    Message,
    Prune,
    content_id,
    encode,
)

A, B, C = (NodeId(bytes([number]) * 32) for number in (1, 2, 3))


def among(*eager: NodeId, lazy: NodeId | None = None) -> Broadcast:
    """Return a topic with these neighbours."""
    made = Broadcast()
    for peer in (*eager, *(() if lazy is None else (lazy,))):
        made.neighbor_up(peer)
    if lazy is not None:
        heard(made, lazy, Prune())
    return made


def said(number: int, hops: int | None = 0) -> Gossip:
    content = b"news %d" % number
    return Gossip(content_id(content), content, hops)


def heard(broadcast: Broadcast, peer: NodeId, message: Message, now_ms: int = 0) -> list[Action]:
    assert isinstance(message, Gossip | Prune | Graft | IHave)
    broadcast.hear(peer, message, now_ms)
    return list(broadcast.actions())


def ticked(broadcast: Broadcast, now_ms: int) -> list[Action]:
    broadcast.tick(now_ms)
    return list(broadcast.actions())


def test_what_is_new_is_offered_and_goes_on_only_when_it_was_accepted() -> None:
    topic, news = among(A, B, lazy=C), said(1, 4)
    assert heard(topic, A, news) == [Offer(news.id, news.content, A, 4)]
    topic.accept(news.id, 0)
    assert topic.actions() == [Send(B, Gossip(news.id, news.content, 5))]
    assert ticked(topic, LAZY_MS) == [Send(C, IHave(((news.id, 5),)))]


def test_what_was_refused_is_forgotten_and_offered_again() -> None:
    topic, news = among(A, B), said(1)
    heard(topic, A, news)
    topic.refuse(news.id)
    topic.accept(news.id, 0)
    assert topic.actions() == []
    assert heard(topic, B, news) == [Offer(news.id, news.content, B, 0)]


@pytest.mark.parametrize("is_accepted", [False, True])
def test_a_second_copy_makes_its_sender_lazy(is_accepted: bool) -> None:
    topic, news = among(A, B), said(1)
    heard(topic, A, news)
    if is_accepted:
        topic.accept(news.id, 0)
        topic.actions()
    assert heard(topic, B, news) == [Send(B, Prune())]
    assert list(topic.lazy) == [B]


def test_what_is_for_neighbours_goes_no_further_and_is_not_remembered() -> None:
    topic, news = among(A, B), said(1, None)
    for _ in range(2):
        assert heard(topic, A, news) == [Offer(news.id, news.content, A, None)]
    topic.accept(news.id, 0)
    assert topic.actions() == []
    topic.say_to_neighbours(b"near")
    assert [action.peer for action in topic.actions() if isinstance(action, Send)] == [A, B]


def test_content_under_a_wrong_name_or_too_long_is_an_offence() -> None:
    topic = among(A)
    long = bytes(CONTENT_BYTES_MAX + 1)
    for wrong in (Gossip(said(2).id, b"news 1", 0), Gossip(content_id(long), long, 0)):
        assert heard(topic, A, wrong) == [Offend(A, is_flood=False)]


def test_whatever_is_passed_on_fits_into_a_frame() -> None:
    topic, longest = among(A, B), bytes(CONTENT_BYTES_MAX)
    heard(topic, A, Gossip(content_id(longest), longest, 0xFFFF))
    topic.accept(content_id(longest), 0)
    (onward,) = topic.actions()
    assert isinstance(onward, Send)
    assert frame(encode(onward.message))


def test_what_is_missing_is_asked_of_one_after_another() -> None:
    topic, news = among(lazy=A), said(1)
    topic.neighbor_up(B)
    heard(topic, B, Prune())
    heard(topic, A, IHave(((news.id, 3),)))
    heard(topic, B, IHave(((news.id, 2),)))
    assert topic.next_at == GRAFT_MS
    assert ticked(topic, GRAFT_MS) == [Send(A, Graft(news.id, 3))]
    assert ticked(topic, GRAFT_MS + GRAFT_AGAIN_MS) == [Send(B, Graft(news.id, 2))]
    assert ticked(topic, GRAFT_MS + 2 * GRAFT_AGAIN_MS) == []
    assert topic.next_at is None
    assert set(topic.eager) == {A, B}


def test_what_came_is_not_asked_for() -> None:
    topic, news = among(A, B), said(1)
    heard(topic, B, IHave(((news.id, 3),)))
    heard(topic, A, news)
    topic.accept(news.id, 0)
    topic.actions()
    assert not any(isinstance(each, Send) for each in ticked(topic, GRAFT_MS))


def test_a_graft_brings_what_is_still_held() -> None:
    topic, news = among(lazy=A), said(1)
    topic.say(news.content, 0)
    topic.actions()
    assert heard(topic, A, Graft(news.id, 1)) == [Send(A, news)]
    assert list(topic.eager) == [A]
    topic.tick(CACHED_MS)
    topic.actions()
    assert heard(topic, A, Graft(news.id, 1)) == []


def test_a_much_shorter_way_takes_the_place_of_the_tree() -> None:
    topic, news = among(A, lazy=B), said(1, OPTIMIZE_ROUNDS)
    heard(topic, B, IHave(((news.id, 0),)))
    assert heard(topic, A, news)[:2] == [Send(B, Graft(None, 0)), Send(A, Prune())]
    assert (list(topic.eager), list(topic.lazy)) == ([B], [A])


def test_what_was_seen_is_known_for_a_while() -> None:
    topic, news = among(A, B), said(1)
    topic.say(news.content, 0)
    topic.say(news.content, 1)
    assert sum(isinstance(each, Send) for each in topic.actions()) == 2
    topic.tick(SEEN_MS)
    assert isinstance(heard(topic, A, news)[0], Offer)


def test_one_neighbour_cannot_take_all_places_of_those_who_have_something() -> None:
    topic, news = among(lazy=A), said(1)
    topic.neighbor_up(B)
    heard(topic, A, IHave(tuple((news.id, 0) for _ in range(50))))
    heard(topic, B, IHave(((news.id, 9),)))
    assert ticked(topic, GRAFT_MS) == [Send(A, Graft(news.id, 0))]
    assert ticked(topic, GRAFT_MS + GRAFT_AGAIN_MS) == [Send(B, Graft(news.id, 9))]


def test_one_peer_cannot_push_out_what_others_offer() -> None:
    topic, news = among(A, B), said(0)
    heard(topic, B, news)
    for number in range(1, OFFERED_BY_ONE_MAX + 1):
        assert isinstance(heard(topic, A, said(number))[-1], Offer)
    assert heard(topic, A, said(9_999)) == [Offend(A, is_flood=True)]
    topic.accept(news.id, 0)
    assert [each.peer for each in topic.actions() if isinstance(each, Send)] == [A]


def test_names_without_end_are_a_flood_and_what_is_missing_is_bounded() -> None:
    topic = among(A)
    names = [Digest(number.to_bytes(32, "big")) for number in range(2 * MISSING_MAX)]
    offences = 0
    for at in range(0, len(names), 100):
        said_so = IHave(tuple((name, 0) for name in names[at : at + 100]))
        offences += Offend(A, is_flood=True) in heard(topic, A, said_so, now_ms=at // 10)
    assert offences
    first = among(A)
    assert heard(first, A, IHave(tuple((name, 0) for name in names[:NAMES_A_SECOND]))) == []


def test_who_is_no_neighbour_is_not_asked_for_anything() -> None:
    topic, news = among(A), said(1)
    assert heard(topic, C, IHave(((news.id, 0),))) == []
    assert topic.next_at is None
    topic.neighbor_up(B)
    heard(topic, B, IHave(((news.id, 0),)))
    topic.neighbor_down(B)
    assert ticked(topic, GRAFT_MS) == []
