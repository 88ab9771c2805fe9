"""HyParView step by step, and what no neighbour can do to it."""

import random

from wattswarm.kernel.ids import NodeId
from wattswarm.transport.proto.gossip.actions import (
    Action,
    NeighborDown,
    NeighborUp,
    Release,
    Send,
)
from wattswarm.transport.proto.gossip.frames import frame
from wattswarm.transport.proto.gossip.membership import (
    ACTIVE_MAX,
    ACTIVE_WALK,
    ANSWER_MS,
    PASSIVE_MAX,
    SHUFFLE_TTL,
    SHUFFLED_MAX,
    Membership,
    Word,
)
from wattswarm.transport.proto.gossip.messages import (
    PEERS_MAX,
    Disconnect,
    ForwardJoin,
    Join,
    Message,
    Neighbor,
    Peer,
    Priority,
    Shuffle,
    ShuffleReply,
    Whereabouts,
    decode,
    encode,
)

ME = NodeId(bytes(32))
FAR_MS = 10**9


def node(number: int) -> NodeId:
    return NodeId(number.to_bytes(32, "big"))


def among(*neighbours: int) -> Membership:
    """Return the membership of a node with these neighbours."""
    made = Membership(ME, random.Random(1), shuffle_at=FAR_MS)
    for number in neighbours:
        made.hear(node(number), Neighbor(Priority.HIGH), 0)
    made.actions()
    return made


def heard(members: Membership, number: int, word: Word, now_ms: int = 0) -> list[Action]:
    members.hear(node(number), word, now_ms)
    return list(members.actions())


def sent(actions: list[Action]) -> list[tuple[NodeId, Message]]:
    return [(each.peer, each.message) for each in actions if isinstance(each, Send)]


def test_who_joins_is_taken_in_and_becomes_known() -> None:
    members = among(1, 2)
    actions = heard(members, 9, Join())
    assert NeighborUp(node(9)) in actions
    assert sent(actions) == [
        (node(9), Neighbor(Priority.HIGH)),
        (node(1), ForwardJoin(Peer(node(9)), ACTIVE_WALK)),
        (node(2), ForwardJoin(Peer(node(9)), ACTIVE_WALK)),
    ]


def test_a_join_is_three_words() -> None:
    members = Membership(ME, random.Random(1), shuffle_at=FAR_MS)
    members.join([Peer(node(1)), Peer(ME)])
    assert sent(list(members.actions())) == [(node(1), Join())]
    actions = heard(members, 1, Neighbor(Priority.HIGH))
    assert sent(actions) == [(node(1), Neighbor(Priority.HIGH))]
    assert list(members.active) == [node(1)]
    assert sent(heard(members, 1, Neighbor(Priority.HIGH))) == []


def test_who_takes_somebody_in_does_not_answer_the_answer() -> None:
    members = among()
    assert sent(heard(members, 1, Join())) == [(node(1), Neighbor(Priority.HIGH))]
    assert sent(heard(members, 1, Neighbor(Priority.HIGH))) == []
    heard(members, 1, Disconnect(is_alive=True))
    answer = (node(1), Neighbor(Priority.HIGH))
    assert answer in sent(heard(members, 1, Neighbor(Priority.HIGH))), "asked anew, answered anew"


def test_a_neighbour_that_asks_later_is_told_again() -> None:
    members = among(1)
    members.tick(ANSWER_MS)
    assert sent(heard(members, 1, Neighbor(Priority.HIGH), ANSWER_MS)) == [
        (node(1), Neighbor(Priority.HIGH))
    ]


def test_a_full_node_takes_in_who_has_to_be_and_lets_one_go() -> None:
    members = among(*range(1, ACTIVE_MAX + 1))
    actions = heard(members, 9, Neighbor(Priority.HIGH))
    (gone,) = [each.peer for each in actions if isinstance(each, NeighborDown)]
    assert Release(gone) in actions
    assert (gone, Disconnect(is_alive=True)) in sent(actions)
    assert gone in members.passive
    assert len(members.active) == ACTIVE_MAX


