"""What is said on gossip topics: all events once, in messages that fit."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.log_events import KEY, NETWORK, START_MS
from wattswarm.kernel import canonical
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Draft, Event, LaneClass, decode_body
from wattswarm.kernel.hashing import HASH_BYTES
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.signature import SIGNATURE_BYTES
from wattswarm.transport.proto.gossip.frames import CONTENT_BYTES_MAX
from wattswarm.transport.proto.publication import (
    IDS_MAX,
    NONCE_BYTES,
    Named,
    Publication,
    Said,
    encode,
    publications,
    read,
    topic_id,
)

NONCE = bytes(range(NONCE_BYTES))


def of_size(number: int, size_bytes: int) -> Event:
    """Return an event with a payload of about this size."""
    draft = Draft(
        kind="TASK_CLAIMED",
        scope="global",
        lane_class=LaneClass.WORK,
        task_id=None,
        epoch=0,
        created_at=START_MS + number,
        payload={"text": "x" * size_bytes},
    )
    return draft.sign(NETWORK, KEY)


def ids(said: Publication) -> list[EventId]:
    match said:
        case Said(events):
            return [decode_body(body, signature).event_id for body, signature in events]
        case Named(names):
            return list(names)


@given(st.lists(st.integers(0, 6_000), max_size=40))
def test_every_event_is_said_once_in_messages_that_fit(sizes: list[int]) -> None:
    events = [of_size(number, size) for number, size in enumerate(sizes)]
    said = publications(events)
    for each in said:
        content = encode(each, NONCE)
        assert len(content) <= CONTENT_BYTES_MAX
        assert read(content) == each
    found = [name for each in said for name in ids(each)]
    assert sorted(found) == sorted(event.event_id for event in events)
    inline = {name for each in said if isinstance(each, Said) for name in ids(each)}
    assert [name for name in found if name in inline] == [
        event.event_id for event in events if event.event_id in inline
    ]


def test_small_events_share_a_message() -> None:
    assert len(publications([of_size(number, 100) for number in range(9)])) == 1
    assert publications([]) == ()


def test_large_events_are_named_as_many_as_fit() -> None:
    events = [of_size(number, 5_000) for number in range(IDS_MAX + 1)]
    first, rest = publications(events)
    assert (len(ids(first)), len(ids(rest))) == (IDS_MAX, 1)
    assert CONTENT_BYTES_MAX - len(encode(first, NONCE)) < HASH_BYTES + 2


def test_an_event_that_just_fits_is_said_itself() -> None:
    most = max(
        size
        for size in range(3_000, 4_056)
        if isinstance(publications([of_size(1, size)])[0], Said)
    )
    said, named = publications([of_size(1, most)])[0], publications([of_size(1, most + 1)])[0]
    assert len(encode(said, NONCE)) <= CONTENT_BYTES_MAX
    assert isinstance(named, Named)


def test_two_messages_about_the_same_are_two_messages() -> None:
    (said,) = publications([of_size(1, 1)])
    assert encode(said, NONCE) != encode(said, bytes(NONCE_BYTES))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([1, NONCE], "$"),
        ([1, NONCE[1:], [[b"", bytes(SIGNATURE_BYTES)]]], "$[1]"),
        ([1, NONCE, []], "$[2]"),
        ([3, NONCE, [b"x"]], "$[0]"),
        ([1, NONCE, [[b"", bytes(SIGNATURE_BYTES - 1)]]], "$[2][0]"),
        ([1, NONCE, [[b""]]], "$[2][0]"),
        ([2, NONCE, [bytes(32), bytes(31)]], "$[2][1]"),
        ({"a": 1}, "$"),
    ],
)
def test_what_is_no_message_is_refused_with_the_place(value: canonical.Value, path: str) -> None:
    with pytest.raises(Malformed) as told:
        read(canonical.encode(value))
    assert told.value.path == path


def test_what_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(Malformed) as told:
        read(bytes(CONTENT_BYTES_MAX + 1))
    assert told.value.code == "too_large"


@given(st.binary(max_size=CONTENT_BYTES_MAX), st.integers(0, 4_000), st.binary(max_size=9))
def test_any_bytes_are_read_or_refused(raw: bytes, at: int, patch: bytes) -> None:
    (said,) = publications([of_size(number, 900) for number in range(3)])
    whole = encode(said, NONCE)
    for content in (raw, whole[:at], whole[:at] + patch + whole[at + len(patch) :]):
        with suppress(Malformed):
            read(content)


def test_a_lane_of_a_network_has_a_topic_of_its_own() -> None:
    lanes = [
        ("net:" + "0" * 32, "global", LaneClass.WORK),
        ("net:" + "1" * 32, "global", LaneClass.WORK),
        ("net:" + "0" * 32, "node:a", LaneClass.WORK),
        ("net:" + "0" * 32, "global", LaneClass.CONTROL),
    ]
    assert len({topic_id(*lane) for lane in lanes}) == len(lanes)
    assert (
        topic_id(*lanes[0]).hex()
        == "4eefb5daf078c7d479ea93e89b8c3b84c840f04d8eeadcbe91575fecaf6227a6"
    )
