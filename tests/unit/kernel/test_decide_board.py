"""What a node may say on the board, and what it is refused before anything is signed."""

from collections.abc import Callable

import attrs
import pytest

from tests.laws.world import keys, local_network
from tests.support.board_events import BODY, KEY, NAME, NETWORK, ROOT, START_MS, TASK
from wattswarm.kernel import board
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide import board as decide
from wattswarm.kernel.decide.board import Speaker
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.payloads.board import (
    BoardPayload,
    FeedSubscriptionUpdated,
    LaneMark,
    Member,
    TaskAnnounced,
)

ME = Speaker(network_id=NETWORK, me=KEY.node_id, scope="group:x", now_ms=START_MS)


def made(answer: Signings | Rejection) -> tuple[Event, BoardPayload]:
    """Return the only event of an answer, and what it says."""
    assert not isinstance(answer, Rejection), answer
    (signing,) = answer
    event = signing.draft.sign(NETWORK, KEY)
    payload = board.judge(event)
    assert isinstance(payload, BoardPayload), payload
    return event, payload


def test_a_message_is_dated_after_what_it_answers_and_after_the_last_word() -> None:
    for last_ms, reply_ms, dated in [(0, 0, 0), (9, 0, 10), (3, 7, 8), (-9, -9, 0)]:
        speaker = attrs.evolve(ME, last_ms=START_MS + last_ms if last_ms else 0)
        event, said = made(
            decide.post(
                speaker,
                "news",
                text="hello",
                reply_to=NAME,
                reply_to_ms=START_MS + reply_ms if reply_ms else 0,
            )
        )
        assert event.created_at == START_MS + dated
        assert (event.scope, event.epoch, event.task_id) == ("group:x", 0, None)
        assert said.kind == "TOPIC_MESSAGE_POSTED"


@pytest.mark.parametrize(
    ("answer", "code", "path"),
    [
        (lambda: decide.post(ME, "a b", text="x"), "bad_field", "$.feed_key"),
        (lambda: decide.post(ME, "a"), "bad_field", "$.text"),
        (lambda: decide.post(ME, "a", text=""), "bad_field", "$.text"),
        (lambda: decide.post(ME, "a", text="x" * 2_049), "bad_field", "$.text"),
        (lambda: decide.post(ME, "a", text="x\0"), "bad_value", "$.text"),
        (lambda: decide.post(ME, "a", text="x", body=BODY), "inconsistent", "$.body"),
        (
            lambda: decide.post(attrs.evolve(ME, scope="town:x"), "a", text="x"),
            "bad_field",
            "$.scope",
        ),
        (
            lambda: decide.subscribe(ME, "a", None, gossip_kinds=["noise"]),
            "bad_field",
            "$.gossip_kinds[0]",
        ),
        (
            lambda: decide.subscribe(ME, "a", None, retention_ms=-1),
            "bad_field",
            "$.retention_ms",
        ),
        (
            lambda: decide.announce(ME, "k", None, feed_key="f", task=TASK, summary="x" * 2_049),
            "bad_field",
            "$.summary",
        ),
        (
            lambda: decide.declare(ME, TASK, "s", None, role_hint="x", intent="?"),
            "bad_field",
            "$.intent",
        ),
        (lambda: decide.confirm_set(ME, TASK, "s", None, members=[]), "bad_field", "$.members"),
        (
            lambda: decide.checkpoint(
                ME,
                [LaneMark("group:y", LaneClass.WORK, START_MS, 1, ROOT)],
                chain=ROOT,
                seq=1,
            ),
            "lane_out_of_scope",
            "$.lanes",
        ),
        (
            lambda: decide.checkpoint(
                attrs.evolve(ME, scope="global"),
                [
                    LaneMark(f"group:{number:0100}", LaneClass.WORK, START_MS, 1, ROOT)
                    for number in range(500)
                ],
                chain=ROOT,
                seq=1,
            ),
            "too_large",
            "$",
        ),
    ],
)
def test_what_would_be_ignored_is_refused_with_path_and_remedy(
    answer: Callable[[], object], code: str, path: str
) -> None:
    refused = answer()
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.details["path"]) == (code, path)
    assert "remedy" in refused.details


def test_a_subscription_counts_its_revisions_and_says_nothing_twice() -> None:
    _, first = made(decide.subscribe(ME, "news", None, gossip_kinds=["messages", "events"]))
    assert isinstance(first, FeedSubscriptionUpdated)
    assert (first.revision, first.gossip_kinds) == (1, ("events", "messages"))
    again = decide.subscribe(ME, "news", first, gossip_kinds=["events", "messages"])
    assert again == ()
    _, wider = made(decide.subscribe(ME, "news", first))
    assert isinstance(wider, FeedSubscriptionUpdated)
    assert (wider.revision, wider.gossip_kinds) == (2, None)
    _, gone = made(decide.subscribe(ME, "news", wider, active=False))
    assert isinstance(gone, FeedSubscriptionUpdated)
    assert (gone.revision, gone.active) == (3, False)
    assert decide.subscribe(ME, "news", gone, active=False) == ()
    assert decide.subscribe(ME, "news", None, active=False) == ()


def test_an_announcement_is_revised_under_its_key() -> None:
    event, first = made(
        decide.announce(ME, "k", None, feed_key="f", task=TASK, task_ms=START_MS + 5)
    )
    assert isinstance(first, TaskAnnounced)
    assert (event.created_at, first.revision) == (START_MS + 6, 1)
    assert decide.announce(ME, "k", first, feed_key="f", task=TASK) == ()
    _, second = made(
        decide.announce(ME, "k", first, feed_key="f", task=TASK, summary="{}", detail=BODY)
    )
    assert second == attrs.evolve(first, revision=2, summary="{}", detail=BODY)


def test_members_and_lanes_may_be_given_in_any_order() -> None:
    members = [Member(NodeId(bytes([each]) * 32), "x") for each in (3, 1, 2)]
    made(decide.confirm_set(ME, TASK, "s", None, members=members))
    lanes = [
        LaneMark(scope, lane_class, START_MS, 1, ROOT)
        for scope in ("node:b", "global")
        for lane_class in (LaneClass.WORK, LaneClass.CONTROL)
    ]
    made(decide.checkpoint(attrs.evolve(ME, scope="global"), lanes, chain=ROOT, seq=4))


def test_only_an_admitted_node_speaks() -> None:
    founder, stranger = keys(2)
    network = local_network(founder)
    assert decide.may_speak(network.governance(), founder.node_id, START_MS) is None
    refused = decide.may_speak(network.governance(), stranger.node_id, START_MS)
    assert refused is not None
    assert refused.code == "not_admitted"
    early = decide.may_speak(Governance(network.network_id), founder.node_id, START_MS)
    assert early is not None
    assert early.code == "no_governance"