def test_a_full_node_refuses_who_need_not_be() -> None:
    members = among(*range(1, ACTIVE_MAX + 1))
    actions = heard(members, 9, Neighbor(Priority.LOW))
    assert sent(actions)[-1] == (node(9), Disconnect(is_alive=True))
    assert actions[-1] == Release(node(9))
    assert node(9) not in members.active


def test_who_does_not_answer_is_forgotten_and_another_is_asked() -> None:
    members = among(1)
    heard(members, 1, ShuffleReply((Peer(node(7)), Peer(node(8)))))
    members.tick(ANSWER_MS)
    actions = list(members.actions())
    assert [message for _, message in sent(actions)] == [Neighbor(Priority.LOW)]
    members.tick(2 * ANSWER_MS)
    assert len(members.passive) == 0
    members.tick(3 * ANSWER_MS)
    assert members.next_at == FAR_MS


def test_who_leaves_is_replaced_and_kept_if_it_lives() -> None:
    for is_alive in (True, False):
        members = among(1, 2)
        actions = heard(members, 1, Disconnect(is_alive))
        assert actions[:2] == [NeighborDown(node(1)), Release(node(1))]
        assert (node(1) in members.passive) is is_alive


def test_a_lost_link_is_a_lost_neighbour() -> None:
    members = among(1, 2)
    members.lost(node(1), 0)
    assert NeighborDown(node(1)) in members.actions()
    assert node(1) not in members.passive
    members.lost(node(5), 0)
    assert members.actions() == []


def test_leaving_tells_all() -> None:
    members = among(1, 2)
    members.quit()
    actions = list(members.actions())
    assert {peer for peer, message in sent(actions) if message == Disconnect(is_alive=False)} == {
        node(1),
        node(2),
    }
    assert members.active == {}


def test_walks_are_no_longer_than_any_honest_one() -> None:
    members = among(1, 2, 3)
    (_, word) = sent(heard(members, 1, ForwardJoin(Peer(node(9)), 0xFFFF)))[0]
    assert word == ForwardJoin(Peer(node(9)), ACTIVE_WALK - 1)
    (_, shuffle) = sent(heard(members, 1, Shuffle(node(8), (Peer(node(7)),), 0xFFFF)))[0]
    assert isinstance(shuffle, Shuffle)
    assert shuffle.ttl == SHUFFLE_TTL - 1


def test_whatever_is_passed_on_fits_into_a_frame() -> None:
    large = Whereabouts("x" * 4_000, tuple(f"10.0.{each}.1:9" for each in range(40)))
    members = among(1, 2, 3)
    assert decode(encode(Join(large))) == Join(Whereabouts())
    full = Whereabouts("x" * 200, ("10.0.0.1:9", "10.0.0.2:9"))
    assert decode(encode(Join(full))) == Join(full)
    many = tuple(Peer(node(number), full) for number in range(100, 100 + PEERS_MAX))
    words = sent(heard(members, 1, Shuffle(node(8), many, 3)))
    words += sent(heard(members, 1, Shuffle(node(8), many, 0)))
    words += sent(heard(members, 9, Join(full)))
    words += sent(heard(members, 1, ShuffleReply(many)))
    for _, word in words:
        match word:
            case Shuffle(_, peers, _) | ShuffleReply(peers):
                assert len(peers) <= SHUFFLED_MAX
            case _:
                pass
        assert frame(encode(word))


def test_no_word_makes_a_node_know_more_than_it_may() -> None:
    members = among(*range(1, ACTIVE_MAX + 1))
    for start in range(100, 2_000, 50):
        peers = tuple(Peer(node(start + each), Whereabouts()) for each in range(50))
        heard(members, 1, ShuffleReply(peers))
        heard(members, 1, ForwardJoin(peers[0], 3))
    assert len(members.passive) <= PASSIVE_MAX
    assert ME not in members.passive
